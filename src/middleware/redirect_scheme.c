/* Redirects to another scheme or port; nothing happens when both are right already. Entrypoint
 * redirections are made of it. The present scheme is that of TLS or of a trusted
 * X-Forwarded-Proto. */
#include "middleware/answer.h"
#include "middleware/redirect.h"

struct redirect_scheme {
    const struct node *origin;
    struct str scheme, port;
    bool permanent;
};

struct redirect_scheme_state {
    struct str port; /* ":8443", or empty where it is the scheme's own */
};

static const char *check_scheme(struct str text, struct arena *arena, size_t *ret_offset,
                                size_t *ret_length)
{
    bool good = text.len != 0 && ascii_alpha(text.data[0]);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        good = good && (ascii_alpha(c) || ascii_digit(c) || c == '+' || c == '-' || c == '.');
    }
    return good ? NULL : "is not a scheme such as 'https'";
}

static const char *check_port(struct str text, struct arena *arena, size_t *ret_offset,
                              size_t *ret_length)
{
    uint64_t port;
    return text.len == 0 || (str_to_u64(text, &port) && port >= 1 && port <= 65535)
               ? NULL
               : "is not a port (1 to 65535)";
}

static const struct option redirect_scheme_options[] = {
    OPTION(STR, struct redirect_scheme, scheme, .required = true, .check = check_scheme,
           .help = "The scheme to go to."),
    OPTION(STR, struct redirect_scheme, port, .check = check_port,
           .help = "The port to go to; empty: the scheme's own."),
    OPTION(BOOL, struct redirect_scheme, permanent, .help = "301 and 308 instead of 302 and 307."),
};
static const struct option_table redirect_scheme_table =
    OPTION_TABLE(struct redirect_scheme, redirect_scheme_options,
                 .summary = "Redirects to another scheme or port.");

/* ":443" for https and the like say nothing. */
static struct str port_that_matters(struct str scheme, struct str port)
{
    if (port.len == 0)
        return port;
    bool usual = (str_equal_nocase(scheme, S("http")) && str_equal(port, S(":80"))) ||
                 (str_equal_nocase(scheme, S("https")) && str_equal(port, S(":443")));
    return usual ? STR_NONE : port;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct redirect_scheme *options = m->options;
    struct redirect_scheme_state *state = m->state;
    if (options->port.len != 0)
        state->port =
            port_that_matters(options->scheme, arena_concat(compile->arena, S(":"), options->port));
    return true;
}

/* "host" and ":port" of an authority. */
static struct str split_port(struct str authority, struct str *ret_port)
{
    ptrdiff_t colon = str_find_last_char(authority, ':');
    bool has_port = colon >= 0 && str_find_char(authority, ']', (size_t)colon) < 0;
    *ret_port = has_port ? str_from_index(authority, (size_t)colon) : STR_NONE;
    return has_port ? str_first(authority, (size_t)colon) : authority;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct redirect_scheme *options = m->options;
    const struct redirect_scheme_state *state = m->state;
    const struct request *request = exchange_request(x);
    struct str scheme = exchange_scheme(x), port;
    struct str host = split_port(request->authority, &port);
    port = port_that_matters(scheme, port);
    if (str_equal_nocase(scheme, options->scheme) && str_equal(port, state->port))
        return VERDICT_NEXT;
    if (host.len == 0) {
        exchange_answer_status(x, status_http(STATUS_BAD_HOST), STATUS_BAD_HOST);
        return VERDICT_ANSWER;
    }
    const struct str parts[] = {options->scheme, S("://"), host, state->port, request->path,
                                request->query.data != NULL ? S("?") : STR_NONE, request->query};
    struct str location = redirect_join(&x->arena, parts, sizeof(parts) / sizeof(parts[0]));
    return location.data != NULL ? redirect_answer(x, location, options->permanent)
                                 : answer_out_of_memory(x);
}

static const struct middleware_type redirect_scheme = {
    .choice = {.name = "redirectScheme",
               .summary = "Redirects to another scheme or port.",
               .table = &redirect_scheme_table},
    .state_size = sizeof(struct redirect_scheme_state),
    .compile = compile,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, redirect_scheme);
