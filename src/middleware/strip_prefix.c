/* Takes a prefix off the path; the prefix goes on in X-Forwarded-Prefix. A prefix is a plain
 * string: "/api" also fits "/apix", and "/api../x" would become "/../x", which is refused. */
#include "middleware/answer.h"
#include "middleware/path.h"

struct strip_prefix {
    const struct node *origin;
    struct strs prefixes;
};

static const struct option strip_prefix_options[] = {
    OPTION(STRS, struct strip_prefix, prefixes, .required = true, .check = path_check_not_empty,
           .help = "Prefixes to take off; the first that the path begins with."),
    {.name = "forceSlash",
     .removed = "the path always begins with one slash; take the option out",
     .help = "Removed in version 3."},
};
static const struct option_table strip_prefix_table = OPTION_TABLE(
    struct strip_prefix, strip_prefix_options, .summary = "Takes a prefix off the path.");

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct strip_prefix *options = m->options;
    struct request *request = exchange_request(x);
    for (size_t i = 0; i < options->prefixes.count; i++) {
        struct str prefix = options->prefixes.items[i];
        ptrdiff_t len = path_match_prefix(request->path, prefix);
        if (len < 0)
            continue;
        if (!fields_add_id(&request->fields, FIELD_X_FORWARDED_PREFIX, str_trim_space(prefix)))
            return answer_out_of_memory(x);
        return path_forward(x, str_of(request->path.data + len, request->path.len - (size_t)len));
    }
    return VERDICT_NEXT;
}

static const struct middleware_type strip_prefix = {
    .choice = {.name = "stripPrefix",
               .summary = "Takes a prefix off the path.",
               .table = &strip_prefix_table},
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, strip_prefix);
