/* Takes what a regular expression finds at the beginning of the path off it. */
#include "http/uri.h"
#include "middleware/answer.h"
#include "middleware/path.h"
#include "middleware/regexes.h"

struct strip_prefix_regex {
    const struct node *origin;
    struct strs regex;
};

static const struct option strip_prefix_regex_options[] = {
    OPTION(STRS, struct strip_prefix_regex, regex, .required = true, .check = path_check_not_empty,
           .help =
               "Regular expressions; the first that finds something at the beginning of the path."),
};
static const struct option_table strip_prefix_regex_table =
    OPTION_TABLE(struct strip_prefix_regex, strip_prefix_regex_options,
                 .summary = "Takes what a regular expression finds off the beginning of the path.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct strip_prefix_regex *options = m->options;
    return regexes_compile(m->state, &options->regex, options->origin, S("regex"), compile);
}

static void destroy(struct middleware *m)
{
    regexes_release(m->state);
}

/* The first match that is not empty and that the path begins with. */
static struct str find_prefix(const struct regexes *regexes, struct str path)
{
    for (size_t i = 0; i < regexes->count; i++) {
        size_t start, end;
        if (!regex_find(regexes->items[i], path, &start, &end) || start == end)
            continue;
        struct str found = str_of(path.data + start, end - start);
        if (str_starts(path, found))
            return found;
    }
    return STR_NONE;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    struct request *request = exchange_request(x);
    struct str path;
    if (!uri_decode(&x->arena, request->path, &path))
        return VERDICT_NEXT;
    struct str prefix = find_prefix(m->state, path);
    if (prefix.len == 0)
        return VERDICT_NEXT;
    size_t len = path_skip_decoded(request->path, prefix.len);
    /* It is the client's text in part: encoded, it is a field value whatever it holds. */
    prefix = path_encode(&x->arena, prefix, false);
    if (prefix.data == NULL || !fields_add_id(&request->fields, FIELD_X_FORWARDED_PREFIX, prefix))
        return answer_out_of_memory(x);
    return path_forward(x, str_of(request->path.data + len, request->path.len - len));
}

static const struct middleware_type strip_prefix_regex = {
    .choice = {.name = "stripPrefixRegex",
               .summary = "Takes what a regular expression finds off the beginning of the path.",
               .table = &strip_prefix_regex_table},
    .state_size = sizeof(struct regexes),
    .compile = compile,
    .destroy = destroy,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, strip_prefix_regex);
