/* Puts a prefix before the path. */
#include "middleware/answer.h"
#include "middleware/path.h"

struct add_prefix {
    const struct node *origin;
    struct str prefix;
};

struct add_prefix_state {
    struct str prefix; /* encoded, begins with "/" */
};

static const struct option add_prefix_options[] = {
    OPTION(STR, struct add_prefix, prefix, .required = true, .check = path_check_not_empty,
           .help = "What is put before the path."),
};
static const struct option_table add_prefix_table = OPTION_TABLE(
    struct add_prefix, add_prefix_options, .summary = "Puts a prefix before the path.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct add_prefix *options = m->options;
    struct add_prefix_state *state = m->state;
    state->prefix =
        path_rooted(compile->arena, path_encode(compile->arena, options->prefix, false));
    return true;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct add_prefix_state *state = m->state;
    struct request *request = exchange_request(x);
    if (!str_starts(request->path, S("/")))
        return VERDICT_NEXT;
    struct str path = arena_concat(&x->arena, state->prefix, request->path);
    if (path.data == NULL)
        return answer_out_of_memory(x);
    request->path = path;
    return VERDICT_NEXT;
}

static const struct middleware_type add_prefix = {
    .choice = {.name = "addPrefix",
               .summary = "Puts a prefix before the path.",
               .table = &add_prefix_table},
    .state_size = sizeof(struct add_prefix_state),
    .compile = compile,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, add_prefix);
