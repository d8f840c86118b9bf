/* Redirects when a regular expression finds something in the request's URL and its replacement is
 * another URL. */
#include "middleware/answer.h"
#include "middleware/path.h"
#include "middleware/redirect.h"
#include "middleware/regexes.h"

struct redirect_regex {
    const struct node *origin;
    struct str regex, replacement;
    bool permanent;
};

struct redirect_regex_state {
    struct regex *regex;
};

static const struct option redirect_regex_options[] = {
    OPTION(STR, struct redirect_regex, regex, .required = true, .check = path_check_not_empty,
           .help = "What to look for in the whole URL (\"https://example.com/path?query\")."),
    OPTION(STR, struct redirect_regex, replacement, .required = true,
           .help = "What to put in its place; $1, ${1} and ${name} are groups."),
    OPTION(BOOL, struct redirect_regex, permanent, .help = "301 and 308 instead of 302 and 307."),
};
static const struct option_table redirect_regex_table =
    OPTION_TABLE(struct redirect_regex, redirect_regex_options,
                 .summary = "Redirects by a regular expression on the URL.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct redirect_regex *options = m->options;
    struct redirect_regex_state *state = m->state;
    state->regex = regexes_compile_one(options->regex,
                                       node_span(node_get(options->origin, S("regex"))), compile);
    return state->regex != NULL;
}

static void destroy(struct middleware *m)
{
    struct redirect_regex_state *state = m->state;
    regex_free(state->regex);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct redirect_regex *options = m->options;
    const struct redirect_regex_state *state = m->state;
    struct str url = exchange_url(x);
    if (url.data == NULL)
        return answer_out_of_memory(x);
    struct str location = regex_replace(state->regex, url, options->replacement, true, &x->arena);
    if (location.data == NULL)
        return answer_out_of_memory(x);
    if (str_equal(location, url))
        return VERDICT_NEXT;
    return redirect_answer(x, location, options->permanent);
}

static const struct middleware_type redirect_regex = {
    .choice = {.name = "redirectRegex",
               .summary = "Redirects by a regular expression on the URL.",
               .table = &redirect_regex_table},
    .state_size = sizeof(struct redirect_regex_state),
    .compile = compile,
    .destroy = destroy,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, redirect_regex);
