/* Owns one easy handle with everything that stays the same from request to request. Connections are kept by the multi handle. */
#include "observe/otlp_sender.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "base/version.h"
#include "http/date.h"
#include "net/addr.h"
#include "observe/otlp_quick.h"
#include "observe/otlp_settings.h"
#include "tls/client.h"

#define URL_MAX ((size_t)65536)
#define ANSWER_KEPT ((size_t)4096)    /* of what a collector says */
#define UPLOAD_BUFFER (256L << 10)    /* one call sends a batch, where the socket has room */
#define CONNECT_TIMEOUT_MS 5000L
#define RETRY_AFTER_MAX (300 * TIME_S)
#define FRAME_HEAD 5                  /* gRPC: a flag and the length (big-endian) */

struct otlp_sender {
    CURL *easy;
    struct curl_slist *headers;
    char *shown;
    bool grpc, compress;
    enum otlp_encoding encoding;
    struct text answer;
    char error[CURL_ERROR_SIZE];
    struct otlp_quick quick;
    bool in_multi;                        /* libcurl has the request */
    int64_t deadline;                     /* of a quick one; monotonic ns */
};

/* ---- what stays ---- */

static void set_long(struct otlp_sender *sender, CURLoption option, long value)
{
    CURLcode code = curl_easy_setopt(sender->easy, option, value);
    assert(code == CURLE_OK);
}

static void set_text(struct otlp_sender *sender, CURLoption option, struct str value)
{
    char *copy = memory_copy_text(value.data, value.len);
    CURLcode code = curl_easy_setopt(sender->easy, option, copy);
    assert(code == CURLE_OK);
    free(copy);
}

static void add_header(struct otlp_sender *sender, const char *line)
{
    sender->headers = curl_slist_append(sender->headers, line);
    assert(sender->headers != NULL);
}

/* libcurl leaves out a field without a value, unless it ends with a semicolon. */
static void add_headers(struct otlp_sender *sender, const struct strmap *headers)
{
    for (size_t i = 0; headers != NULL && i < headers->count; i++) {
        struct str name = headers->items[i].name, value = str_trim(headers->items[i].value);
        struct text line;
        text_init(&line, name.len + value.len + 2);
        text_add(&line, name);
        text_add(&line, value.len != 0 ? S(": ") : S(";"));
        text_add(&line, value);
        add_header(sender, text_c(&line));
        text_release(&line);
    }
}

static void set_headers(struct otlp_sender *sender, const struct otlp_settings *settings)
{
    if (sender->grpc) {
        add_header(sender, "Content-Type: application/grpc");
        add_header(sender, "TE: trailers");
    } else {
        add_header(sender, sender->encoding == OTLP_JSON ? "Content-Type: application/json" : "Content-Type: application/x-protobuf");
    }
    if (sender->compress)
        add_header(sender, "Content-Encoding: gzip");
    add_header(sender, "Expect:");
    add_headers(sender, otlp_settings_headers(settings));
    curl_easy_setopt(sender->easy, CURLOPT_HTTPHEADER, sender->headers);
}

static void set_pem(struct otlp_sender *sender, CURLoption file, CURLoption blob, struct str pem)
{
    if (pem.len == 0)
        return;
    if (!tls_is_pem_text(pem)) {
        set_text(sender, file, pem);
        return;
    }
    struct curl_blob bytes = {.len = pem.len, .flags = CURL_BLOB_COPY};
    bytes.data = memory_copy_text(pem.data, pem.len);
    curl_easy_setopt(sender->easy, blob, &bytes);
    free(bytes.data);
}

static void set_tls(struct otlp_sender *sender, const struct peer_tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->ca.len != 0)
        curl_easy_setopt(sender->easy, CURLOPT_CAPATH, NULL);
    set_pem(sender, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB, tls->ca);
    set_pem(sender, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB, tls->cert);
    set_pem(sender, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB, tls->key);
    if (tls->insecure_skip_verify) {
        set_long(sender, CURLOPT_SSL_VERIFYPEER, 0);
        set_long(sender, CURLOPT_SSL_VERIFYHOST, 0);
    }
}

/* A proxy of the environment is never asked for what runs on this machine. */
static bool is_local(const char *host)
{
    struct ip ip;
    return strcasecmp(host, "localhost") == 0 || (ip_parse(str_from(host), &ip) && ip_is_loopback(&ip));
}

static char *shown_url(CURLU *url, const char *whole)
{
    char *text = NULL;
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    const char *found = curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK ? text : whole;
    char *copy = memory_copy_text(found, strlen(found));
    curl_free(text);
    return copy;
}

/* What is no URL libcurl itself complains of when it is to be used. */
static void set_url(struct otlp_sender *sender, const struct otlp_settings *settings)
{
    struct text text;
    char *host = NULL;
    text_init(&text, URL_MAX);
    otlp_settings_url(settings, &text);
    const char *whole = text_c(&text);
    curl_easy_setopt(sender->easy, CURLOPT_URL, whole);
    CURLU *url = curl_url();
    assert(url != NULL);
    if (curl_url_set(url, CURLUPART_URL, whole, 0) == CURLUE_OK && curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        is_local(host))
        curl_easy_setopt(sender->easy, CURLOPT_PROXY, "");
    sender->shown = shown_url(url, whole);
    curl_free(host);
    curl_url_cleanup(url);
    text_release(&text);
}

static size_t on_answer(char *data, size_t size, size_t count, void *owner)
{
    struct otlp_sender *sender = owner;
    struct str part = str_first(str_of(data, size * count), ANSWER_KEPT - sender->answer.len);
    text_add(&sender->answer, part);
    return size * count;
}

/* Before 8.0 libcurl cannot use a connection of HTTP/2 without TLS a second time (curl issue 10634). */
static bool reuses_plain_http2(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num >= 0x080000;
}

static void set_version(struct otlp_sender *sender, const struct otlp_settings *settings)
{
    if (!sender->grpc)
        return;
    bool insecure = settings->grpc->insecure;
    set_long(sender, CURLOPT_HTTP_VERSION, insecure ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS);
    set_long(sender, CURLOPT_HTTPPROXYTUNNEL, 1);
    if (insecure && !reuses_plain_http2())
        set_long(sender, CURLOPT_FORBID_REUSE, 1);
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *owner)
{
    struct otlp_sender *sender = owner;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        otlp_quick_note(&sender->quick, str_of(data, size));
    return 0;
}

/* What libcurl sends is only to be seen where it would tell all that it does. */
static void set_quick(struct otlp_sender *sender)
{
    otlp_quick_init(&sender->quick);
    if (sender->grpc)
        return;
    curl_easy_setopt(sender->easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(sender->easy, CURLOPT_DEBUGDATA, sender);
    set_long(sender, CURLOPT_VERBOSE, 1);
}

struct otlp_sender *otlp_sender_new(const struct otlp_settings *settings)
{
    struct otlp_sender *sender = memory_zalloc(sizeof(*sender));
    const struct otlp_http *http = settings->grpc == NULL ? settings->http : NULL;
    sender->easy = curl_easy_init();
    assert(sender->easy != NULL);
    sender->grpc = settings->grpc != NULL;
    sender->compress = http != NULL && http->compress;
    sender->encoding = http != NULL ? (enum otlp_encoding)http->encoding : OTLP_PROTOBUF;
    text_init(&sender->answer, ANSWER_KEPT);
    set_url(sender, settings);
    set_version(sender, settings);
    set_headers(sender, settings);
    set_tls(sender, otlp_settings_tls(settings));
    set_quick(sender);
    set_text(sender, CURLOPT_PROTOCOLS_STR, S("http,https"));
    set_text(sender, CURLOPT_USERAGENT, S("Portico/" PORTICO_VERSION));
    set_long(sender, CURLOPT_NOSIGNAL, 1);
    set_long(sender, CURLOPT_QUICK_EXIT, 1);      /* a look-up that hangs does not hold up the end */
    set_long(sender, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    set_long(sender, CURLOPT_POST, 1);
    set_long(sender, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    curl_easy_setopt(sender->easy, CURLOPT_ERRORBUFFER, sender->error);
    curl_easy_setopt(sender->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(sender->easy, CURLOPT_WRITEDATA, sender);
    return sender;
}

void otlp_sender_free(struct otlp_sender *sender)
{
    curl_easy_cleanup(sender->easy);
    otlp_quick_release(&sender->quick);
    curl_slist_free_all(sender->headers);
    text_release(&sender->answer);
    free(sender->shown);
    free(sender);
}

const char *otlp_sender_shown(const struct otlp_sender *sender)
{
    return sender->shown;
}

enum otlp_encoding otlp_sender_encoding(const struct otlp_sender *sender)
{
    return sender->encoding;
}

/* ---- a request ---- */

static void compress_into(struct text *out, struct str message)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)message.data, .avail_in = (uInt)message.len};
    int code = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16 /* gzip */, 8, Z_DEFAULT_STRATEGY);
    assert(code == Z_OK);
    uLong room = deflateBound(&stream, (uLong)message.len);
    if (text_reserve(out, room)) {
        stream.next_out = (Bytef *)out->data;
        stream.avail_out = (uInt)room;
        code = deflate(&stream, Z_FINISH);
        assert(code == Z_STREAM_END);
        out->len = stream.total_out;
    }
    deflateEnd(&stream);
}

void otlp_sender_frame(const struct otlp_sender *sender, struct text *message)
{
    struct text framed;
    if (!sender->grpc && !sender->compress)
        return;
    text_init(&framed, message->max);
    if (sender->compress) {
        compress_into(&framed, text_str(message));
    } else {
        size_t len = message->len;
        const char head[FRAME_HEAD] = {0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};
        text_reserve(&framed, len + FRAME_HEAD);
        text_add(&framed, str_of(head, FRAME_HEAD));
        text_add(&framed, text_str(message));
    }
    text_release(message);
    *message = framed;
}

static void begin_by_libcurl(struct otlp_sender *sender, CURLM *multi, struct str body, int64_t timeout, void *owner)
{
    curl_easy_setopt(sender->easy, CURLOPT_PRIVATE, owner);
    curl_easy_setopt(sender->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(sender->easy, CURLOPT_POSTFIELDS, body.data != NULL ? body.data : "");
    set_long(sender, CURLOPT_TIMEOUT_MS, (long)(timeout / TIME_MS));
    CURLMcode code = curl_multi_add_handle(multi, sender->easy);
    assert(code == CURLM_OK);
    sender->in_multi = true;
}

void otlp_sender_begin(struct otlp_sender *sender, CURLM *multi, struct str body, int64_t timeout, void *owner)
{
    text_clear(&sender->answer);
    sender->error[0] = '\0';
    sender->deadline = time_monotonic() + timeout;
    if (!otlp_quick_begin(&sender->quick, body))
        begin_by_libcurl(sender, multi, body, timeout, owner);
}

bool otlp_sender_advance(struct otlp_sender *sender, CURLM *multi, void *owner, CURLcode *ret_code)
{
    int64_t left = sender->deadline - time_monotonic();
    if (sender->in_multi)
        return false;
    otlp_quick_advance(&sender->quick);
    *ret_code = sender->quick.state == QUICK_DONE ? CURLE_OK : CURLE_OPERATION_TIMEDOUT;
    if (sender->quick.state == QUICK_DONE || left <= 0)
        return true;
    if (sender->quick.state == QUICK_BROKEN)
        begin_by_libcurl(sender, multi, sender->quick.body, left, owner);
    return false;
}

bool otlp_sender_waits(const struct otlp_sender *sender, struct curl_waitfd *ret_wait, int64_t *ret_until)
{
    short events = otlp_quick_events(&sender->quick);
    *ret_wait = (struct curl_waitfd){.fd = sender->quick.fd,
                                     .events = (short)((events & POLLIN ? CURL_WAIT_POLLIN : 0) | (events & POLLOUT ? CURL_WAIT_POLLOUT : 0))};
    *ret_until = sender->deadline;
    return events != 0;
}

void otlp_sender_abort(struct otlp_sender *sender, CURLM *multi)
{
    if (sender->in_multi)
        curl_multi_remove_handle(multi, sender->easy);
    else
        otlp_quick_close(&sender->quick);
    sender->in_multi = false;
}

/* ---- its outcome ---- */

static const char *field(const struct otlp_sender *sender, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(sender->easy, name, 0, CURLH_TRAILER, -1, &header) == CURLHE_OK ||
        curl_easy_header(sender->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        return header->value;
    return NULL;
}

/* When to come again, in whichever answer there is. */
static struct str asked_pause(const struct otlp_sender *sender)
{
    if (!sender->in_multi)
        return fields_value(&sender->quick.answer.fields, FIELD_RETRY_AFTER);
    const char *value = field(sender, "Retry-After");
    return value != NULL ? str_from(value) : STR_NONE;
}

static int64_t retry_after(const struct otlp_sender *sender)
{
    struct str value = asked_pause(sender);
    uint64_t seconds;
    int64_t date;
    if (value.len == 0)
        return 0;
    if (!str_to_u64(value, &seconds)) {
        int64_t now = time_wall() / TIME_S;
        seconds = http_date_parse(value, &date) && date > now ? (uint64_t)(date - now) : 0;
    }
    return seconds < RETRY_AFTER_MAX / TIME_S ? (int64_t)seconds * TIME_S : RETRY_AFTER_MAX;
}

static void fail(struct otlp_result *result, enum otlp_outcome outcome, const char *hint)
{
    result->outcome = outcome;
    result->hint = hint;
}

static void no_answer(struct otlp_sender *sender, CURLcode code, struct otlp_result *result)
{
    snprintf(result->why, sizeof(result->why), "%s", sender->error[0] != '\0' ? sender->error : curl_easy_strerror(code));
    const char *hint = NULL;
    if (code == CURLE_COULDNT_CONNECT)
        hint = "is the collector running, and does it listen there?";
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        hint = "look at the host's name in `endpoint`";
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        hint = "name the authority of its certificate in `tls.ca`";
    else if (code == CURLE_SSL_CONNECT_ERROR)
        hint = sender->grpc ? "where the collector speaks no TLS, set `insecure`" : "where the collector speaks no TLS, write http:// in `endpoint`";
    else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        hint = "look at `endpoint`";
    else if (sender->grpc)
        hint = "is that the collector's gRPC port (mostly 4317)?";
    fail(result, OTLP_AGAIN, hint);
}

/* The beginning of what it said, as one line. */
static void add_words(const struct otlp_sender *sender, struct otlp_result *result)
{
    size_t at = strlen(result->why);
    struct str words = str_first(str_trim_space(text_str(&sender->answer)), 200);
    if (words.len == 0 || at + words.len + 8 > sizeof(result->why))
        return;
    result->why[at++] = ':';
    result->why[at++] = ' ';
    for (size_t i = 0; i < words.len; i++)
        result->why[at++] = words.data[i] < 0x20 || words.data[i] == 0x7f ? ' ' : words.data[i];
    result->why[at] = '\0';
}

static void refused_by_http(const struct otlp_sender *sender, long status, struct otlp_result *result)
{
    bool again = status == 429 || status == 502 || status == 503 || status == 504;
    const char *hint = NULL;
    if (status == 401 || status == 403)
        hint = "look at `headers`: the collector asks who sends";
    else if (status == 404 || status == 405)
        hint = "look at the path in `endpoint`: collectors take /v1/traces and /v1/metrics";
    else if (status == 415)
        hint = "try the other `encoding`";
    snprintf(result->why, sizeof(result->why), "the collector answers %ld", status);
    add_words(sender, result);
    result->retry_after = again ? retry_after(sender) : 0;
    fail(result, again ? OTLP_AGAIN : OTLP_REFUSED, hint);
}

/* Which of gRPC's codes may go well later (OTLP specification, "Failures"). */
static bool is_passing(uint64_t code)
{
    switch (code) {
    case 1 /* CANCELLED */: case 4 /* DEADLINE_EXCEEDED */: case 8 /* RESOURCE_EXHAUSTED */: case 10 /* ABORTED */:
    case 11 /* OUT_OF_RANGE */: case 14 /* UNAVAILABLE */: case 15 /* DATA_LOSS */:
        return true;
    default:
        return false;
    }
}

static void take_grpc(struct otlp_sender *sender, struct otlp_result *result)
{
    const char *status = field(sender, "grpc-status"), *message = field(sender, "grpc-message");
    uint64_t code;
    if (status == NULL || !str_to_u64(str_from(status), &code)) {
        snprintf(result->why, sizeof(result->why), "the answer is not gRPC");
        fail(result, OTLP_REFUSED, "is that the collector's gRPC port (mostly 4317)?");
        return;
    }
    if (code == 0)
        return;
    snprintf(result->why, sizeof(result->why), "the collector answers with gRPC status %llu%s%.200s", (unsigned long long)code,
             message != NULL ? ": " : "", message != NULL ? message : "");
    const char *hint = code == 7 || code == 16 ? "look at `headers`: the collector asks who sends" :
                       code == 12 ? "the collector takes no such signal there" : NULL;
    fail(result, is_passing(code) ? OTLP_AGAIN : OTLP_REFUSED, hint);
}

/* A message that it took in part: Export...PartialSuccess, member 1 of the answer, has their number as member 1. */
static void take_partial(const struct otlp_sender *sender, struct otlp_result *result)
{
    struct str answer = text_str(&sender->answer);
    if (sender->grpc)
        answer = str_from_index(answer, FRAME_HEAD < answer.len ? FRAME_HEAD : answer.len);
    if (sender->encoding == OTLP_JSON || answer.len < 4 || answer.data[0] != 0x0a || answer.data[2] != 0x08)
        return;
    for (size_t i = 3, shift = 0; i < answer.len && shift < 63; i++, shift += 7) {
        result->rejected |= (uint64_t)(answer.data[i] & 0x7f) << shift;
        if ((answer.data[i] & 0x80) == 0)
            return;
    }
    result->rejected = 0;
}

/* What comes next goes over the same connection, when that is plain and still there. */
static void keep_connection(struct otlp_sender *sender)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    long version = 0;
    char *scheme = NULL;
    curl_easy_getinfo(sender->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(sender->easy, CURLINFO_SCHEME, &scheme);
    if (sender->grpc || version != CURL_HTTP_VERSION_1_1 || scheme == NULL || strcasecmp(scheme, "http") != 0)
        return;
    if (curl_easy_getinfo(sender->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
        otlp_quick_adopt(&sender->quick, fd);
}

static long take_answer(struct otlp_sender *sender)
{
    long status = 0;
    if (sender->in_multi) {
        curl_easy_getinfo(sender->easy, CURLINFO_RESPONSE_CODE, &status);
        return status;
    }
    text_add(&sender->answer, str_first(sender->quick.answer_body, ANSWER_KEPT));
    return sender->quick.answer.status;
}

void otlp_sender_end(struct otlp_sender *sender, CURLM *multi, CURLcode code, struct otlp_result *ret_result)
{
    long status = code == CURLE_OK ? take_answer(sender) : 0;
    *ret_result = (struct otlp_result){.outcome = OTLP_SENT};
    if (code != CURLE_OK)
        no_answer(sender, code, ret_result);
    else if (status < 200 || status > 299)
        refused_by_http(sender, status, ret_result);
    else if (sender->grpc)
        take_grpc(sender, ret_result);
    if (ret_result->outcome == OTLP_SENT)
        take_partial(sender, ret_result);
    if (!sender->in_multi) {
        otlp_quick_end(&sender->quick);
        return;
    }
    if (ret_result->outcome == OTLP_SENT)
        keep_connection(sender);
    otlp_sender_abort(sender, multi);
}
