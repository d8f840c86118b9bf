/* Owns a second descriptor of libcurl's connection. While this one is in use libcurl's is idle; it is shut down before libcurl gets its
 * turn again, so neither meets the other's bytes. */
#include "observe/otlp_quick.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD_MAX ((size_t)65536)
#define ANSWER_MAX ((size_t)65536)
#define READ_SIZE ((size_t)4096)

static const struct h1_limits limits = {.line_bytes = 8192, .head_bytes = 32768, .field_count = 100};

/* ---- life ---- */

void otlp_quick_init(struct otlp_quick *quick)
{
    *quick = (struct otlp_quick){.state = QUICK_CLOSED, .fd = -1};
    text_init(&quick->head, HEAD_MAX);
    text_init(&quick->in, ANSWER_MAX);
    arena_init(&quick->arena, ANSWER_MAX);
}

void otlp_quick_close(struct otlp_quick *quick)
{
    quick->state = QUICK_CLOSED;
    if (quick->fd < 0)
        return;
    shutdown(quick->fd, SHUT_RDWR);
    close(quick->fd);
    quick->fd = -1;
}

void otlp_quick_release(struct otlp_quick *quick)
{
    otlp_quick_close(quick);
    text_release(&quick->head);
    text_release(&quick->in);
    arena_release(&quick->arena);
}

/* ---- what libcurl does first ---- */

void otlp_quick_note(struct otlp_quick *quick, struct str sent)
{
    if (str_starts(sent, S("POST ")))
        text_clear(&quick->head);
    text_add(&quick->head, sent);
}

/* Takes the length out, and the empty line off; false: that is no head as it is wanted. A target that is no path is one for a proxy. */
static bool trim_head(struct text *head)
{
    static const struct str name = STR("\r\nContent-Length: "), end = STR("\r\n\r\n");
    struct str all = text_str(head);
    ptrdiff_t at = str_find(all, name), behind;
    if (head->overflow || !str_starts(all, S("POST /")) || !str_ends(all, end) || at < 0)
        return false;
    behind = str_find_char(all, '\r', (size_t)at + 2);
    memmove(head->data + at, head->data + behind, all.len - (size_t)behind);
    head->len -= (size_t)(behind - at);
    head->len -= 2;
    return true;
}

void otlp_quick_adopt(struct otlp_quick *quick, int fd)
{
    if (quick->state != QUICK_CLOSED || !trim_head(&quick->head))
        return;
    quick->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (quick->fd >= 0)
        quick->state = QUICK_IDLE;
}

/* ---- sending ---- */

/* Nothing is due from there: what comes all the same is a farewell. */
static bool is_silent(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void break_off(struct otlp_quick *quick)
{
    otlp_quick_close(quick);
    quick->state = QUICK_BROKEN;
}

bool otlp_quick_begin(struct otlp_quick *quick, struct str body)
{
    if (quick->state == QUICK_IDLE && !is_silent(quick->fd))
        otlp_quick_close(quick);
    if (quick->state != QUICK_IDLE)
        return false;
    snprintf(quick->length, sizeof(quick->length), "Content-Length: %zu\r\n\r\n", body.len);
    quick->body = body;
    quick->sent = 0;
    text_clear(&quick->in);
    quick->state = QUICK_SENDING;
    return true;
}

static size_t part(struct iovec *out, struct str text, size_t *skip)
{
    size_t skipped = *skip < text.len ? *skip : text.len;
    *skip -= skipped;
    *out = (struct iovec){.iov_len = text.len - skipped};
    memcpy(&out->iov_base, &text.data, sizeof(text.data));      /* which sendmsg only reads */
    out->iov_base = (char *)out->iov_base + skipped;
    return out->iov_len;
}

static void send_more(struct otlp_quick *quick)
{
    struct iovec parts[3];
    size_t skip = quick->sent, left = part(&parts[0], text_str(&quick->head), &skip);
    left += part(&parts[1], str_from(quick->length), &skip);
    left += part(&parts[2], quick->body, &skip);
    ssize_t sent = sendmsg(quick->fd, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 3}, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        break_off(quick);
        return;
    }
    if (sent > 0)
        quick->sent += (size_t)sent;
    if (sent == (ssize_t)left)
        quick->state = QUICK_READING;
}

/* ---- its answer ---- */

/* Reads a head from the beginning of what came, and passes over interim ones. */
static enum status read_head(struct otlp_quick *quick, struct h1_head *head)
{
    for (;;) {
        arena_release(&quick->arena);
        arena_init(&quick->arena, ANSWER_MAX);
        response_begin(&quick->answer, HTTP_1_1, 0, &quick->arena);
        *head = (struct h1_head){.length = 0};
        enum status status = h1_parse_response(text_str(&quick->in), &limits, METHOD_POST, &quick->answer, head);
        if (status != STATUS_OK || quick->answer.status >= 200)
            return status;
        quick->in.len -= head->length;
        memmove(quick->in.data, quick->in.data + head->length, quick->in.len);
    }
}

/* The status alone says what became of the spans: where the body has no plain length, or is too long, it is not waited for. */
static void read_answer(struct otlp_quick *quick)
{
    struct h1_head head;
    enum status status = read_head(quick, &head);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK) {
        break_off(quick);
        return;
    }
    bool known = head.framing == H1_NO_BODY || (head.framing == H1_LENGTH && (uint64_t)quick->answer.body_length < ANSWER_MAX / 2);
    size_t length = known && head.framing == H1_LENGTH ? (size_t)quick->answer.body_length : 0, there = quick->in.len - head.length;
    if (there < length)
        return;
    quick->answer_body = str_of(quick->in.data + head.length, length);
    quick->closing = !known || there > length || !head.keep_alive || quick->state == QUICK_SENDING;
    quick->state = QUICK_DONE;
}

static void read_more(struct otlp_quick *quick)
{
    ssize_t got = 0;
    if (text_reserve(&quick->in, READ_SIZE))
        got = recv(quick->fd, quick->in.data + quick->in.len, READ_SIZE, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        break_off(quick);
        return;
    }
    quick->in.len += (size_t)got;
    read_answer(quick);
}

/* ---- all together ---- */

void otlp_quick_advance(struct otlp_quick *quick)
{
    if (quick->state == QUICK_SENDING)
        send_more(quick);
    if (quick->state == QUICK_SENDING || quick->state == QUICK_READING)
        read_more(quick);
}

short otlp_quick_events(const struct otlp_quick *quick)
{
    if (quick->state == QUICK_SENDING)
        return POLLIN | POLLOUT;
    return quick->state == QUICK_READING ? POLLIN : 0;
}

void otlp_quick_end(struct otlp_quick *quick)
{
    if (quick->state == QUICK_DONE && !quick->closing)
        quick->state = QUICK_IDLE;
    else
        otlp_quick_close(quick);
}
