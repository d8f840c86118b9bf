/* Answers in the form that nginx made customary: the same few lines of HTML for everybody, in words that monitoring, clients and
 * tests look for. */
#include "exchange/error_page.h"
#include "exchange/graph.h"

/* Words of 1999 that have stayed, and the codes that are nginx's own. */
static const struct {
    int status;
    struct str words;
} phrases[] = {
    {302, STR("Moved Temporarily")},
    {408, STR("Request Time-out")},
    {413, STR("Request Entity Too Large")},
    {414, STR("Request-URI Too Large")},
    {416, STR("Requested Range Not Satisfiable")},
    {503, STR("Service Temporarily Unavailable")},
    {504, STR("Gateway Time-out")},
    {505, STR("HTTP Version Not Supported")},
};

static const struct {
    int status;
    const char *words;
} kinds_of_400[] = {
    {494, "Request Header Or Cookie Too Large"},
    {495, "The SSL certificate error"},
    {496, "No required SSL certificate was sent"},
    {497, "The plain HTTP request was sent to HTTPS port"},
};

int error_classic_status(enum status failure, int status)
{
    if (failure == STATUS_PLAIN_HTTP_ON_TLS)
        return 497;
    if (failure == STATUS_NO_READY_SERVER && status == 503)
        return 502;
    if (failure == STATUS_LOOP_DETECTED)
        return 500;
    return status == 431 ? 494 : status;
}

int error_classic_sent(int status)
{
    return status >= 494 && status <= 497 ? 400 : status;
}

struct str error_classic_reason(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].words;
    return http_reason(status);
}

bool error_classic_closes(int status)
{
    return status == 400 || status == 413 || status == 414 || (status >= 494 && status <= 497) || status == 500 || status == 501;
}

/* What stands in the Server field. */
static struct str server_name(const struct exchange *x)
{
    static const struct str name = STR("Server: ");
    struct str line = x->router != NULL && x->router->server_line.len != 0 ? x->router->server_line : x->entry->server_line;
    return line.len != 0 ? str_trim_space(str_from_index(line, name.len)) : S("portico");
}

static struct str escaped(struct exchange *x, struct str s)
{
    struct str out = S("");
    for (size_t i = 0; i < s.len; i++) {
        struct str part = s.data[i] == '<' ? S("&lt;") : s.data[i] == '&' ? S("&amp;") : str_of(s.data + i, 1);
        out = arena_concat(&x->arena, out, part);
    }
    return out;
}

static bool needs_escaping(struct str s)
{
    return str_find_char(s, '<', 0) >= 0 || str_find_char(s, '&', 0) >= 0;
}

static const char *kind_of_400(int status)
{
    for (size_t i = 0; i < sizeof(kinds_of_400) / sizeof(kinds_of_400[0]); i++)
        if (kinds_of_400[i].status == status)
            return kinds_of_400[i].words;
    return NULL;
}

struct error_page error_classic_page(struct exchange *x, int status)
{
    int sent = error_classic_sent(status);
    struct str words = error_classic_reason(sent), name = server_name(x);
    const char *kind = kind_of_400(status);
    if (sent < 300 || words.len == 0)
        return (struct error_page){.type = STR_NONE, .body = STR("")};
    if (needs_escaping(name))
        name = escaped(x, name);
    struct str body = arena_printf(&x->arena,
                                   "<html>\n<head><title>%d %.*s</title></head>\n<body>\n<h1>%d %.*s</h1>\n%s%s%s"
                                   "<hr>\n<address>%.*s</address>\n</body>\n</html>\n",
                                   sent, STR_ARGS(words), sent, STR_ARGS(words), kind != NULL ? "<p>" : "",
                                   kind != NULL ? kind : "", kind != NULL ? "</p>\n" : "", STR_ARGS(name));
    return (struct error_page){.type = STR("text/html"), .body = body.data != NULL ? body : S("")};
}
