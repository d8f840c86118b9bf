#include "provider/docker/helper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/version.h"
#include "net/curl.h"
#include "provider/docker/question.h"
#include "provider/docker/rights.h"

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_TIMEOUT_MS 60000L          /* where the user says none */
#define TLS_FILE_MAX ((size_t)1 << 20)
#define CONNECTIONS_MAX 12L               /* questions beyond wait inside libcurl */

/* One question that is under way. */
struct transfer {
    CURL *easy;                  /* NULL: free */
    uint32_t number;
    bool stream;
    bool status_known, begun;    /* the engine's status is there; the front was told */
    bool paused;                 /* the front does not take more just now */
    bool ended;                  /* only the END is still to be said */
    int64_t taken;               /* bytes */
    struct answer_frame end;
};

static struct {
    int fd;
    CURLM *multi;
    struct endpoint_frame endpoint;
    struct endpoint_place place;
    struct str ca, cert, key;    /* contents */
    bool settled;                /* root is given up */
    struct transfer transfers[QUESTIONS_MAX];
} helper;

bool helper_is_expected(int fd)
{
    int type = 0;
    socklen_t len = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* The front is gone, or talks nonsense. Without the library's and the sanitizers' last words: nobody would hear them. */
static void leave(void) __attribute__((noreturn));
static void leave(void)
{
    _exit(0);
}

/* ---- to the front ---- */

/* False: the front does not take it now. */
static bool tell(const struct answer_frame *frame, const void *bytes, size_t count)
{
    struct iovec parts[] = {{.iov_base = (void *)(uintptr_t)frame, .iov_len = sizeof(*frame)},
                            {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count != 0 ? 2 : 1};
    ssize_t sent;
    do
        sent = sendmsg(helper.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != ENOMEM)
        leave();
    return sent >= 0;
}

static bool tell_begin(struct transfer *transfer)
{
    struct answer_frame frame = {.number = transfer->number, .kind = ANSWER_BEGIN};
    long status = 0;
    if (transfer->begun)
        return true;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    frame.status = (uint32_t)status;
    return transfer->begun = tell(&frame, NULL, 0);
}

static void release(struct transfer *transfer)
{
    curl_multi_remove_handle(helper.multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    *transfer = (struct transfer){0};
}

static void tell_end(struct transfer *transfer)
{
    if (tell(&transfer->end, NULL, 0))
        release(transfer);
}

/* ---- from the engine ---- */

static size_t on_head(char *bytes, size_t size, size_t count, void *owner)
{
    struct transfer *transfer = owner;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->status_known = transfer->status_known || (size * count == 2 && bytes[0] == '\r' && status >= 200);
    return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct transfer *transfer = owner;
    struct answer_frame frame = {.number = transfer->number, .kind = ANSWER_DATA};
    size_t length = size * count;
    if (!transfer->stream && transfer->taken + (int64_t)length > ANSWER_BYTES_MAX) {
        transfer->end.failure = FAILURE_TOO_LONG;
        return 0;
    }
    if (length > FRAME_DATA_MAX)
        return 0;
    if (!tell_begin(transfer) || !tell(&frame, bytes, length)) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    transfer->taken += (int64_t)length;
    return length;
}

static enum answer_failure failure_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return FAILURE_NONE;
    case CURLE_COULDNT_CONNECT:
        return FAILURE_CONNECT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return FAILURE_NAME;
    case CURLE_OPERATION_TIMEDOUT:
        return FAILURE_TIMEOUT;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return FAILURE_CUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return FAILURE_TLS;
    default:
        return FAILURE_OTHER;
    }
}

static void note_end(CURL *easy, CURLcode code)
{
    struct transfer *transfer = NULL;
    long status = 0, error = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
    if (transfer->end.failure == FAILURE_NONE)
        transfer->end.failure = failure_of(code);
    transfer->end.status = (uint32_t)status;
    transfer->end.error = (int32_t)error;
    transfer->ended = true;
    tell_end(transfer);
}

static void take_ends(void)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(helper.multi, &left)) != NULL;)
        if (message->msg == CURLMSG_DONE)
            note_end(message->easy_handle, message->data.result);
}

/* ---- from the front ---- */

static void set_blob(CURL *easy, CURLoption option, struct str content)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)content.data, .len = content.len, .flags = CURL_BLOB_NOCOPY};
    if (content.data != NULL)
        curl_easy_setopt(easy, option, &blob);
}

static void set_tls(CURL *easy)
{
    if (helper.endpoint.skip_verify != 0) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    set_blob(easy, CURLOPT_CAINFO_BLOB, helper.ca);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, helper.cert);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, helper.key);
}

static void set_place(CURL *easy, const struct question_frame *frame)
{
    char url[sizeof(helper.place.base) + QUESTION_PATH_SIZE], path[QUESTION_PATH_SIZE];
    question_path(frame, path);
    strcpy(stpcpy(url, helper.place.base), path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    if (*helper.place.socket != '\0')
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, helper.place.socket);
    if (*helper.endpoint.username != '\0') {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, helper.endpoint.username);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, helper.endpoint.password);
    }
    if (helper.place.tls)
        set_tls(easy);
}

/* A GET over HTTP/1.1 that follows nothing and goes through nobody. */
static void set_manners(CURL *easy, struct transfer *transfer)
{
    long patience = helper.endpoint.timeout_ms != 0 ? (long)helper.endpoint.timeout_ms : ANSWER_TIMEOUT_MS;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "Portico/" PORTICO_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->stream ? 0L : patience);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 20L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static struct transfer *find(uint32_t number)
{
    for (size_t i = 0; i < QUESTIONS_MAX; i++)
        if (helper.transfers[i].easy != NULL && helper.transfers[i].number == number)
            return &helper.transfers[i];
    return NULL;
}

static struct transfer *find_free(void)
{
    for (size_t i = 0; i < QUESTIONS_MAX; i++)
        if (helper.transfers[i].easy == NULL)
            return &helper.transfers[i];
    return NULL;
}

static void ask(const struct question_frame *frame)
{
    struct transfer *transfer = find_free();
    CURL *easy = transfer != NULL && find(frame->number) == NULL ? curl_easy_init() : NULL;
    if (easy == NULL) {
        tell(&(struct answer_frame){.number = frame->number, .kind = ANSWER_END, .failure = FAILURE_REFUSED}, NULL, 0);
        return;
    }
    *transfer = (struct transfer){.easy = easy, .number = frame->number, .stream = question_is_stream(frame->question)};
    transfer->end = (struct answer_frame){.number = frame->number, .kind = ANSWER_END};
    helper.settled = helper.settled || rights_settle(helper.place.socket);
    set_manners(easy, transfer);
    set_place(easy, frame);
    curl_multi_add_handle(helper.multi, easy);
}

static void take_question(const struct question_frame *frame, size_t size)
{
    if (!question_is_good(frame, size))
        leave();
    struct transfer *transfer = frame->kind == FRAME_CANCEL ? find(frame->number) : NULL;
    if (transfer != NULL)
        release(transfer);
    else if (frame->kind == FRAME_QUESTION)
        ask(frame);
}

static void take_questions(void)
{
    struct question_frame frame;
    for (;;) {
        ssize_t got = recv(helper.fd, &frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0)
            leave();
        take_question(&frame, (size_t)got);
    }
}

/* ---- its life ---- */

static struct str read_tls_file(const char *path)
{
    struct arena *arena = memory_zalloc(sizeof(*arena));
    struct str content = STR_NONE;
    arena_init(arena, ARENA_UNLIMITED);
    if (*path != '\0' && !file_read(arena, path, TLS_FILE_MAX, &content))
        return S("this file cannot be read");      /* and no certificate: TLS says so */
    return content;
}

static void take_endpoint(void)
{
    ssize_t got;
    do
        got = recv(helper.fd, &helper.endpoint, sizeof(helper.endpoint), MSG_TRUNC);
    while (got < 0 && errno == EINTR);
    if (got <= 0 || !endpoint_is_good(&helper.endpoint, (size_t)got) || !endpoint_place(&helper.endpoint, &helper.place))
        leave();
    helper.ca = read_tls_file(helper.endpoint.ca);
    helper.cert = read_tls_file(helper.endpoint.cert);
    helper.key = read_tls_file(helper.endpoint.key);
    helper.settled = rights_settle(helper.place.socket);
}

/* What the front did not take before. True when it does not take it now either. */
static bool catch_up(void)
{
    bool waits = false;
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        struct transfer *transfer = &helper.transfers[i];
        if (transfer->easy == NULL)
            continue;
        if (transfer->status_known && !transfer->ended && !tell_begin(transfer))
            waits = true;
        if (transfer->paused && transfer->begun) {
            transfer->paused = false;
            curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
        }
        if (transfer->ended)
            tell_end(transfer);
        waits = waits || transfer->paused || transfer->ended;
    }
    return waits;
}

static void turn(void)
{
    int running = 0;
    bool waits = catch_up();
    struct curl_waitfd front = {.fd = helper.fd, .events = (short)(CURL_WAIT_POLLIN | (waits ? CURL_WAIT_POLLOUT : 0))};
    curl_multi_poll(helper.multi, &front, 1, 60000, NULL);
    if (front.revents != 0)
        take_questions();
    curl_multi_perform(helper.multi, &running);
    take_ends();
}

void helper_run(int fd)
{
    helper.fd = fd;
    rights_harden(fd);
    take_endpoint();
    const char *problem = curl_load();
    if (problem != NULL)
        dprintf(STDERR_FILENO, "%s\n", problem);
    if (problem != NULL || (helper.multi = curl_multi_init()) == NULL)
        _exit(1);
    curl_multi_setopt(helper.multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX);
    curl_multi_setopt(helper.multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    for (;;)
        turn();
}
