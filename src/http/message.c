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

#define WORDS(code, reason) [code] = STR(#code " " reason "\n")
#define CODE_LEN 4      /* "404 " */

static const struct str pages[600] = {
    WORDS(100, "Continue"), WORDS(101, "Switching Protocols"), WORDS(102, "Processing"),
    WORDS(103, "Early Hints"),
    WORDS(200, "OK"), WORDS(201, "Created"), WORDS(202, "Accepted"),
    WORDS(203, "Non-Authoritative Information"), WORDS(204, "No Content"),
    WORDS(205, "Reset Content"), WORDS(206, "Partial Content"), WORDS(207, "Multi-Status"),
    WORDS(208, "Already Reported"), WORDS(226, "IM Used"),
    WORDS(300, "Multiple Choices"), WORDS(301, "Moved Permanently"), WORDS(302, "Found"),
    WORDS(303, "See Other"), WORDS(304, "Not Modified"), WORDS(305, "Use Proxy"),
    WORDS(307, "Temporary Redirect"), WORDS(308, "Permanent Redirect"),
    WORDS(400, "Bad Request"), WORDS(401, "Unauthorized"), WORDS(402, "Payment Required"),
    WORDS(403, "Forbidden"), WORDS(404, "Not Found"), WORDS(405, "Method Not Allowed"),
    WORDS(406, "Not Acceptable"), WORDS(407, "Proxy Authentication Required"),
    WORDS(408, "Request Timeout"), WORDS(409, "Conflict"), WORDS(410, "Gone"),
    WORDS(411, "Length Required"), WORDS(412, "Precondition Failed"),
    WORDS(413, "Content Too Large"), WORDS(414, "URI Too Long"),
    WORDS(415, "Unsupported Media Type"), WORDS(416, "Range Not Satisfiable"),
    WORDS(417, "Expectation Failed"), WORDS(418, "I'm a teapot"),
    WORDS(421, "Misdirected Request"), WORDS(422, "Unprocessable Content"),
    WORDS(423, "Locked"), WORDS(424, "Failed Dependency"), WORDS(425, "Too Early"),
    WORDS(426, "Upgrade Required"), WORDS(428, "Precondition Required"),
    WORDS(429, "Too Many Requests"), WORDS(431, "Request Header Fields Too Large"),
    WORDS(451, "Unavailable For Legal Reasons"), WORDS(499, "Client Closed Request"),
    WORDS(500, "Internal Server Error"), WORDS(501, "Not Implemented"),
    WORDS(502, "Bad Gateway"), WORDS(503, "Service Unavailable"),
    WORDS(504, "Gateway Timeout"), WORDS(505, "HTTP Version Not Supported"),
    WORDS(506, "Variant Also Negotiates"), WORDS(507, "Insufficient Storage"),
    WORDS(508, "Loop Detected"), WORDS(510, "Not Extended"),
    WORDS(511, "Network Authentication Required"),
};

struct str http_status_page(int status)
{
    if (status < 0 || status >= (int)(sizeof(pages) / sizeof(pages[0])) ||
        pages[status].data == NULL)
        return STR_NONE;
    return pages[status];
}

struct str http_status_words(int status)
{
    struct str page = http_status_page(status);
    return str_first(page, page.len - (page.len != 0));
}

struct str http_reason(int status)
{
    struct str words = http_status_words(status);
    return words.len != 0 ? str_from_index(words, CODE_LEN) : S("");
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
