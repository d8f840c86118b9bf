/* Other middlewares for some methods than for the rest. */
#include "http/token.h"
#include "middleware/answer.h"
#include "middleware/nested.h"

struct methods {
    const struct node *origin;
    struct strs methods, middlewares, others;
};

struct methods_state {
    struct nested named, others;
    unsigned known; /* a bit for each enum method of the list */
};

static const char *check_method(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is no method";
}

static const struct option methods_options[] = {
    OPTION(STRS, struct methods, methods, .required = true, .check = check_method,
           .help = "Methods; GET stands for HEAD as well."),
    OPTION(STRS, struct methods, middlewares, .help = "Middlewares for requests by one of these methods."),
    OPTION(STRS, struct methods, others, .help = "Middlewares for all other requests."),
};
static const struct option_table methods_table =
    OPTION_TABLE(struct methods, methods_options, .summary = "Other middlewares for some methods than for the rest.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct methods *options = m->options;
    struct methods_state *state = m->state;
    for (size_t i = 0; i < options->methods.count; i++)
        state->known |= 1U << method_identify(options->methods.items[i]);
    if ((state->known >> METHOD_GET & 1) != 0)
        state->known |= 1U << METHOD_HEAD;
    bool named = nested_compile(&state->named, &options->middlewares, "middlewares", options->origin, compile);
    return nested_compile(&state->others, &options->others, "others", options->origin, compile) && named;
}

static bool is_named(const struct methods *options, const struct methods_state *state, const struct request *request)
{
    if (request->method != METHOD_OTHER)
        return (state->known >> request->method & 1) != 0;
    for (size_t i = 0; i < options->methods.count; i++)
        if (str_equal(options->methods.items[i], request->method_name))
            return true;
    return false;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct methods_state *state = m->state;
    struct nested_run *run = own;
    if (run->nested == NULL &&
        !nested_begin(run, is_named(m->options, state, exchange_request(x)) ? &state->named : &state->others, x))
        return answer_out_of_memory(x);
    while (run->at < run->nested->count) {
        enum verdict verdict = nested_ask(run, x);
        if (verdict != VERDICT_NEXT)
            return verdict;
    }
    return VERDICT_NEXT;
}

/* An answer of one of them passes those before it. */
static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    return nested_on_response(own, x);
}

static void on_finish(struct exchange *x, struct middleware *m, void *own)
{
    nested_finish(own, x);
}

static const struct middleware_type methods = {
    .choice = {.name = "methods",
               .summary = "Other middlewares for some methods than for the rest.",
               .table = &methods_table},
    .state_size = sizeof(struct methods_state),
    .exchange_size = sizeof(struct nested_run),
    .compile = compile,
    .on_request = on_request,
    .on_response = on_response,
    .on_finish = on_finish,
};
REGISTER(middleware_type, methods);
