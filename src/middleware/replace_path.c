/* Puts another path in place of the request's; the former one goes on in X-Replaced-Path, as it
 * came (encoded). */
#include "middleware/answer.h"
#include "middleware/path.h"

struct replace_path {
    const struct node *origin;
    struct str path;
};

struct replace_path_state {
    struct str path; /* encoded, begins with "/" */
};

static const char *check_path(struct str text, struct arena *arena, size_t *ret_offset,
                              size_t *ret_length)
{
    if (text.len == 0)
        return "is empty";
    return path_escapes_are_whole(text) ? NULL : "has a '%' without two hex digits behind it";
}

static const struct option replace_path_options[] = {
    OPTION(STR, struct replace_path, path, .required = true, .check = check_path,
           .help = "The path to go on with."),
};
static const struct option_table replace_path_table =
    OPTION_TABLE(struct replace_path, replace_path_options,
                 .summary = "Puts another path in place of the request's.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct replace_path *options = m->options;
    struct replace_path_state *state = m->state;
    state->path = path_rooted(compile->arena, path_encode(compile->arena, options->path, true));
    return true;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct replace_path_state *state = m->state;
    struct request *request = exchange_request(x);
    if (!fields_add(&request->fields, S("X-Replaced-Path"), request->path))
        return answer_out_of_memory(x);
    request->path = state->path;
    return VERDICT_NEXT;
}

static const struct middleware_type replace_path = {
    .choice = {.name = "replacePath",
               .summary = "Puts another path in place of the request's.",
               .table = &replace_path_table},
    .state_size = sizeof(struct replace_path_state),
    .compile = compile,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, replace_path);
