/* Rewrites the path (raw, as it came) by a regular expression; the former one goes on in
 * X-Replaced-Path. */
#include "middleware/answer.h"
#include "middleware/path.h"
#include "middleware/regexes.h"

struct replace_path_regex {
    const struct node *origin;
    struct str regex, replacement;
};

struct replace_path_regex_state {
    struct regex *regex;
    struct str replacement;
};

static const struct option replace_path_regex_options[] = {
    OPTION(STR, struct replace_path_regex, regex, .required = true, .check = path_check_not_empty,
           .help = "What to look for in the path."),
    OPTION(STR, struct replace_path_regex, replacement,
           .help = "What to put in its place; $1, ${1} and ${name} are groups."),
};
static const struct option_table replace_path_regex_table =
    OPTION_TABLE(struct replace_path_regex, replace_path_regex_options,
                 .summary = "Rewrites the path by a regular expression.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct replace_path_regex *options = m->options;
    struct replace_path_regex_state *state = m->state;
    state->replacement = str_trim_space(options->replacement);
    state->regex = regexes_compile_one(options->regex,
                                       node_span(node_get(options->origin, S("regex"))), compile);
    return state->regex != NULL;
}

static void destroy(struct middleware *m)
{
    struct replace_path_regex_state *state = m->state;
    regex_free(state->regex);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct replace_path_regex_state *state = m->state;
    struct request *request = exchange_request(x);
    struct str path =
        regex_replace(state->regex, request->path, state->replacement, true, &x->arena);
    if (path.data == request->path.data)
        return VERDICT_NEXT; /* the same view: nothing was found */
    if (path.data == NULL || !fields_add(&request->fields, S("X-Replaced-Path"), request->path))
        return answer_out_of_memory(x);
    return path_forward(x, path_encode(&x->arena, path, true));
}

static const struct middleware_type replace_path_regex = {
    .choice = {.name = "replacePathRegex",
               .summary = "Rewrites the path by a regular expression.",
               .table = &replace_path_regex_table},
    .state_size = sizeof(struct replace_path_regex_state),
    .compile = compile,
    .destroy = destroy,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, replace_path_regex);
