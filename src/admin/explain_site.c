#include "admin/explain_site.h"

#include "exchange/chain.h"

/* ---- the way ---- */

static void add_note(struct exchange *x, const struct middleware *m, struct explain_notes *notes)
{
    struct text text;
    if (m->type->explain == NULL || notes->count == EXPLAIN_NOTES_MAX)
        return;
    text_init(&text, 1 << 16);
    m->type->explain(x, m, &text);
    struct str words = text_str(&text);
    if (words.len != 0)
        notes->items[notes->count++] = (struct explain_note){.of = m, .words = arena_str(&x->arena, words)};
    text_release(&text);
}

/* Outwards, as a response goes. */
static enum verdict see_answer(struct exchange *x, unsigned passed, struct explain_notes *notes)
{
    for (unsigned i = passed; i-- > 0;) {
        struct middleware *m = x->router->chain[i];
        void *own = m->type->exchange_size != 0 ? x->chain_memory + m->own_offset : NULL;
        if (!m->type->pure_response)
            continue;
        add_note(x, m, notes);
        if (m->type->on_response(x, m, own) == VERDICT_REROUTE) {
            exchange_drop_response(x);
            return VERDICT_REROUTE;
        }
    }
    return VERDICT_ANSWER;
}

enum verdict explain_pass(struct exchange *x, unsigned *ret_passed, struct explain_notes *notes)
{
    const struct router *router = x->router;
    for (*ret_passed = 0; *ret_passed < router->chain_count; ++*ret_passed) {
        struct middleware *m = router->chain[*ret_passed];
        void *own = m->type->exchange_size != 0 ? x->chain_memory + m->own_offset : NULL;
        x->chain_at = *ret_passed;
        if (m->type->on_request == NULL)
            continue;
        add_note(x, m, notes);
        if (!m->type->pure)
            continue;
        enum verdict verdict = m->type->on_request(x, m, own);
        if (verdict == VERDICT_ANSWER)
            return see_answer(x, *ret_passed, notes);
        if (verdict == VERDICT_REROUTE)
            return verdict;
    }
    return VERDICT_NEXT;
}

/* Whether the next step looks for a location by the path. */
static bool will_search(const struct visit *visit)
{
    return visit->next == NULL && (visit->site->entrance == NULL || visit->entered);
}

/* One stay; false: the way ends there. */
static bool stay(struct exchange *x, struct site_step *step)
{
    struct visit *visit = x->visit;
    step->searched = will_search(visit);
    bool found = visit_route(x);
    step->router = x->router;
    step->uri = visit->uri;
    if (step->searched && visit->uri.data != NULL)
        locations_explain(visit->site->locations, visit->uri, &step->reason);
    if (!found || x->router->extras->left_out != NULL || !chain_begin(x))
        return false;
    enum verdict verdict = explain_pass(x, &step->passed, &step->notes);
    step->left = verdict == VERDICT_REROUTE;
    return step->left || (verdict == VERDICT_NEXT && x->router == visit->site->entrance);
}

bool explain_site(struct exchange *x, struct site_way *way)
{
    if (!visit_begin(x))
        return false;
    way->site = x->visit->site;
    while (way->count < SITE_STEPS_MAX && stay(x, &way->steps[way->count++])) {
        x->failure = visit_leave(x);
        if (x->failure != STATUS_OK)
            break;
    }
    return true;
}

/* ---- its words ---- */

static struct span span_of(const struct router *router)
{
    if (router == NULL || router->about->config == NULL || router->about->config->location == NULL)
        return SPAN_NONE;
    const struct node *path = node_get(router->about->config->location->origin, S("path"));
    return node_span(path != NULL ? path : router->about->config->location->origin);
}

static void add_place(const struct router *router, struct text *out)
{
    struct span span = span_of(router);
    if (span.source == NULL)
        return;
    text_add(out, S(" ("));
    diag_render_place(span, out);
    text_add_char(out, ')');
}

/* Within the same file its line is enough. */
static void add_line(const struct router *router, const struct router *beside, struct text *out)
{
    struct span span = span_of(router);
    if (span.source != NULL && span.source == span_of(beside).source)
        text_addf(out, " on line %u", span.line);
    else
        add_place(router, out);
}

static bool is_regex(const struct location *location)
{
    return location->match == LOCATION_REGEX || location->match == LOCATION_REGEX_IGNORE_CASE;
}

static void add_reason(const struct site_step *step, struct text *out)
{
    const struct location_reason *reason = &step->reason;
    const struct location *winner = reason->winner;
    if (reason->slash) {
        text_add(out, S(": the path lacks the slash at its end"));
    } else if (winner->match == LOCATION_EXACT) {
        text_add(out, S(": it is the path exactly"));
    } else if (is_regex(winner)) {
        text_add(out, S(": the first regex that matches"));
        if (reason->remembered == NULL)
            return;
        text_add(out, S(", which won over the prefix"));
        add_line(reason->remembered->router, step->router, out);
    } else if (reason->expression != NULL) {
        text_add(out, S(" won over the regex"));
        add_line(reason->expression->router, step->router, out);
    } else {
        text_add(out, winner->match == LOCATION_PREFIX_FINAL ? S(": the longest prefix, and no regex is asked")
                                                             : S(": the longest prefix, and no regex matches"));
    }
}

void explain_site_words(const struct site_step *step, struct text *out)
{
    const struct router *router = step->router;
    if (router == NULL) {
        text_add(out, S("no location takes the path"));
        return;
    }
    if (router->extras->location == NULL) {
        text_add(out, S("the site itself, before a location is looked for"));
        return;
    }
    text_add(out, router->about->rule);
    add_place(router, out);
    if (step->searched && step->reason.winner != NULL)
        add_reason(step, out);
    else if (step->searched)
        text_add(out, S(": no other takes the path"));
}

void explain_notes_json(const struct explain_notes *notes, struct text *out)
{
    text_add_char(out, '[');
    for (unsigned i = 0; i < notes->count; i++) {
        text_addf(out, "%s\"%s: ", i == 0 ? "" : ",", notes->items[i].of->type->choice.name);
        text_add_json(out, notes->items[i].words);
        text_add_char(out, '"');
    }
    text_add_char(out, ']');
}

static void add_json(const char *key, struct str value, struct text *out)
{
    text_addf(out, "\"%s\":\"", key);
    text_add_json(out, value);
    text_add(out, S("\","));
}

void explain_site_json(const struct site_way *way, struct text *out)
{
    text_add_char(out, '[');
    for (unsigned i = 0; i < way->count; i++) {
        const struct site_step *step = &way->steps[i];
        struct text words, place;
        text_init(&words, 1 << 16);
        text_init(&place, 1 << 16);
        explain_site_words(step, &words);
        diag_render_place(span_of(step->router), &place);
        text_add(out, i > 0 ? S(",{") : S("{"));
        add_json("router", step->router != NULL ? step->router->name : STR_NONE, out);
        add_json("location", step->router != NULL ? step->router->about->rule : STR_NONE, out);
        add_json("place", text_str(&place), out);
        add_json("uri", step->uri, out);
        add_json("why", text_str(&words), out);
        text_add(out, S("\"notes\":"));
        explain_notes_json(&step->notes, out);
        text_addf(out, ",\"passed\":%u,\"left\":%s}", step->passed, step->left ? "true" : "false");
        text_release(&words);
        text_release(&place);
    }
    text_add_char(out, ']');
}
