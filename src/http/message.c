/* What methods and status codes are called and mean (RFC 9110 9, 15). */
#include "http/message.h"

static const struct str texts[METHOD_COUNT] = {
    [METHOD_OTHER] = STR(""),
#define X(name) [METHOD_##name] = STR(#name),
    METHOD_TABLE(X)
#undef X
};

static enum method by_first_letter(char first, char second)
{
    switch (first) {
    case 'G': return METHOD_GET;
    case 'H': return METHOD_HEAD;
    case 'D': return METHOD_DELETE;
    case 'O': return METHOD_OPTIONS;
    case 'T': return METHOD_TRACE;
    case 'C': return METHOD_CONNECT;
    case 'P': return second == 'O' ? METHOD_POST : second == 'U' ? METHOD_PUT : METHOD_PATCH;
    default: return METHOD_OTHER;
    }
}

enum method method_identify(struct str name)
{
    if (name.len < 3)
        return METHOD_OTHER;
    enum method method = by_first_letter(name.data[0], name.data[1]);
    return str_equal(texts[method], name) ? method : METHOD_OTHER;
}

struct str method_text(enum method method)
{
    return texts[method];
}

#define BIT(name) (1u << METHOD_##name)

bool method_is_safe(enum method method)
{
    return ((BIT(GET) | BIT(HEAD) | BIT(OPTIONS) | BIT(TRACE)) >> method) & 1;
}

bool method_is_idempotent(enum method method)
{
    return method_is_safe(method) || (((BIT(PUT) | BIT(DELETE)) >> method) & 1);
}

static const struct str reasons[600] = {
    [100] = STR("Continue"), [101] = STR("Switching Protocols"), [102] = STR("Processing"),
    [103] = STR("Early Hints"),
    [200] = STR("OK"), [201] = STR("Created"), [202] = STR("Accepted"),
    [203] = STR("Non-Authoritative Information"), [204] = STR("No Content"),
    [205] = STR("Reset Content"), [206] = STR("Partial Content"), [207] = STR("Multi-Status"),
    [208] = STR("Already Reported"), [226] = STR("IM Used"),
    [300] = STR("Multiple Choices"), [301] = STR("Moved Permanently"), [302] = STR("Found"),
    [303] = STR("See Other"), [304] = STR("Not Modified"), [305] = STR("Use Proxy"),
    [307] = STR("Temporary Redirect"), [308] = STR("Permanent Redirect"),
    [400] = STR("Bad Request"), [401] = STR("Unauthorized"), [402] = STR("Payment Required"),
    [403] = STR("Forbidden"), [404] = STR("Not Found"), [405] = STR("Method Not Allowed"),
    [406] = STR("Not Acceptable"), [407] = STR("Proxy Authentication Required"),
    [408] = STR("Request Timeout"), [409] = STR("Conflict"), [410] = STR("Gone"),
    [411] = STR("Length Required"), [412] = STR("Precondition Failed"),
    [413] = STR("Content Too Large"), [414] = STR("URI Too Long"),
    [415] = STR("Unsupported Media Type"), [416] = STR("Range Not Satisfiable"),
    [417] = STR("Expectation Failed"), [418] = STR("I'm a teapot"),
    [421] = STR("Misdirected Request"), [422] = STR("Unprocessable Content"),
    [423] = STR("Locked"), [424] = STR("Failed Dependency"), [425] = STR("Too Early"),
    [426] = STR("Upgrade Required"), [428] = STR("Precondition Required"),
    [429] = STR("Too Many Requests"), [431] = STR("Request Header Fields Too Large"),
    [451] = STR("Unavailable For Legal Reasons"), [499] = STR("Client Closed Request"),
    [500] = STR("Internal Server Error"), [501] = STR("Not Implemented"),
    [502] = STR("Bad Gateway"), [503] = STR("Service Unavailable"),
    [504] = STR("Gateway Timeout"), [505] = STR("HTTP Version Not Supported"),
    [506] = STR("Variant Also Negotiates"), [507] = STR("Insufficient Storage"),
    [508] = STR("Loop Detected"), [510] = STR("Not Extended"),
    [511] = STR("Network Authentication Required"),
};

struct str http_reason(int status)
{
    if (status < 0 || status >= (int)(sizeof(reasons) / sizeof(reasons[0])) ||
        reasons[status].data == NULL)
        return S("");
    return reasons[status];
}

struct str http_version_text(enum http_version version)
{
    switch (version) {
    case HTTP_1_0:
        return S("HTTP/1.0");
    case HTTP_2:
        return S("HTTP/2.0");
    case HTTP_3:
        return S("HTTP/3.0");
    case HTTP_1_1:
        break;
    }
    return S("HTTP/1.1");
}
