/* Answers in the form that nginx made customary: the same few lines of HTML for everybody, in words that monitoring, clients and
 * tests look for. */
#include "exchange/error_page.h"
#include "exchange/graph.h"

/* Words of 1999 that have stayed, in the status line and on the page; where the page has others, the second ones. */
static const struct {
    int status;
    struct str words, on_page;
} phrases[] = {
    {302, STR("Moved Temporarily"), STR("Found")},
    {401, STR("Unauthorized"), STR("Authorization Required")},
    {405, STR("Not Allowed"), STR_NONE},
    {408, STR("Request Time-out"), STR_NONE},
    {413, STR("Request Entity Too Large"), STR_NONE},
    {414, STR("Request-URI Too Large"), STR_NONE},
    {416, STR("Requested Range Not Satisfiable"), STR_NONE},
    {503, STR("Service Temporarily Unavailable"), STR_NONE},
    {504, STR("Gateway Time-out"), STR_NONE},
    {505, STR("HTTP Version Not Supported"), STR_NONE},
};

/* The codes that are nginx's own. */
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
    if (failure == STATUS_CLIENT_CERTIFICATE_BAD)
        return 495;
    if (failure == STATUS_CLIENT_CERTIFICATE_MISSING)
        return 496;
    if (failure == STATUS_NO_READY_SERVER && status == 503)
        return 502;
    if (failure == STATUS_METHOD_NOT_IMPLEMENTED)
        return 405;
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

static struct str page_words(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status && phrases[i].on_page.len != 0)
            return phrases[i].on_page;
    return error_classic_reason(status);
}

/* Others are answered by their head alone. */
static bool has_page(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308 || (status >= 400 && status <= 416) || status == 421 ||
           status == 429 || (status >= 500 && status <= 505) || status == 507;
}

bool error_classic_closes(int status)
{
    return status == 400 || status == 413 || status == 414 || (status >= 494 && status <= 497) || status == 500 || status == 501;
}

/* What stands in the Server field. */
static struct str server_name(const struct exchange *x)
{
    static const struct str name = STR("Server: ");
    struct str line = x->router != NULL && x->router->extras->server_line.len != 0 ? x->router->extras->server_line : x->entry->server_line;
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
    struct str words = page_words(sent), name = server_name(x);
    const char *kind = kind_of_400(status);
    if (!has_page(sent))
        return (struct error_page){.type = STR_NONE, .body = STR("")};
    if (needs_escaping(name))
        name = escaped(x, name);
    struct str title = kind != NULL ? str_from(kind) : words;
    struct str body = arena_printf(&x->arena,
                                   "<html>\r\n<head><title>%d %.*s</title></head>\r\n<body>\r\n<center><h1>%d %.*s</h1></center>\r\n%s%s%s"
                                   "<hr><center>%.*s</center>\r\n</body>\r\n</html>\r\n",
                                   sent, STR_ARGS(title), sent, STR_ARGS(words), kind != NULL ? "<center>" : "",
                                   kind != NULL ? kind : "", kind != NULL ? "</center>\r\n" : "", STR_ARGS(name));
    return (struct error_page){.type = STR("text/html"), .body = body.data != NULL ? body : S("")};
}
