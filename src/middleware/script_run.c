/* Instructions, one after the other. */
#include "middleware/script.h"

#include "exchange/graph.h"
#include "exchange/location_answer.h"
#include "exchange/media_types.h"
#include "middleware/answer.h"

bool script_target_was_escaped(const struct exchange *x)
{
    struct str path = x->original_path;
    return memchr(path.data, '%', path.len) != NULL || memchr(path.data, '+', path.len) != NULL;
}

static bool wants_escapes(const struct exchange *x, const struct script_place *place)
{
    return !place->plain && script_target_was_escaped(x);
}

static void set(const struct script_instruction *step, struct exchange *x, const struct script_place *place)
{
    const struct text_template *value = step->set.value;
    bool escaped = !text_template_is_constant(value) && wants_escapes(x, place);
    struct str text = escaped ? text_template_escaped(value, x) : text_template_text(value, x);
    variable_set(step->set.variable, x, text.data != NULL ? text : S(""));
}

/* As a file of the path's name would have. */
static struct str text_type(struct exchange *x)
{
    const struct media_types *types = x->router != NULL ? x->router->extras->media_types : NULL;
    return types != NULL && x->visit != NULL ? media_types_of(types, x->visit->uri) : S("text/plain");
}

static enum verdict answer(const struct script_return *step, struct exchange *x)
{
    struct str text = step->text != NULL ? text_template_text(step->text, x) : S("");
    if (step->is_location)
        exchange_answer_location(x, step->status, text);
    else if (step->text == NULL && step->status >= 400)
        exchange_answer_status(x, step->status, STATUS_MIDDLEWARE_ANSWERED);
    else
        exchange_answer(x, step->status, STATUS_MIDDLEWARE_ANSWERED,
                        status_is_bodiless(step->status) ? STR_NONE : text_type(x), text);
    return VERDICT_ANSWER;
}

/* True when the request goes to another router, where the script goes on. */
static bool branch(const struct script_instruction *step, struct exchange *x, struct script_place *place)
{
    if (!script_holds(step->branch.condition, x, wants_escapes(x, place))) {
        place->at = step->branch.end;
        return false;
    }
    if (step->branch.router == NULL || *step->branch.router == NULL)
        return false;
    x->visit->rest = *place;
    exchange_go_to_router(x, *step->branch.router);
    return true;
}

/* After a match a redirect is answered; else the way goes on, here or in another location. */
static enum verdict rewrite(const struct script_rewrite *step, struct exchange *x, struct script_place *place, bool *ret_stopped)
{
    bool matched;
    enum verdict verdict = script_rewrite(step, x, &matched);
    if (verdict != VERDICT_NEXT || !matched)
        return verdict;
    place->plain = true;
    place->rewritten = !step->stays;
    if (step->stays)
        x->visit->prefix_lost = true;
    *ret_stopped = step->stops;
    return VERDICT_NEXT;
}

static void stop_here(struct exchange *x, struct script_place *place)
{
    if (place->rewritten)
        x->visit->prefix_lost = true;
    place->rewritten = false;
}

enum verdict script_run(struct exchange *x, struct script_place *place, bool *ret_stopped)
{
    const struct script_program *program = place->program;
    enum verdict verdict = VERDICT_NEXT;
    *ret_stopped = false;
    while (verdict == VERDICT_NEXT && !*ret_stopped && place->at < program->count) {
        const struct script_instruction *step = &program->instructions[place->at++];
        switch (step->operation) {
        case SCRIPT_SET:
            set(step, x, place);
            break;
        case SCRIPT_IF:
            if (branch(step, x, place))
                return VERDICT_REROUTE;
            break;
        case SCRIPT_REWRITE:
            verdict = rewrite(step->rewrite, x, place, ret_stopped);
            break;
        case SCRIPT_RETURN:
            return answer(step->answer, x);
        case SCRIPT_BREAK:
            stop_here(x, place);
            *ret_stopped = true;
            break;
        }
    }
    return verdict;
}
