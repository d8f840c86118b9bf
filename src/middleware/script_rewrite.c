/* One rewrite: the path is matched, and its replacement becomes path and query, or a redirect's target. */
#include "http/uri_escape.h"

#include "exchange/location_answer.h"
#include "middleware/answer.h"
#include "middleware/script.h"

static struct str with_query(struct exchange *x, struct str target, char separator)
{
    struct str query = exchange_request(x)->query;
    if (query.len == 0)
        return target;
    return arena_printf(&x->arena, "%.*s%c%.*s", STR_ARGS(target), separator, STR_ARGS(query));
}

static enum verdict redirect(const struct script_rewrite *rewrite, struct exchange *x, bool escaped)
{
    struct str target = escaped ? text_template_escaped(rewrite->path, x) : text_template_text(rewrite->path, x);
    target = uri_unescape_needless(&x->arena, target);
    if (rewrite->keeps_query)
        target = with_query(x, target, rewrite->has_mark ? '&' : '?');
    if (target.data == NULL && target.len != 0)
        return answer_out_of_memory(x);
    exchange_answer_location(x, rewrite->redirect, target);
    return VERDICT_ANSWER;
}

static struct str new_query(const struct script_rewrite *rewrite, struct exchange *x, bool escaped)
{
    if (rewrite->query == NULL)
        return rewrite->keeps_query ? exchange_request(x)->query : STR_NONE;
    struct str query = escaped ? text_template_escaped(rewrite->query, x) : text_template_text(rewrite->query, x);
    if (rewrite->keeps_query)
        query = with_query(x, query, '&');
    return query.len != 0 ? query : STR_NONE;
}

enum verdict script_rewrite(const struct script_rewrite *rewrite, struct exchange *x, bool *ret_matched)
{
    *ret_matched = false;
    struct visit *visit = exchange_visit(x);
    if (visit == NULL)
        return answer_out_of_memory(x);
    if (!capture_match(rewrite->regex, x, variable_get_named(x, S("uri")))) {
        visit->captures.count = 0;
        return VERDICT_NEXT;
    }
    bool escaped = script_target_was_escaped(x);
    *ret_matched = true;
    if (rewrite->redirect != 0)
        return redirect(rewrite, x, escaped);
    struct str path = text_template_text(rewrite->path, x);
    if (path.len == 0) {
        exchange_answer_status(x, 500, STATUS_BAD_REWRITE);
        return VERDICT_ANSWER;
    }
    exchange_rewrite(x, path, new_query(rewrite, x, escaped));
    return VERDICT_NEXT;
}
