/* Puts a page of another service in the place of an error. The client still gets the error's status. */
#include "base/time.h"
#include "exchange/middleware.h"
#include "http/status_ranges.h"
#include "http/uri.h"

struct errors {
    const struct node *origin;
    struct strs status;
    struct strmap status_rewrites;
    struct str service, query;
    struct strs error_request_headers;
};

struct rewrite {
    struct status_interval from;
    int to;
};

struct errors_state {
    struct status_ranges status;
    struct rewrite *rewrites;
    size_t rewrite_count;
    struct service *service;
    bool choose_fields;       /* only those of error_request_headers are passed on */
};

/* In each exchange. */
struct errors_own {
    int status;               /* 0: no detour was taken */
    enum status failure;      /* why there was an error; the page's good end does not undo it */
};

static const struct option errors_options[] = {
    OPTION(STRS, struct errors, status, .required = true, .check = status_range_check,
           .help = "Statuses and ranges of them (\"500-599\") that get a page."),
    OPTION_NAMED(STRMAP, struct errors, status_rewrites, "statusRewrites",
                 .help = "Statuses or ranges and what the client is told instead (\"500-503\": \"404\")."),
    OPTION(STR, struct errors, service, .required = true, .help = "The service that has the pages."),
    OPTION(STR, struct errors, query,
           .help = "The page's path; {status}, {originalStatus} and {url} stand for what they say."),
    OPTION_NAMED(STRS, struct errors, error_request_headers, "errorRequestHeaders",
                 .help = "Request fields that the service gets to see; absent: all, empty: none."),
};
static const struct option_table errors_table =
    OPTION_TABLE(struct errors, errors_options, .summary = "Puts pages of another service in the place of errors.");

static bool compile_rewrites(struct middleware *m, struct compile *compile)
{
    const struct errors *errors = m->options;
    struct errors_state *state = m->state;
    const struct strmap *map = &errors->status_rewrites;
    state->rewrites = arena_array(compile->arena, struct rewrite, map->count);
    bool good = true;
    for (size_t i = 0; i < map->count; i++) {
        struct status_interval to;
        struct rewrite *rewrite = &state->rewrites[state->rewrite_count];
        if (status_range_parse(map->items[i].name, &rewrite->from) && status_range_parse(map->items[i].value, &to) &&
            to.first == to.last && to.first >= 200) {
            rewrite->to = to.first;
            state->rewrite_count++;
            continue;
        }
        good = false;
        const struct node *node = node_get(node_get(errors->origin, S("statusRewrites")), map->items[i].name);
        diag_error(compile->diag, node_span(node), "'%.*s': '%.*s' does not make a status of statuses",
                   STR_ARGS(map->items[i].name), STR_ARGS(map->items[i].value));
    }
    return good;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct errors *errors = m->options;
    struct errors_state *state = m->state;
    state->status = status_ranges_from(&errors->status, compile->arena);
    state->choose_fields = node_get(errors->origin, S("errorRequestHeaders")) != NULL;
    state->service = compile_service(compile, errors->service, node_span(node_get(errors->origin, S("service"))));
    return compile_rewrites(m, compile) && state->service != NULL;
}

static int rewritten(const struct errors_state *state, int status)
{
    for (size_t i = 0; i < state->rewrite_count; i++)
        if (status >= state->rewrites[i].from.first && status <= state->rewrites[i].from.last)
            return state->rewrites[i].to;
    return status;
}

static struct str asked_url(struct exchange *x)
{
    struct str url = x->original_path;
    if (x->original_query.data != NULL)
        url = arena_printf(&x->arena, "%.*s?%.*s", STR_ARGS(url), STR_ARGS(x->original_query));
    return uri_encode_component(&x->arena, url);
}

/* Every {name} in the text; braces that mean nothing stay. */
static struct str fill_in(struct exchange *x, struct str text, int status, int original)
{
    struct str out = S("");
    while (text.len != 0) {
        ptrdiff_t brace = str_find_char(text, '{', 0);
        size_t before = brace < 0 ? text.len : (size_t)brace;
        out = arena_concat(&x->arena, out, str_first(text, before));
        text = str_from_index(text, before);
        if (str_starts(text, S("{status}")))
            out = arena_printf(&x->arena, "%.*s%d", STR_ARGS(out), status);
        else if (str_starts(text, S("{originalStatus}")))
            out = arena_printf(&x->arena, "%.*s%d", STR_ARGS(out), original);
        else if (str_starts(text, S("{url}")))
            out = arena_concat(&x->arena, out, asked_url(x));
        else if (text.len != 0) {
            out = arena_concat(&x->arena, out, str_first(text, 1));
            text = str_from_index(text, 1);
            continue;
        }
        ptrdiff_t end = str_find_char(text, '}', 0);
        text = end < 0 ? STR_NONE : str_from_index(text, (size_t)end + 1);
    }
    return out;
}

static bool is_listed(const struct strs *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal_nocase(names->items[i], name))
            return true;
    return false;
}

static void keep_listed(struct exchange *x, const struct strs *names)
{
    struct fields *fields = &exchange_request(x)->fields;
    FIELDS_FOREACH(fields, field)
        if (!is_listed(names, field->name))
            field->name.len = 0;
}

static enum verdict take_detour(struct exchange *x, struct middleware *m, struct errors_own *own)
{
    const struct errors *errors = m->options;
    const struct errors_state *state = m->state;
    own->failure = x->failure;
    own->status = rewritten(state, x->response.status);
    struct str text = fill_in(x, errors->query, own->status, x->response.status);
    if (!str_starts(text, S("/")))
        text = arena_concat(&x->arena, S("/"), text);
    ptrdiff_t mark = str_find_char(text, '?', 0);
    struct str path = mark >= 0 ? str_first(text, (size_t)mark) : text;
    struct str query = mark >= 0 ? str_of(text.data + mark + 1, text.len - (size_t)mark - 1) : STR_NONE;
    if (path.data == NULL)
        return VERDICT_NEXT;
    if (state->choose_fields)
        keep_listed(x, &errors->error_request_headers);
    exchange_detour(x, state->service, path, query);
    return VERDICT_DETOUR;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *memory)
{
    const struct errors_state *state = m->state;
    struct errors_own *own = memory;
    if (own->status == 0)
        return status_ranges_have(&state->status, x->response.status) ? take_detour(x, m, own) : VERDICT_NEXT;
    x->response.status = own->status;
    x->response.reason = STR_NONE;
    if (x->failure == STATUS_OK)
        x->failure = own->failure;
    return VERDICT_NEXT;
}

static const struct middleware_type errors_type = {
    .choice = {.name = "errors", .summary = "Puts pages of another service in the place of errors.",
               .table = &errors_table},
    .state_size = sizeof(struct errors_state),
    .exchange_size = sizeof(struct errors_own),
    .compile = compile,
    .on_response = on_response,
};
REGISTER(middleware_type, errors_type);
