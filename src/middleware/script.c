/* A script in a chain: what is left of the one that led here, then its own. */
#include "middleware/script.h"

#include "exchange/graph.h"
#include "middleware/answer.h"

struct script {
    const struct node *origin;
    struct objects steps;
};

static const struct option script_options[] = {
    OPTION(LIST, struct script, steps, .table = &script_step_table,
           .help = "What is done, in this order; none: only what is left of a script whose branch led here."),
};
static const struct option_table script_table =
    OPTION_TABLE(struct script, script_options, .summary = "Small steps: set, rewrite, return, if, break.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct script *options = m->options;
    return script_compile(m->state, &options->steps, compile);
}

/* A path that was rewritten wants another location, unless none was chosen yet. */
static enum verdict end(struct exchange *x, const struct script_place *place)
{
    const struct visit *visit = x->visit;
    if (!place->rewritten || visit->site == NULL || x->router == visit->site->entrance)
        return VERDICT_NEXT;
    exchange_look_again(x);
    return VERDICT_REROUTE;
}

static __attribute__((noinline)) enum verdict run_rest(struct exchange *x, struct script_place *place, bool *ret_stopped)
{
    *place = x->visit->rest;
    x->visit->rest.program = NULL;
    enum verdict verdict = script_run(x, place, ret_stopped);
    place->at = 0;
    return verdict;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct script_program *program = m->state;
    struct script_place place = {0};
    bool stopped = false;
    enum verdict verdict = VERDICT_NEXT;
    if (__builtin_expect(x->visit != NULL && x->visit->rest.program != NULL, 0))
        verdict = run_rest(x, &place, &stopped);
    place.program = program;
    if (verdict == VERDICT_NEXT && !stopped)
        verdict = script_run(x, &place, &stopped);
    return verdict == VERDICT_NEXT ? end(x, &place) : verdict;
}

static const struct middleware_type script_type = {
    .choice = {.name = "script", .summary = "Small steps: set, rewrite, return, if, break.", .table = &script_table},
    .state_size = sizeof(struct script_program),
    .compile = compile,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, script_type);
