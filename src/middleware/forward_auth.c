/* Asks another service whether a request may pass. Its 2xx lets it; any other answer is the client's answer. */
#include "middleware/forward_auth.h"

#include "base/time.h"

#define PATIENCE (30 * TIME_S)

/* The address up to its query, which a server's URL has not. */
static struct str without_query(struct str address)
{
    ptrdiff_t mark = str_find_char(address, '?', 0);
    return mark >= 0 ? str_first(address, (size_t)mark) : address;
}

static const char *address_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return server_url_check(without_query(text), arena, ret_offset, ret_length);
}

static const struct option forward_auth_options[] = {
    OPTION(STR, struct forward_auth, address, .required = true, .check = address_check,
           .help = "The URL of the service that is asked."),
    OPTION(OBJECT, struct forward_auth, tls, .table = &peer_tls_table, .help = "TLS towards an https service."),
    OPTION_NAMED(BOOL, struct forward_auth, trust_forward_header, "trustForwardHeader",
                 .help = "X-Forwarded-* of a trusted peer are handed on instead of set anew."),
    OPTION_NAMED(STRS, struct forward_auth, auth_response_headers, "authResponseHeaders",
                 .help = "Fields of the service's answer that replace the request's."),
    OPTION_NAMED(STR, struct forward_auth, auth_response_headers_regex, "authResponseHeadersRegex",
                 .help = "The same, by a regular expression of their names."),
    OPTION_NAMED(STRS, struct forward_auth, auth_request_headers, "authRequestHeaders",
                 .help = "Request fields that the service gets to see; empty: all."),
    OPTION_NAMED(STRS, struct forward_auth, add_auth_cookies_to_response, "addAuthCookiesToResponse",
                 .help = "Cookies of the service's answer that the client gets."),
    OPTION_NAMED(BOOL, struct forward_auth, forward_body, "forwardBody", .help = "The service gets the request's body."),
    OPTION_NAMED(SIZE, struct forward_auth, max_body_size, "maxBodySize", .fallback = "-1", .min = -1,
                 .max = FORWARD_AUTH_BODY_MAX, .help = "Larger bodies get 413, not forwarded; -1: 16 MiB."),
    OPTION_NAMED(SIZE, struct forward_auth, max_response_body_size, "maxResponseBodySize", .fallback = "-1", .min = -1,
                 .max = FORWARD_AUTH_RESPONSE_MAX, .help = "Larger answers count as none; -1: 4 MiB."),
    OPTION_NAMED(STR, struct forward_auth, header_field, "headerField",
                 .help = "A field of the service's answer that names the user, for the access log."),
    OPTION_NAMED(BOOL, struct forward_auth, preserve_location_header, "preserveLocationHeader",
                 .help = "A relative Location stays so; else it becomes one at the service."),
    OPTION_NAMED(BOOL, struct forward_auth, preserve_request_method, "preserveRequestMethod",
                 .help = "The service is asked with the request's method, not with GET."),
    OPTION_NAMED(STR, struct forward_auth, auth_signin_url, "authSigninURL",
                 .help = "Where clients are sent (302) when the service says 401."),
};
static const struct option_table forward_auth_table =
    OPTION_TABLE(struct forward_auth, forward_auth_options, .summary = "Asks another service whether a request may pass.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct forward_auth *options = m->options;
    struct forward_auth_state *state = m->state;
    struct server_url parts;
    struct str plain = without_query(options->address);
    if (server_url_parse(plain, &parts) != NULL)
        return false;      /* the option's check reported it */
    state->query = plain.len != options->address.len ? str_from_index(options->address, plain.len + 1) : STR_NONE;
    state->path = parts.unix_socket ? S("/") : str_of(parts.authority.data + parts.authority.len, 0);
    if (!parts.unix_socket)
        state->path.len = (size_t)(plain.data + plain.len - state->path.data);
    if (state->path.len == 0)
        state->path = S("/");
    state->transport = compile_transport(compile, STR_NONE, node_span(options->origin));
    if (options->auth_response_headers_regex.len != 0) {
        struct span span = node_span(node_get(options->origin, S("authResponseHeadersRegex")));
        state->response_fields = regexes_compile_one(options->auth_response_headers_regex, span, compile);
        if (state->response_fields == NULL)
            return false;
    }
    if (state->transport == NULL)
        return false;
    if (parts.secure && !(options->tls != NULL ? forward_auth_secure(state, options->tls, compile)
                                               : compile_secure(compile, state->transport)))
        return false;
    state->server = server_get(S("forwardAuth"), server_url_origin(plain));
    return state->server != NULL;
}

static void destroy(struct middleware *m)
{
    struct forward_auth_state *state = m->state;
    server_unref(state->server);
    tls_client_free(state->tls);
    if (state->response_fields != NULL)
        regex_free(state->response_fields);
}

static enum verdict cannot_ask(struct exchange *x)
{
    exchange_answer_status(x, 500, STATUS_AUTH_UNREACHABLE);
    return VERDICT_ANSWER;
}

static void on_done(struct fetch *fetch, enum status status)
{
    struct forward_auth_own *own = fetch->owner;
    own->fetch = NULL;
    own->answered = true;
    forward_auth_judge(own, fetch, status);
    exchange_resume(own->exchange);
}

static enum verdict ask(struct exchange *x, struct forward_auth_own *own)
{
    const struct forward_auth *options = own->middleware->options;
    const struct forward_auth_state *state = own->middleware->state;
    struct fetch *fetch = fetch_new(x->worker);
    if (fetch == NULL)
        return cannot_ask(x);
    fetch->server = server_ref(state->server);
    fetch->transport = state->transport;
    fetch->timeout = PATIENCE;
    fetch->max_body = (size_t)(options->max_response_body_size >= 0 ? options->max_response_body_size
                                                                    : FORWARD_AUTH_RESPONSE_MAX);
    fetch->repeatable = true;
    fetch->on_done = on_done;
    fetch->owner = own;
    if (!forward_auth_build(own, fetch)) {
        fetch_free(fetch);
        return cannot_ask(x);
    }
    own->fetch = fetch;
    fetch_start(fetch);
    return VERDICT_WAIT;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *memory)
{
    const struct forward_auth *options = m->options;
    struct forward_auth_own *own = memory;
    own->exchange = x;
    own->middleware = m;
    if (own->answered)
        return own->passes ? VERDICT_NEXT : VERDICT_ANSWER;
    if (own->fetch != NULL)
        return VERDICT_WAIT;
    if (options->forward_body && exchange_request(x)->has_body) {
        int64_t max = options->max_body_size >= 0 ? options->max_body_size : FORWARD_AUTH_BODY_MAX;
        enum exchange_hold hold = exchange_hold_body(x, max != 0 ? max : 1, FORWARD_AUTH_BODY_MAX);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? VERDICT_WAIT : VERDICT_ANSWER;
    }
    return ask(x, own);
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    forward_auth_add_cookies(x, own);
    return VERDICT_NEXT;
}

static void on_finish(struct exchange *x, struct middleware *m, void *memory)
{
    struct forward_auth_own *own = memory;
    if (own->fetch != NULL)
        fetch_cancel(own->fetch);
}

static const struct middleware_type forward_auth = {
    .choice = {.name = "forwardAuth", .summary = "Asks another service whether a request may pass.",
               .table = &forward_auth_table},
    .state_size = sizeof(struct forward_auth_state),
    .exchange_size = sizeof(struct forward_auth_own),
    .compile = compile,
    .destroy = destroy,
    .guards = true,
    .on_request = on_request,
    .on_response = on_response,
    .on_finish = on_finish,
};
REGISTER(middleware_type, forward_auth);
