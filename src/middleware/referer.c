/* Tells links from other sites by the Referer field: sets a variable, or refuses. */
#include "exchange/middleware.h"
#include "exchange/variable.h"
#include "route/captures.h"

#define HOST_MAX 256

struct referer {
    const struct node *origin;
    bool none, blocked;
    struct strs referers, hosts;
    struct str variable;
    int64_t reject_status_code;
};

enum pattern_kind { PATTERN_EXACT, PATTERN_BEHIND, PATTERN_BEFORE, PATTERN_REGEX, PATTERN_HOST_REGEX };
struct pattern {
    enum pattern_kind kind;
    struct str host;              /* lower case; of "*.x" ".x", of "x.*" "x." */
    struct str path;              /* that the referer's path must begin with; empty: any */
    const struct perl_regex *regex;
};
struct referer_state {
    struct pattern *patterns;
    size_t count;
    const struct variable *variable;
};

static const struct option referer_options[] = {
    OPTION(BOOL, struct referer, none, .help = "A request without the field is good."),
    OPTION(BOOL, struct referer, blocked,
           .help = "So is a field that something on the way has made unreadable: it does not begin with http:// or https://."),
    OPTION(STRS, struct referer, referers,
           .help = "Good ones: 'www.example.org', '*.example.org', 'example.*', '.example.org' (both), with or without a "
                   "path that they begin with; '~' and a regular expression for what stands behind the scheme."),
    OPTION(STRS, struct referer, hosts, .help = "The same for the host alone; '~' and a regular expression for it."),
    OPTION(STR, struct referer, variable, .fallback = "invalid_referer",
           .help = "The variable that is '1' for all others, and empty for good ones."),
    OPTION_NAMED(INT, struct referer, reject_status_code, "rejectStatusCode", .fallback = "0", .min = 0, .max = 599,
                 .help = "The status that all others get; 0: they pass, and only the variable tells."),
};
static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct referer *referer = value;
    if (referer->reject_status_code != 0 &&
        (referer->reject_status_code < 400 || http_reason((int)referer->reject_status_code).len == 0))
        diag_error(diag, node_span(node_get(node, S("rejectStatusCode"))), "'%lld' is no status of an error",
                   (long long)referer->reject_status_code);
    if (referer->referers.count + referer->hosts.count == 0)
        diag_error(diag, node_span(node), "there is neither a referer nor a host that is good");
}
static const struct option_table referer_table =
    OPTION_TABLE(struct referer, referer_options, .validate = validate, .summary = "Tells links from other sites by Referer.");

/* --- compiling --- */

static void add_name(struct referer_state *state, struct str text, struct compile *compile)
{
    ptrdiff_t slash = str_find_char(text, '/', 0);
    struct pattern pattern = {.path = slash >= 0 ? str_from_index(text, (size_t)slash) : STR_NONE};
    struct str host = arena_lower(compile->arena, slash >= 0 ? str_first(text, (size_t)slash) : text);
    if (str_starts(host, S("*."))) {
        pattern.kind = PATTERN_BEHIND;
        pattern.host = str_from_index(host, 1);
    } else if (str_ends(host, S(".*"))) {
        pattern.kind = PATTERN_BEFORE;
        pattern.host = str_first(host, host.len - 1);
    } else if (str_starts(host, S("."))) {
        pattern.kind = PATTERN_BEHIND;
        pattern.host = host;
        state->patterns[state->count++] = pattern;
        pattern.kind = PATTERN_EXACT;
        pattern.host = str_from_index(host, 1);
    } else {
        pattern.host = host;
    }
    state->patterns[state->count++] = pattern;
}

static bool add(struct referer_state *state, struct str text, enum pattern_kind regex_kind, struct span span,
                struct compile *compile)
{
    if (!str_starts(text, S("~"))) {
        add_name(state, text, compile);
        return true;
    }
    struct pattern pattern = {.kind = regex_kind,
                              .regex = compile_perl_regex(compile, str_from_index(text, 1), true, span)};
    state->patterns[state->count++] = pattern;
    return pattern.regex != NULL;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct referer *options = m->options;
    struct referer_state *state = m->state;
    const struct node *referers = node_get(options->origin, S("referers")), *hosts = node_get(options->origin, S("hosts"));
    bool good = true;
    state->patterns = arena_array(compile->arena, struct pattern, 2 * (options->referers.count + options->hosts.count));
    for (size_t i = 0; i < options->referers.count; i++)
        good &= add(state, options->referers.items[i], PATTERN_REGEX, node_span(node_at(referers, i)), compile);
    for (size_t i = 0; i < options->hosts.count; i++)
        good &= add(state, options->hosts.items[i], PATTERN_HOST_REGEX, node_span(node_at(hosts, i)), compile);
    state->variable =
        variable_declare(options->variable, compile, node_span(node_get(options->origin, S("variable"))));
    return good && state->variable != NULL;
}

/* --- a request --- */

static bool names_host(const struct pattern *pattern, struct str host)
{
    switch (pattern->kind) {
    case PATTERN_EXACT:
        return str_equal(host, pattern->host);
    case PATTERN_BEHIND:
        return host.len > pattern->host.len && str_ends(host, pattern->host);
    case PATTERN_BEFORE:
        return host.len > pattern->host.len && str_starts(host, pattern->host);
    case PATTERN_REGEX:
    case PATTERN_HOST_REGEX:
        break;
    }
    return false;
}

/* The one that names the host best: as a whole, else by its longest end, else by its longest beginning. */
static const struct pattern *find_name(const struct referer_state *state, struct str host)
{
    const struct pattern *best = NULL;
    for (size_t i = 0; i < state->count; i++) {
        const struct pattern *it = &state->patterns[i];
        if (names_host(it, host) &&
            (best == NULL || it->kind < best->kind || (it->kind == best->kind && it->host.len > best->host.len)))
            best = it;
    }
    return best;
}

static bool matches_regex(const struct referer_state *state, struct str host, struct str rest)
{
    for (size_t i = 0; i < state->count; i++) {
        const struct pattern *it = &state->patterns[i];
        if (it->kind >= PATTERN_REGEX &&
            perl_regex_match(it->regex, it->kind == PATTERN_HOST_REGEX ? host : rest, NULL))
            return true;
    }
    return false;
}

/* `rest` is what stands behind the scheme. */
static bool is_good_rest(const struct referer_state *state, struct str rest)
{
    char lower[HOST_MAX];
    size_t len = 0;
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != ':') {
        if (len == HOST_MAX)
            return false;
        lower[len] = ascii_lower(rest.data[len]);
        len++;
    }
    struct str host = str_of(lower, len);
    const struct pattern *named = find_name(state, host);
    if (named == NULL)
        return matches_regex(state, host, rest);
    ptrdiff_t slash = str_find_char(rest, '/', len);
    return named->path.len == 0 || (slash >= 0 && str_starts(str_from_index(rest, (size_t)slash), named->path));
}

static bool is_good(const struct referer *options, const struct referer_state *state, const struct exchange *x)
{
    struct str value = fields_value(&x->stream.request.fields, FIELD_REFERER);
    if (value.data == NULL)
        return options->none;
    if (value.len >= sizeof("http://i.ru") - 1) {
        if (str_starts_nocase(value, S("http://")))
            return is_good_rest(state, str_from_index(value, sizeof("http://") - 1));
        if (str_starts_nocase(value, S("https://")))
            return is_good_rest(state, str_from_index(value, sizeof("https://") - 1));
    }
    return options->blocked;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct referer *options = m->options;
    const struct referer_state *state = m->state;
    bool good = is_good(options, state, x);
    variable_set(state->variable, x, good ? S("") : S("1"));
    if (good || options->reject_status_code == 0)
        return VERDICT_NEXT;
    exchange_answer_status(x, (int)options->reject_status_code, STATUS_REFERER_REFUSED);
    return VERDICT_ANSWER;
}

static const struct middleware_type referer = {
    .choice = {.name = "referer", .summary = "Tells links from other sites by Referer.", .table = &referer_table},
    .state_size = sizeof(struct referer_state),
    .compile = compile,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, referer);
