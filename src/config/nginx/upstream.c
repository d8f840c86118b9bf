/* upstream{} and hosts of proxy_pass: load balancers. A group is one service however many locations use it, so that turns, failures
 * and limits are those of the whole; one more where it is reached by another scheme. */
#include "config/nginx/upstream.h"

#include "net/addr.h"

static const struct nginx_syntax rows[] = {
    {"upstream", NGINX_HTTP, .min = 1, .max = 1, .block = true, .inside = NGINX_UPSTREAM, .repeats = true},
    {"server", NGINX_UPSTREAM, .min = 1, .max = NGINX_MANY, .repeats = true},
    {"zone", NGINX_UPSTREAM, .min = 1, .max = 2, .noted = "workers are threads: what is known of servers is shared anyway"},
    {"least_conn", NGINX_UPSTREAM, .max = 0},
    {"ip_hash", NGINX_UPSTREAM, .max = 0},
    {"hash", NGINX_UPSTREAM, .min = 1, .max = 2},
    {"random", NGINX_UPSTREAM, .max = 2},
    {"least_time", NGINX_UPSTREAM, .min = 1, .max = 2},
    {"sticky", NGINX_UPSTREAM, .min = 1, .max = NGINX_MANY},
    {"keepalive", NGINX_UPSTREAM, .min = 1, .max = 2},
    {"keepalive_requests", NGINX_UPSTREAM, .min = 1, .max = 1},
    {"keepalive_time", NGINX_UPSTREAM, .min = 1, .max = 1},
    {"keepalive_timeout", NGINX_UPSTREAM, .min = 1, .max = 1},
    {"ntlm", NGINX_UPSTREAM, .max = 0, .refused = "connections to servers are shared by clients, which NTLM does not bear: use Kerberos or another login"},
    {"queue", NGINX_UPSTREAM, .min = 1, .max = 2,
     .refused = "requests that find no server get their answer at once; the YAML option loadBalancer.holdTimeout lets them wait"},
    {"state", NGINX_UPSTREAM, .min = 1, .max = 1, .refused = "servers stand in upstream{}; the API orders them out and in (portico help api)"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

#define WEIGHT_MAX 65535

const struct nginx_directive *nginx_within(const struct nginx_directive *block, const char *name)
{
    NGINX_FOREACH(block, it)
        if (str_equal(it->name, str_from(name)))
            return it;
    return NULL;
}

/* ---- finding groups ---- */

static struct str zone_key(struct nginx_compile *compile, const char *kind, struct str name)
{
    struct str key = arena_printf(compile->arena, "%s:%.*s", kind, STR_ARGS(name));
    return arena_lower(compile->arena, key);
}

static void collect_groups(struct nginx_compile *compile)
{
    if (compile->http == NULL)
        return;
    NGINX_FOREACH(compile->http->block, it) {
        if (!str_equal(it->name, S("upstream")) || it->count != 1)
            continue;
        if (map_put(&compile->zones, zone_key(compile, "upstream", it->words[0].text), it) != NULL)
            diag_error(compile->diag, it->words[0].span, "duplicate upstream \"%.*s\"", STR_ARGS(it->words[0].text));
        if (nginx_within(it, "server") == NULL)
            diag_error(compile->diag, it->span, "no servers are inside upstream");
    }
}

static const struct nginx_directive *group_of(const struct nginx_compile *compile, struct str name)
{
    return map_get(&compile->zones, zone_key((struct nginx_compile *)(uintptr_t)compile, "upstream", name));
}

const struct nginx_directive *nginx_place_group(const struct nginx_place *place)
{
    const struct nginx_directive *pass = NULL;
    struct nginx_url url;
    for (; pass == NULL && place != NULL; place = place->outer) {
        pass = nginx_here(place->scope, "proxy_pass");
        pass = pass != NULL ? pass : nginx_here(place->scope, "grpc_pass");
        if (pass != NULL && pass->count == 1 && nginx_url_parse(place->compile, pass, &pass->words[0], &url) && !url.variables)
            return group_of(place->compile, url.authority);
        if (place->kind == NGINX_PLACE_LOCATION)
            break;
    }
    return NULL;
}

/* ---- one server of a group ---- */

static bool put_count(struct nginx_compile *compile, struct node *server, const struct nginx_directive *directive,
                      const struct nginx_word *word, const char *key, struct str value, int64_t most)
{
    int64_t number;
    if (str_to_i64(value, &number) && number >= 0 && number <= most)
        return nginx_put_number(compile, server, key, number, word->span) != NULL;
    diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
    return false;
}

static void put_time(struct nginx_compile *compile, struct node *server, const struct nginx_word *word, const char *key, struct str value)
{
    int64_t ms;
    if (nginx_time(value, &ms))
        nginx_put_time(compile, server, key, ms, word->span);
    else
        diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
}

/* What a server says beside its address. Those of failures count where there are others. */
static void put_parameter(struct nginx_compile *compile, struct node *server, const struct nginx_directive *directive,
                          const struct nginx_word *word, bool alone)
{
    struct str text = word->text, value;
    ptrdiff_t equals = str_find_char(text, '=', 0);
    value = equals >= 0 ? str_from_index(text, (size_t)equals + 1) : STR_NONE;
    if (str_starts(text, S("weight=")))
        put_count(compile, server, directive, word, "weight", value, WEIGHT_MAX);
    else if (str_starts(text, S("max_conns=")))
        put_count(compile, server, directive, word, "maxConnections", value, UINT32_MAX);
    else if (str_starts(text, S("max_fails=")) && !alone)
        put_count(compile, server, directive, word, "maxFails", value, 1000000);
    else if (str_starts(text, S("fail_timeout=")) && !alone)
        put_time(compile, server, word, "failTimeout", value);
    else if (str_equal(text, S("backup")) || str_equal(text, S("down")) || str_equal(text, S("drain")))
        nginx_put_flag(compile, server, text.data[0] == 'b' ? "backup" : text.data[1] == 'o' ? "down" : "drain", true, word->span);
    else if (str_starts(text, S("route=")))
        nginx_put(compile, server, "route", value, word->span);
    else if (str_starts(text, S("service=")))
        nginx_put(compile, server, "service", value, word->span);
    else if (!str_starts(text, S("max_fails=")) && !str_starts(text, S("fail_timeout=")) && !str_equal(text, S("resolve")) &&
             !str_starts(text, S("slow_start=")))      /* put_slow_start */
        diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(text));
}

static bool has_port(struct str address)
{
    ptrdiff_t colon = str_find_last_char(address, ':');
    return colon >= 0 && str_find_char(address, ']', (size_t)colon) < 0;
}

/* Servers of a group have port 80 where they name none, whatever is spoken there. */
static struct str server_url(struct nginx_compile *compile, struct str address, const char *scheme, bool of_group)
{
    if (str_starts_nocase(address, S("unix:")) || str_starts_nocase(address, S("http+unix:")))
        return address;
    bool add_port = of_group && strcmp(scheme, "https") == 0 && !has_port(address);
    return arena_printf(compile->arena, "%s://%.*s%s", scheme, STR_ARGS(address), add_port ? ":80" : "");
}

static bool is_alone(const struct nginx_directive *group)
{
    unsigned count = 0;
    NGINX_FOREACH(group, it)
        count += str_equal(it->name, S("server"));
    return count < 2;
}

static bool is_literal(struct str address)
{
    struct str host = address;
    struct ip ip;
    ptrdiff_t colon = str_find_last_char(address, ':');
    if (str_starts_nocase(address, S("unix:")) || str_starts_nocase(address, S("http+unix:")))
        return true;
    if (has_port(address))
        host = str_first(address, (size_t)colon);
    return ip_parse(host, &ip);
}

/* Of the group, or of http{}. */
static const struct nginx_directive *of_group(const struct nginx_compile *compile, const struct nginx_directive *group, const char *name)
{
    const struct nginx_directive *found = nginx_within(group, name);
    return found != NULL || compile->http == NULL ? found : nginx_here(compile->http, name);
}

/* A name that is looked up while the process runs; others are nginx's to look up once, and ours by what the system says. */
static void put_name(struct nginx_compile *compile, struct node *server, const struct nginx_directive *group,
                     const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[0], *service = NULL;
    struct str unused;
    bool resolve = false;
    for (size_t i = 1; i < directive->count; i++)
        resolve |= str_equal(directive->words[i].text, S("resolve"));
    bool of_service = nginx_parameter(directive, 1, "service", &unused, &service);
    if (of_service && !resolve)
        diag_error(compile->diag, service->span, "service upstream \"%.*s\" requires \"resolve\" parameter", STR_ARGS(word->text));
    else if (of_service && is_literal(word->text))
        diag_error(compile->diag, word->span, "service upstream \"%.*s\" requires domain name", STR_ARGS(word->text));
    else if (of_service && has_port(word->text))
        diag_error(compile->diag, word->span, "service upstream \"%.*s\" may not have port", STR_ARGS(word->text));
    const struct nginx_directive *resolver = resolve ? of_group(compile, group, "resolver") : NULL;
    if (resolver != NULL && !is_literal(word->text))
        nginx_put_resolver(compile, server, resolver, of_group(compile, group, "resolver_timeout"));
}

static struct node *same_server(const struct node *servers, struct str url)
{
    NODE_FOREACH(servers, it) {
        const struct node *other = node_get(it, S("url"));
        if (other != NULL && str_equal(other->text, url))
            return it;
    }
    return NULL;
}

/* A server may stand twice: it has two turns, and is asked again when it fails. */
static void put_server(struct nginx_compile *compile, struct node *options, struct node *servers, const struct nginx_directive *group,
                       const struct nginx_directive *directive, const char *scheme)
{
    const struct nginx_word *word = &directive->words[0];
    struct str url = server_url(compile, word->text, scheme, true);
    bool alone = is_alone(group) && is_literal(word->text), again = same_server(servers, url) != NULL;
    struct node *server = nginx_add_map(compile, servers, word->span);
    nginx_put(compile, server, "url", url, word->span);
    if (again)
        nginx_put_flag(compile, server, "again", true, word->span);
    if (!alone)
        nginx_put_number(compile, server, "maxFails", 1, directive->span);
    for (size_t i = 1; i < directive->count; i++)
        put_parameter(compile, server, directive, &directive->words[i], alone);
    if (!is_literal(word->text)) {
        put_name(compile, server, group, directive);
        nginx_put_map(compile, options, "resolver", word->span);
    }
}

/* ---- how one is chosen ---- */

static void put_strategy(struct nginx_compile *compile, struct node *options, const struct nginx_directive *group)
{
    const struct nginx_directive *it;
    if (nginx_within(group, "least_conn") != NULL)
        nginx_put(compile, options, "strategy", S("leastConn"), group->span);
    if (nginx_within(group, "ip_hash") != NULL)
        nginx_put(compile, options, "strategy", S("ipHash"), group->span);
    if (nginx_within(group, "least_time") != NULL)
        nginx_put(compile, options, "strategy", S("leasttime"), group->span);
    if ((it = nginx_within(group, "random")) != NULL) {
        bool two = it->count > 0 && str_equal(it->words[0].text, S("two"));
        bool by_time = it->count > 1 && str_starts(it->words[1].text, S("least_time"));
        if (it->count > 0 && !two)
            diag_error(compile->diag, it->words[0].span, "invalid parameter \"%.*s\"", STR_ARGS(it->words[0].text));
        nginx_put(compile, options, "strategy", by_time ? S("leasttime") : two ? S("p2c") : S("random"), it->span);
    }
    if ((it = nginx_within(group, "hash")) != NULL && it->count > 0) {
        bool consistent = it->count == 2 && str_equal(it->words[1].text, S("consistent"));
        if (it->count == 2 && !consistent)
            diag_error(compile->diag, it->words[1].span, "invalid parameter \"%.*s\"", STR_ARGS(it->words[1].text));
        nginx_put(compile, options, "strategy", consistent ? S("consistentHash") : S("hash"), it->span);
        nginx_put(compile, options, "hashKey", nginx_template(compile, &it->words[0]), it->words[0].span);
    }
}

static void put_usual(struct nginx_compile *compile, struct node *options, struct span span)
{
    nginx_put_flag(compile, options, "noPanic", true, span);
    nginx_put_flag(compile, options, "badGatewayWhenNone", true, span);
}

/* Servers of one group come back alike: the slowest rules. `told`: the group stands in another service as well. */
static void put_slow_start(struct nginx_compile *compile, struct node *options, const struct nginx_directive *group, bool told)
{
    const struct nginx_word *word = NULL, *slowest = NULL;
    int64_t most = 0, ms;
    bool differ = false, first = true;
    NGINX_FOREACH(group, it) {
        struct str value;
        if (!str_equal(it->name, S("server")) || it->count == 0)
            continue;
        ms = 0;
        if (nginx_parameter(it, 1, "slow_start", &value, &word) && !nginx_time(value, &ms))
            diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
        differ |= !first && ms != most;
        if (ms > most)
            slowest = word;
        most = ms > most ? ms : most;
        first = false;
    }
    if (slowest == NULL)
        return;
    nginx_put_time(compile, options, "slowStart", most, slowest->span);
    if (differ && !told)
        diag_note(compile->diag, slowest->span, "slow_start holds for all servers of the group: that of the slowest is taken");
}

static struct node *new_balancer(struct nginx_compile *compile, struct str name, struct span span)
{
    struct node *service = nginx_put_map_named(compile, nginx_section(compile, "http.services"), name, span);
    return nginx_put_map(compile, service, "loadBalancer", span);
}

static void fill_group(struct nginx_compile *compile, struct node *options, const struct nginx_directive *group, const char *scheme)
{
    struct node *servers = nginx_put_list(compile, options, "servers", group->span);
    NGINX_FOREACH(group, it)
        if (str_equal(it->name, S("server")) && it->count != 0)
            put_server(compile, options, servers, group, it, scheme);
    put_strategy(compile, options, group);
    put_slow_start(compile, options, group, strcmp(scheme, "http") != 0);
    nginx_put_sticky(compile, options, group);
    put_usual(compile, options, group->span);
}

/* ---- services ---- */

static struct str *known_service(struct nginx_compile *compile, const char *scheme, struct str name)
{
    return map_get(&compile->zones, zone_key(compile, arena_printf(compile->arena, "upstream-service:%s", scheme).data, name));
}

static struct str keep_service(struct nginx_compile *compile, const char *scheme, struct str name, struct str service)
{
    struct str *kept = arena_new(compile->arena, struct str);
    *kept = service;
    map_put(&compile->zones, zone_key(compile, arena_printf(compile->arena, "upstream-service:%s", scheme).data, name), kept);
    return service;
}

static struct str make_group(struct nginx_compile *compile, const struct nginx_directive *group, const char *scheme)
{
    struct str name = group->words[0].text, *known = known_service(compile, scheme, name);
    if (known != NULL)
        return *known;
    struct str service = nginx_unique(compile, "http.services", name);
    keep_service(compile, scheme, name, service);
    fill_group(compile, new_balancer(compile, service, group->span), group, scheme);
    return service;
}

struct str nginx_service_of(struct nginx_compile *compile, const struct nginx_url *url, const char *scheme, struct span span)
{
    const struct nginx_directive *group = url->unix_socket ? NULL : group_of(compile, url->authority);
    if (group != NULL)
        return make_group(compile, group, scheme);
    struct str *known = known_service(compile, scheme, url->authority);
    if (known != NULL)
        return *known;
    struct str service = nginx_unique(compile, "http.services", url->authority);
    struct node *options = new_balancer(compile, service, span);
    struct node *server = nginx_add_map(compile, nginx_put_list(compile, options, "servers", span), span);
    nginx_put(compile, server, "url", server_url(compile, url->authority, scheme, false), span);
    if (!url->unix_socket && !is_literal(url->authority))
        nginx_put_map(compile, options, "resolver", span);
    put_usual(compile, options, span);
    return keep_service(compile, scheme, url->authority, service);
}

void nginx_all_groups(struct nginx_compile *compile, struct node *map, const char *word, const char *scheme, struct span span)
{
    NGINX_FOREACH(compile->http->block, it) {
        if (!str_equal(it->name, S("upstream")) || it->count != 1)
            continue;
        struct str origin = arena_printf(compile->arena, "%s://%.*s", word, STR_ARGS(it->words[0].text));
        nginx_put_named(compile, map, origin, make_group(compile, it, scheme), span);
    }
}

/* Mistakes in groups that nobody uses are mistakes too. */
static void global(struct nginx_compile *compile)
{
    collect_groups(compile);
    if (compile->http == NULL)
        return;
    NGINX_FOREACH(compile->http->block, it)
        if (str_equal(it->name, S("upstream")) && it->count == 1)
            make_group(compile, it, "http");
}

static const struct nginx_part part = {.name = "upstream", .global = global};
REGISTER(nginx_part, part);
