/* Owns a libcurl multi handle, its sockets' epoll and its timer. libcurl's sockets lie in an epoll of their own, which the
 * loop watches as one descriptor: a socket that libcurl closes without saying so cannot be mistaken for somebody else's
 * descriptor of the same number. Knows nothing of ACME. */
#include "acme/http.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "http/date.h"
#include "net/addr.h"
#include "net/curl.h"
#include "tls/client.h"

#define CONNECT_TIMEOUT_MS 30000L
#define CONNECTIONS_MAX 8L
#define LINKS_MAX 16
#define EVENTS_PER_TURN 16

struct acme_http {
    struct loop *loop;
    CURLM *multi;
    X509_STORE *store;              /* whom to trust */
    char *server_name;              /* or NULL */
    int epoll_fd;
    struct watch watch;
    struct timer timer;             /* libcurl's */
    struct list requests;
};

struct acme_http_request {
    struct list link;
    struct acme_http *http;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    struct text body;               /* of the answer */
    struct timer head_timer;
    void (*on_answer)(void *owner, const struct acme_answer *answer);
    void *owner;
    char error[CURL_ERROR_SIZE];
};

/* ---- the end of a request ---- */

static void request_free(struct acme_http_request *request)
{
    list_remove(&request->link);
    timer_cancel(&request->head_timer);
    curl_multi_remove_handle(request->http->multi, request->easy);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->connect_to);
    text_release(&request->body);
    free(request);
}

static struct str field(const struct acme_http_request *request, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(request->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return STR_NONE;
    return str_from(header->value);
}

/* A number of seconds or a date (RFC 9110 10.2.3). */
static int64_t retry_at(struct str value, int64_t now)
{
    uint64_t seconds;
    int64_t date;
    if (str_to_u64(value, &seconds))
        return now + (int64_t)(seconds < 366 * 86400 ? seconds : 366 * 86400);
    return http_date_parse(value, &date) ? date : 0;
}

static size_t links(const struct acme_http_request *request, struct str out[LINKS_MAX])
{
    struct curl_header *header;
    size_t count = 0;
    while (count < LINKS_MAX &&
           curl_easy_header(request->easy, "Link", count, CURLH_HEADER, -1, &header) == CURLHE_OK)
        out[count++] = str_from(header->value);
    return count;
}

/* libcurl is done with it: tells whoever asked. */
static void report(struct acme_http_request *request, const char *error)
{
    struct str found[LINKS_MAX];
    struct acme_answer answer = {.error = error};
    if (error == NULL) {
        long status = 0;
        curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
        answer.status = (int)status;
        answer.replay_nonce = field(request, "Replay-Nonce");
        answer.location = field(request, "Location");
        answer.content_type = field(request, "Content-Type");
        answer.retry_at = retry_at(field(request, "Retry-After"), request->http->loop->wall / TIME_S);
        answer.links = (struct strs){.items = found, .count = links(request, found)};
        answer.body = text_str(&request->body);
    }
    /* While the callback runs the request is none of its client's any more, so that nobody frees it twice. */
    list_remove(&request->link);
    timer_cancel(&request->head_timer);
    request->on_answer(request->owner, &answer);
    request_free(request);
}

static const char *why(struct acme_http_request *request, CURLcode code)
{
    if (code == CURLE_OK)
        return NULL;
    if (request->body.overflow)
        return "the response is longer than allowed";
    return request->error[0] != '\0' ? request->error : curl_easy_strerror(code);
}

static void report_finished(struct acme_http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct acme_http_request *request = NULL;
        CURLcode code = message->data.result;
        assert(message->msg == CURLMSG_DONE);
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        report(request, why(request, code));
    }
}

static void on_head_timeout(struct timer *timer)
{
    struct acme_http_request *request = container_of(timer, struct acme_http_request, head_timer);
    curl_off_t first_byte = 0;
    curl_easy_getinfo(request->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
    if (first_byte == 0)
        report(request, "there was no response in time");
}

/* ---- between libcurl and the loop ---- */

static void act(struct acme_http *http, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(http->multi, fd, events, &running);
}

static void on_ready(struct watch *watch, unsigned reported)
{
    struct acme_http *http = container_of(watch, struct acme_http, watch);
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(http->epoll_fd, events, EVENTS_PER_TURN, 0);
    for (int i = 0; i < count; i++) {
        unsigned mask = events[i].events;
        int what = (mask & (EPOLLIN | EPOLLHUP | EPOLLRDHUP) ? CURL_CSELECT_IN : 0) |
                   (mask & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (mask & EPOLLERR ? CURL_CSELECT_ERR : 0);
        act(http, events[i].data.fd, what);
    }
    report_finished(http);
}

static void on_timer(struct timer *timer)
{
    struct acme_http *http = container_of(timer, struct acme_http, timer);
    act(http, CURL_SOCKET_TIMEOUT, 0);
    report_finished(http);
}

/* Errors are ignored: a descriptor that is gone already has left the epoll by itself. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *unused)
{
    struct acme_http *http = owner;
    struct epoll_event event = {.data.fd = fd};
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? (unsigned)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (unsigned)EPOLLOUT : 0);
    if (epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
        epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return 0;
}

static int on_timer_wish(CURLM *multi, long milliseconds, void *owner)
{
    struct acme_http *http = owner;
    if (milliseconds < 0)
        timer_set(http->loop, &http->timer, TIME_NEVER);
    else
        timer_after(http->loop, &http->timer, milliseconds * TIME_MS);
    return 0;
}

/* ---- whom to trust ---- */

static bool add_certificates(X509_STORE *store, struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *certificate;
    size_t count = 0;
    assert(bio != NULL);
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    ERR_clear_error();
    BIO_free(bio);
    return count != 0;
}

static bool add_file(X509_STORE *store, struct str file, struct arena *arena, struct str *ret_why)
{
    struct str pem;
    struct str name = tls_is_pem_text(file) ? S("(the text)") : file;
    if (!tls_read_pem(file, arena, &pem))
        *ret_why = arena_printf(arena, "caCertificates: cannot read %.*s: %m", STR_ARGS(name));
    else if (pem.len > 16 << 20 || !add_certificates(store, pem))
        *ret_why = arena_printf(arena, "caCertificates: %.*s holds no certificate", STR_ARGS(name));
    else
        return true;
    return false;
}

static X509_STORE *store_new(const struct acme_trust *trust, struct arena *arena, struct str *ret_why)
{
    X509_STORE *store = X509_STORE_new();
    assert(store != NULL);
    /* A certificate that was named is trusted, be it a root or not. */
    X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    if (trust->ca_certificates.count == 0 || trust->system_pool)
        X509_STORE_set_default_paths(store);
    for (size_t i = 0; i < trust->ca_certificates.count; i++)
        if (!add_file(store, trust->ca_certificates.items[i], arena, ret_why)) {
            X509_STORE_free(store);
            return NULL;
        }
    return store;
}

static CURLcode on_context(CURL *easy, void *context, void *store)
{
    SSL_CTX_set1_cert_store(context, store);
    return CURLE_OK;
}

/* ---- life ---- */

struct acme_http *acme_http_new(struct loop *loop, const struct acme_trust *trust, struct arena *arena,
                                struct str *ret_why)
{
    const char *problem = curl_load();
    if (problem != NULL) {
        *ret_why = str_from(problem);
        return NULL;
    }
    X509_STORE *store = store_new(trust, arena, ret_why);
    if (store == NULL)
        return NULL;
    struct acme_http *http = memory_zalloc(sizeof(*http));
    http->loop = loop;
    http->store = store;
    if (trust->server_name.len != 0)
        http->server_name = memory_copy_text(trust->server_name.data, trust->server_name.len);
    list_init(&http->requests);
    timer_init(&http->timer, on_timer);
    http->watch = (struct watch){.on_ready = on_ready, .fd = -1};
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    http->multi = curl_multi_init();
    assert(http->multi != NULL);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    if (http->epoll_fd >= 0 && loop_watch_level(loop, &http->watch, http->epoll_fd))
        return http;
    *ret_why = arena_printf(arena, "cannot wait for connections: %m");
    acme_http_free(http);
    return NULL;
}

void acme_http_free(struct acme_http *http)
{
    LIST_FOREACH(&http->requests, it)
        request_free(container_of(it, struct acme_http_request, link));
    /* Connections are said goodbye to here, which still uses the epoll and the timer. */
    curl_multi_cleanup(http->multi);
    timer_cancel(&http->timer);
    loop_unwatch(http->loop, &http->watch);
    if (http->epoll_fd >= 0)
        close(http->epoll_fd);
    X509_STORE_free(http->store);
    free(http->server_name);
    free(http);
}

/* ---- a request ---- */

static size_t on_body(char *data, size_t size, size_t count, void *owner)
{
    struct acme_http_request *request = owner;
    text_add(&request->body, str_of(data, size * count));
    return request->body.overflow ? 0 : size * count;
}

static void add_header(struct acme_http_request *request, const char *line)
{
    request->headers = curl_slist_append(request->headers, line);
    assert(request->headers != NULL);
}

/* A proxy of the environment is never asked for what runs on this machine. */
static bool is_local(const char *host)
{
    struct ip ip;
    return strcasecmp(host, "localhost") == 0 || (ip_parse(str_from(host), &ip) && ip_is_loopback(&ip));
}

/* The URL names the host that is verified; the connection goes to the one that was asked for, and so does Host. */
static void rename_host(struct acme_http_request *request, CURLU *url, const char *host, const char *port)
{
    char *standing_port = NULL, *renamed = NULL;
    struct text line;
    text_init(&line, 4096);
    text_addf(&line, "%s:%s:%s:%s", request->http->server_name, port, host, port);
    request->connect_to = curl_slist_append(NULL, text_c(&line));
    text_clear(&line);
    bool named = curl_url_get(url, CURLUPART_PORT, &standing_port, 0) == CURLUE_OK;
    text_addf(&line, "Host: %s%s%s", host, named ? ":" : "", named ? standing_port : "");
    add_header(request, text_c(&line));
    curl_url_set(url, CURLUPART_HOST, request->http->server_name, 0);
    if (curl_url_get(url, CURLUPART_URL, &renamed, 0) == CURLUE_OK)
        curl_easy_setopt(request->easy, CURLOPT_URL, renamed);
    curl_easy_setopt(request->easy, CURLOPT_CONNECT_TO, request->connect_to);
    curl_free(renamed);
    curl_free(standing_port);
    text_release(&line);
}

static void set_url(struct acme_http_request *request, struct str text)
{
    char *copy = memory_copy_text(text.data, text.len), *host = NULL, *port = NULL;
    CURLU *url = curl_url();
    assert(url != NULL);
    /* What is no URL libcurl itself complains of. */
    curl_easy_setopt(request->easy, CURLOPT_URL, copy);
    if (curl_url_set(url, CURLUPART_URL, copy, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        if (is_local(host))
            curl_easy_setopt(request->easy, CURLOPT_PROXY, "");
        if (request->http->server_name != NULL)
            rename_host(request, url, host, port);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    free(copy);
}

static void set_trust(struct acme_http_request *request)
{
    curl_easy_setopt(request->easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(request->easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(request->easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(request->easy, CURLOPT_SSL_CTX_DATA, request->http->store);
}

static void set_method(struct acme_http_request *request, const struct acme_http_ask *ask)
{
    if (strcmp(ask->method, "HEAD") == 0)
        curl_easy_setopt(request->easy, CURLOPT_NOBODY, 1L);
    if (strcmp(ask->method, "POST") != 0)
        return;
    struct text line;
    text_init(&line, 1024);
    text_addf(&line, "Content-Type: %.*s", STR_ARGS(ask->content_type));
    add_header(request, text_c(&line));
    text_release(&line);
    curl_easy_setopt(request->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
    curl_easy_setopt(request->easy, CURLOPT_COPYPOSTFIELDS, ask->body.data != NULL ? ask->body.data : "");
    add_header(request, "Expect:");
}

static void set_options(struct acme_http_request *request, const struct acme_http_ask *ask)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "Portico/" PORTICO_VERSION);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(ask->timeout / TIME_MS));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    /* The CA's words are shown to people, and hints look into them. */
    add_header(request, "Accept-Language: en");
    set_trust(request);
    set_method(request, ask);
    set_url(request, ask->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
}

struct acme_http_request *acme_http_request(struct acme_http *http, const struct acme_http_ask *ask)
{
    struct acme_http_request *request = memory_zalloc(sizeof(*request));
    request->http = http;
    request->on_answer = ask->on_answer;
    request->owner = ask->owner;
    request->easy = curl_easy_init();
    assert(request->easy != NULL);
    text_init(&request->body, ask->max_body);
    timer_init(&request->head_timer, on_head_timeout);
    list_append(&http->requests, &request->link);
    set_options(request, ask);
    if (ask->head_timeout > 0)
        timer_after(http->loop, &request->head_timer, ask->head_timeout);
    CURLMcode code = curl_multi_add_handle(http->multi, request->easy);
    assert(code == CURLM_OK);
    return request;
}

void acme_http_cancel(struct acme_http_request *request)
{
    if (request != NULL)
        request_free(request);
}
