#include "config/nginx/listen_words.h"

#include <netdb.h>

#include "net/addr.h"

#define TEXTS_MAX 1024

/* ---- addresses ---- */

struct ports {
    uint64_t from, to;
};

static bool is_port(struct str text, uint64_t *ret_port)
{
    return str_to_u64(text, ret_port) && *ret_port > 0 && *ret_port < 65536;
}

/* "80" or "8080-8090". */
static bool read_ports(struct str text, struct ports *ret_ports)
{
    ptrdiff_t dash = str_find_char(text, '-', 0);
    if (dash < 0) {
        bool good = is_port(text, &ret_ports->from);
        ret_ports->to = ret_ports->from;
        return good;
    }
    return is_port(str_first(text, (size_t)dash), &ret_ports->from) && is_port(str_from_index(text, (size_t)dash + 1), &ret_ports->to) &&
           ret_ports->from <= ret_ports->to;
}

static void complain(struct nginx_compile *compile, const struct nginx_word *word, const char *what)
{
    diag_error(compile->diag, word->span, "%s in \"%.*s\" of the \"listen\" directive", what, STR_ARGS(word->text));
}

static void add_text(struct nginx_compile *compile, struct strs *texts, struct str host, const struct ports *ports)
{
    for (uint64_t port = ports->from; port <= ports->to && texts->count < TEXTS_MAX; port++)
        texts->items[texts->count++] = arena_printf(compile->arena, "%.*s:%u", STR_ARGS(host), (unsigned)port);
}

static struct str format_ip(struct nginx_compile *compile, const struct ip *ip)
{
    char text[IP_TEXT_SIZE];
    size_t len = ip_format(ip, text);
    return ip_is_v4(ip) ? arena_str(compile->arena, str_of(text, len)) : arena_printf(compile->arena, "[%.*s]", (int)len, text);
}

/* A name's addresses are looked up once, as they are for nginx. */
static void add_host(struct nginx_compile *compile, const struct nginx_word *word, struct str host, const struct ports *ports, struct strs *texts)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    if (getaddrinfo(arena_printf(compile->arena, "%.*s", STR_ARGS(host)).data, NULL, &hints, &found) != 0) {
        complain(compile, word, "host not found");
        return;
    }
    for (const struct addrinfo *it = found; it != NULL; it = it->ai_next) {
        struct addr addr = {.len = it->ai_addrlen};
        if (it->ai_addrlen > sizeof(addr.v6))
            continue;
        memcpy(&addr.any, it->ai_addr, it->ai_addrlen);
        struct ip ip = addr_ip(&addr);
        add_text(compile, texts, format_ip(compile, &ip), ports);
    }
    freeaddrinfo(found);
}

static void add_unix(struct nginx_compile *compile, const struct nginx_word *word, struct strs *texts)
{
    struct str path = str_from_index(word->text, 5);
    struct addr addr;
    if (path.len == 0 || !addr_unix(path, &addr))
        complain(compile, word, path.len == 0 ? "no path" : "too long path");
    else
        texts->items[texts->count++] = arena_concat(compile->arena, S("unix:"), nginx_prefix_path(compile, path));
}

/* The host and the ports behind it; false: reported. */
static bool split(struct nginx_compile *compile, const struct nginx_word *word, struct str *ret_host, struct ports *ret_ports)
{
    struct str text = word->text;
    *ret_ports = (struct ports){80, 80};
    *ret_host = text;
    if (read_ports(text, ret_ports)) {
        *ret_host = S("*");
        return true;
    }
    *ret_ports = (struct ports){80, 80};
    ptrdiff_t colon = str_find_last_char(text, ':');
    ptrdiff_t bracket = str_find_last_char(text, ']');
    if (colon <= bracket)
        colon = -1;
    if (str_starts(text, S("[")) && (bracket < 0 || (colon < 0 && (size_t)bracket + 1 != text.len) || (colon >= 0 && colon != bracket + 1))) {
        complain(compile, word, "invalid host");
        return false;
    }
    if (colon >= 0) {
        *ret_host = str_first(text, (size_t)colon);
        if (!read_ports(str_from_index(text, (size_t)colon + 1), ret_ports)) {
            complain(compile, word, "invalid port");
            return false;
        }
    }
    if (ret_host->len == 0)
        complain(compile, word, "no host");
    return ret_host->len != 0;
}

struct strs nginx_listen_texts(struct nginx_compile *compile, const struct nginx_word *word)
{
    struct strs texts = {.items = arena_array(compile->arena, struct str, TEXTS_MAX)};
    struct str host;
    struct ports ports;
    struct ip ip;
    if (str_starts_nocase(word->text, S("unix:"))) {
        add_unix(compile, word, &texts);
        return texts;
    }
    if (!split(compile, word, &host, &ports))
        return texts;
    if (str_equal(host, S("*")))
        add_text(compile, &texts, S("0.0.0.0"), &ports);
    else if (ip_parse(host, &ip))
        add_text(compile, &texts, format_ip(compile, &ip), &ports);
    else
        add_host(compile, word, host, &ports, &texts);
    return texts;
}

/* ---- parameters ---- */

enum effect { DEFAULT, TLS, HTTP2, QUIC, PROXY_PROTOCOL, OPTION, DEFERRED, NOTHING };

static const struct {
    struct str word;
    enum effect effect;
} flags[] = {
    {STR("default_server"), DEFAULT}, {STR("default"), DEFAULT}, {STR("ssl"), TLS},       {STR("http2"), HTTP2},     {STR("quic"), QUIC},
    {STR("proxy_protocol"), PROXY_PROTOCOL}, {STR("bind"), OPTION}, {STR("reuseport"), OPTION}, {STR("deferred"), DEFERRED}, {STR("multipath"), OPTION},
};

/* Those that take a value of which nothing is made: the system sizes buffers by itself, and FreeBSD's are of no use here. */
static const struct str sizes[] = {STR("rcvbuf="), STR("sndbuf=")};
static const struct str numbers[] = {STR("setfib="), STR("fastopen=")};

static bool read_flag(struct nginx_listen *listen, struct str word)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!str_equal(word, flags[i].word))
            continue;
        listen->is_default |= flags[i].effect == DEFAULT;
        listen->tls |= flags[i].effect == TLS;
        listen->http2 |= flags[i].effect == HTTP2;
        listen->quic |= flags[i].effect == QUIC;
        listen->proxy_protocol |= flags[i].effect == PROXY_PROTOCOL;
        listen->deferred |= flags[i].effect == DEFERRED;
        listen->has_options |= flags[i].effect == OPTION || flags[i].effect == DEFERRED;
        return true;
    }
    return false;
}

/* "30m::10", any of the three empty. */
static bool read_probes(struct nginx_listen *listen, struct str value)
{
    struct str parts[3] = {STR_NONE, STR_NONE, STR_NONE};
    size_t count = 0;
    int64_t ms;
    uint64_t probes;
    for (; count < 3; count++) {
        ptrdiff_t colon = str_find_char(value, ':', 0);
        parts[count] = colon >= 0 ? str_first(value, (size_t)colon) : value;
        value = colon >= 0 ? str_from_index(value, (size_t)colon + 1) : S("");
        if (colon < 0)
            break;
    }
    if (count == 3 || (parts[0].len == 0 && parts[1].len == 0 && parts[2].len == 0))
        return false;
    if (parts[0].len != 0 && (!nginx_time(parts[0], &ms) || (listen->idle = ms / 1000) == 0))
        return false;
    if (parts[1].len != 0 && (!nginx_time(parts[1], &ms) || (listen->interval = ms / 1000) == 0))
        return false;
    if (parts[2].len != 0 && (!str_to_u64(parts[2], &probes) || probes == 0 || probes > 127))
        return false;
    listen->count = parts[2].len != 0 ? (int64_t)probes : 0;
    return true;
}

static bool read_keep_alive(struct nginx_listen *listen, struct str value)
{
    listen->keep_alive = str_equal(value, S("on"));
    listen->no_keep_alive = str_equal(value, S("off"));
    return listen->keep_alive || listen->no_keep_alive || read_probes(listen, value);
}

static bool value_of(struct str word, const char *key, struct str *ret_value)
{
    struct str name = str_from(key);
    bool has = str_starts(word, name);
    *ret_value = has ? str_from_index(word, name.len) : STR_NONE;
    return has;
}

static void bad_value(struct nginx_compile *compile, const struct nginx_word *word, const char *what, struct str value)
{
    diag_error(compile->diag, word->span, "invalid %s \"%.*s\"", what, STR_ARGS(value));
}

static bool is_known_size(struct nginx_compile *compile, const struct nginx_word *word)
{
    struct str value;
    int64_t bytes;
    uint64_t number;
    for (size_t i = 0; i < 2; i++) {
        if (value_of(word->text, sizes[i].data, &value)) {
            if (!nginx_size(value, &bytes) || bytes == 0)
                bad_value(compile, word, str_equal(sizes[i], S("rcvbuf=")) ? "rcvbuf" : "sndbuf", value);
            return true;
        }
        if (value_of(word->text, numbers[i].data, &value)) {
            if (!str_to_u64(value, &number))
                bad_value(compile, word, str_equal(numbers[i], S("setfib=")) ? "setfib" : "fastopen", value);
            return true;
        }
    }
    return value_of(word->text, "accept_filter=", &value);
}

/* "key=value"; false: it is no parameter of listen. */
static bool read_value(struct nginx_compile *compile, struct nginx_listen *listen, const struct nginx_word *word)
{
    struct str value;
    uint64_t number;
    if (value_of(word->text, "backlog=", &value)) {
        if (!str_to_u64(value, &number) || number == 0 || number > 65535)
            bad_value(compile, word, "backlog", value);
        else
            listen->backlog = (int64_t)number;
    } else if (value_of(word->text, "ipv6only=", &value)) {
        listen->ipv6_both = str_equal(value, S("off"));
        if (!listen->ipv6_both && !str_equal(value, S("on")))
            bad_value(compile, word, "ipv6only flags", value);
    } else if (value_of(word->text, "so_keepalive=", &value)) {
        if (!read_keep_alive(listen, value))
            bad_value(compile, word, "so_keepalive value:", value);
    } else if (!is_known_size(compile, word)) {
        return false;
    }
    listen->has_options = true;
    return true;
}

bool nginx_listen_read(struct nginx_compile *compile, const struct nginx_directive *directive, struct nginx_listen *ret_listen)
{
    size_t errors = compile->diag->errors;
    *ret_listen = (struct nginx_listen){.directive = directive};
    for (size_t i = 1; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        if (!read_flag(ret_listen, word->text) && !read_value(compile, ret_listen, word))
            diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
    }
    if (ret_listen->quic && ret_listen->proxy_protocol)
        diag_error(compile->diag, directive->span, "\"proxy_protocol\" parameter is incompatible with \"quic\"");
    else if (ret_listen->quic && ret_listen->tls)
        diag_error(compile->diag, directive->span, "\"ssl\" parameter is incompatible with \"quic\"");
    else if (ret_listen->quic && ret_listen->http2)
        diag_error(compile->diag, directive->span, "\"http2\" parameter is incompatible with \"quic\"");
    return compile->diag->errors == errors;
}
