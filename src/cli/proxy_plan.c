#include "cli/proxy_plan.h"

#include "cli/command.h"
#include "provider/settings.h"
#include "route/host_kind.h"
#include "upstream/server.h"

const struct flag proxy_flags[] = {
    {.name = "from", .letter = 'f', .argument = "NAME[:PORT]", .help = "A name that is served; may be repeated (localhost)."},
    {.name = "to", .letter = 't', .argument = "ADDRESS", .help = "Where its requests go: [HOST:]PORT or a URL; repeated: balanced."},
    {.name = "https-port", .argument = "N", .help = "The port of HTTPS (443)."},
    {.name = "http-port", .argument = "N", .help = "The port that redirects to HTTPS (80)."},
    {.name = "host-header", .argument = "NAME", .help = "The Host that servers get; 'server': their own (the client's)."},
    {.name = "insecure-skip-verify", .help = "Take any certificate of servers that speak HTTPS."},
    {.name = "email", .argument = "ADDRESS", .help = "Where the CA of public names writes to."},
    {.name = "access-log", .argument = "FILE", .help = "Where a line for each request goes (standard output)."},
    {.name = "no-access-log", .help = "No line for each request."},
    {.name = "print", .help = "Print the configuration that this amounts to, and end."},
    {.name = NULL},
};

/* ---- reading ---- */

struct reader {
    struct arena *arena;
    struct proxy_plan *plan;
    struct proxy_route *route;     /* that is being read; NULL: the next flag begins one */
    size_t max;                    /* of names or targets in all */
};

static const char *say(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *say(struct reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str text = arena_vprintf(reader->arena, format, args);
    va_end(args);
    return text.data;
}

static bool read_port(struct str text, uint16_t *ret_port)
{
    uint64_t port;
    if (!str_to_u64(text, &port) || port == 0 || port > 65535)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static struct proxy_route *new_route(struct reader *reader)
{
    struct proxy_route *route = &reader->plan->routes[reader->plan->route_count++];
    route->names.items = arena_array(reader->arena, struct str, reader->max);
    route->targets.items = arena_array(reader->arena, struct str, reader->max);
    return route;
}

static bool is_taken(const struct proxy_plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->route_count; i++)
        for (size_t j = 0; j < plan->routes[i].names.count; j++)
            if (str_equal(plan->routes[i].names.items[j], name))
                return true;
    return false;
}

/* One port of HTTPS serves all names. */
static const char *take_https_port(struct reader *reader, struct str text, const char *flag)
{
    uint16_t port;
    struct proxy_plan *plan = reader->plan;
    if (!read_port(text, &port))
        return say(reader, "%s: '%.*s' is no port (1 to 65535)", flag, STR_ARGS(text));
    if (plan->https_port_given && plan->https_port != port)
        return say(reader, "one port of HTTPS serves all names, but %u and %u are given", plan->https_port, port);
    plan->https_port = port;
    plan->https_port_given = true;
    return NULL;
}

/* "NAME:PORT" and "[::1]:PORT" apart. */
static struct str split_port(struct str from, struct str *ret_port)
{
    ptrdiff_t colon = str_find_last_char(from, ':');
    bool has_port = colon >= 0 && str_find_char(from, ']', (size_t)colon) < 0 &&
                    (str_starts(from, S("[")) || str_find_char(from, ':', 0) == colon);
    *ret_port = has_port ? str_from_index(from, (size_t)colon + 1) : STR_NONE;
    return has_port ? str_first(from, (size_t)colon) : from;
}

static const char *read_from(struct reader *reader, struct str value)
{
    struct str from = value, port;
    if (str_starts_nocase(from, S("http://")))
        return say(reader, "--from %.*s: what is served is HTTPS; write --from %.*s", STR_ARGS(value),
                   STR_ARGS(str_from_index(from, 7)));
    if (str_starts_nocase(from, S("https://")))
        from = str_from_index(from, 8);
    if (str_ends(from, S("/")))
        from.len--;
    if (str_find_char(from, '/', 0) >= 0)
        return say(reader, "--from %.*s: a name is served with all its paths; write --from %.*s", STR_ARGS(value),
                   STR_ARGS(str_first(from, (size_t)str_find_char(from, '/', 0))));
    from = split_port(from, &port);
    const char *why = port.data != NULL ? take_https_port(reader, port, "--from") : NULL;
    if (why != NULL)
        return why;
    struct str name = arena_lower(reader->arena, arena_str(reader->arena, from));
    if (host_kind(name) == HOST_NONE)
        return say(reader, "--from %.*s: '%.*s' is no host name; write NAME[:PORT], such as app.localhost", STR_ARGS(value),
                   STR_ARGS(from));
    if (is_taken(reader->plan, name))
        return say(reader, "--from %.*s is given twice", STR_ARGS(name));
    if (reader->route == NULL || reader->route->targets.count != 0)
        reader->route = new_route(reader);
    reader->route->names.items[reader->route->names.count++] = name;
    return NULL;
}

static const char *read_to(struct reader *reader, struct str value)
{
    struct str url = value;
    uint16_t port;
    size_t offset, length;
    if (read_port(str_starts(value, S(":")) ? str_from_index(value, 1) : value, &port))
        url = arena_printf(reader->arena, "http://127.0.0.1:%u", port);
    else if (str_find(value, S("://")) < 0 && !str_starts(value, S("unix:")))
        url = arena_printf(reader->arena, "http://%.*s", STR_ARGS(value));
    const char *why = server_url_check(url, reader->arena, &offset, &length);
    if (why != NULL)
        return say(reader, "--to %.*s %s", STR_ARGS(value), why);
    if (reader->route == NULL) {
        reader->route = new_route(reader);
        reader->route->names.items[reader->route->names.count++] = S("localhost");
    }
    reader->route->targets.items[reader->route->targets.count++] = arena_str(reader->arena, url);
    return NULL;
}

static const char *read_one(struct reader *reader, const struct flag_given *given)
{
    const char *name = given->flag->name;
    struct proxy_plan *plan = reader->plan;
    if (strcmp(name, "from") == 0)
        return read_from(reader, given->value);
    if (strcmp(name, "to") == 0)
        return read_to(reader, given->value);
    if (strcmp(name, "https-port") == 0)
        return take_https_port(reader, given->value, "--https-port");
    if (strcmp(name, "http-port") == 0) {
        plan->http_port_given = true;
        return read_port(given->value, &plan->http_port)
                   ? NULL
                   : say(reader, "--http-port: '%.*s' is no port (1 to 65535)", STR_ARGS(given->value));
    }
    if (strcmp(name, "host-header") == 0)
        plan->host_header = given->value;
    else if (strcmp(name, "email") == 0)
        plan->email = given->value;
    else if (strcmp(name, "access-log") == 0)
        plan->access_log = given->value;
    else if (strcmp(name, "no-access-log") == 0)
        plan->no_access_log = true;
    else if (strcmp(name, "insecure-skip-verify") == 0)
        plan->insecure = true;
    return NULL;
}

static const char *look_over(struct reader *reader)
{
    const struct proxy_plan *plan = reader->plan;
    if (plan->route_count == 0)
        return "where do requests go? Give --to, such as --to 127.0.0.1:8000";
    for (size_t i = 0; i < plan->route_count; i++)
        if (plan->routes[i].targets.count == 0)
            return say(reader, "--from %.*s has no --to behind it: where do its requests go?",
                       STR_ARGS(plan->routes[i].names.items[0]));
    if (plan->http_port == plan->https_port)
        return say(reader, "HTTP and HTTPS cannot both have port %u", plan->http_port);
    return NULL;
}

const char *proxy_plan_read(const struct flags *flags, struct arena *arena, struct proxy_plan *ret_plan)
{
    struct reader reader = {.arena = arena, .plan = ret_plan, .max = flags->given_count + 1};
    *ret_plan = (struct proxy_plan){.routes = arena_array(arena, struct proxy_route, flags->given_count + 1),
                                    .http_port = 80, .https_port = 443};
    for (size_t i = 0; i < flags->given_count; i++) {
        const char *why = read_one(&reader, &flags->given[i]);
        if (why != NULL)
            return why;
    }
    return look_over(&reader);
}

/* ---- writing ---- */

static void quoted(struct text *out, struct str s)
{
    text_add_char(out, '"');
    text_add_json(out, s);
    text_add_char(out, '"');
}

static void write_top(const struct proxy_plan *plan, struct text *out)
{
    text_addf(out, "entryPoints:\n  web:\n    address: \":%u\"\n  websecure:\n    address: \":%u\"\n", plan->http_port,
              plan->https_port);
    text_add(out, S("\nautomaticHTTPS:"));
    if (plan->email.len != 0) {
        text_add(out, S("\n  email: "));
        quoted(out, plan->email);
        text_add(out, S("\n"));
    } else {
        text_add(out, S(" true\n"));
    }
    text_add(out, S("\nerrorPages: detailed\n"));
    if (plan->insecure)
        text_add(out, S("\nserversTransport:\n  insecureSkipVerify: true\n"));
    if (plan->no_access_log)
        return;
    if (plan->access_log.len != 0) {
        text_add(out, S("\naccessLog:\n  filePath: "));
        quoted(out, plan->access_log);
        text_add(out, S("\n"));
    } else {
        text_add(out, S("\naccessLog: {}\n"));
    }
}

static void write_router(const struct proxy_plan *plan, const struct proxy_route *route, struct text *out)
{
    struct text rule;
    text_init(&rule, (size_t)1 << 16);
    for (size_t i = 0; i < route->names.count; i++)
        text_addf(&rule, "%sHost(`%.*s`)", i != 0 ? " || " : "", STR_ARGS(route->names.items[i]));
    text_add(out, S("    "));
    quoted(out, route->names.items[0]);
    text_add(out, S(":\n      rule: "));
    quoted(out, text_str(&rule));
    text_add(out, S("\n      service: "));
    quoted(out, route->names.items[0]);
    if (plan->host_header.len != 0 && !str_equal(plan->host_header, S("server")))
        text_add(out, S("\n      middlewares: [host]"));
    text_add(out, S("\n"));
    text_release(&rule);
}

static void write_service(const struct proxy_plan *plan, const struct proxy_route *route, struct text *out)
{
    text_add(out, S("    "));
    quoted(out, route->names.items[0]);
    text_add(out, S(":\n      loadBalancer:\n"));
    if (str_equal(plan->host_header, S("server")))
        text_add(out, S("        passHostHeader: false\n"));
    text_add(out, S("        servers:\n"));
    for (size_t i = 0; i < route->targets.count; i++) {
        text_add(out, S("          - url: "));
        quoted(out, route->targets.items[i]);
        text_add(out, S("\n"));
    }
}

void proxy_plan_write(const struct proxy_plan *plan, struct text *out)
{
    write_top(plan, out);
    text_add(out, S("\nhttp:\n  routers:\n"));
    for (size_t i = 0; i < plan->route_count; i++)
        write_router(plan, &plan->routes[i], out);
    if (plan->host_header.len != 0 && !str_equal(plan->host_header, S("server"))) {
        text_add(out, S("\n  middlewares:\n    host:\n      headers:\n        customRequestHeaders:\n          Host: "));
        quoted(out, plan->host_header);
        text_add(out, S("\n"));
    }
    text_add(out, S("\n  services:\n"));
    for (size_t i = 0; i < plan->route_count; i++)
        write_service(plan, &plan->routes[i], out);
}
