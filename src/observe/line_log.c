/* Lines on their way to files and syslog servers. What they say is others' business. */
#include "observe/line_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/vec.h"

#define LINES_MAX ((size_t)256 << 20)     /* a head's limit bounds a line; this is beyond all of them */
#define KEPT ((size_t)262144)             /* room that stays for the next lines; a giant's is given back */
#define WRITE_AT ((size_t)65536)          /* bytes that are written without waiting for the turn's end */
#define PAUSE_TIME (10 * TIME_MS)         /* between two writes: under load one takes the lines of many turns */
#define COMPLAIN_EVERY (60 * TIME_S)

/* One worker's lines for one log. `scheduled`: it will be written by itself, and holds a reference until then. */
struct line_buffer {
    struct line_log *log;
    struct worker *worker;
    struct list link;                     /* among the worker's scheduled ones */
    struct text text;
    VEC(size_t) ends;                     /* of messages to syslog */
    size_t begun;                         /* where the line that is being added begins */
    int64_t wrote_at;                     /* monotonic ns of the last write */
    struct deferred flush;
    struct timer hold;
    bool scheduled;
};

struct line_log {
    _Atomic unsigned refs;
    _Atomic int fd;                       /* -1: not open */
    char *path;                           /* NULL: syslog */
    struct syslog_target *syslog;
    int64_t buffer, flush;
    int gzip;
    _Atomic uint64_t lost;
    _Atomic int64_t complained_at;
    unsigned workers;
    struct line_buffer *buffers[];
};

/* ---- opening ---- */

static bool is_standard(const char *path, int *ret_fd)
{
    bool error = strcmp(path, "stderr") == 0 || strcmp(path, "/dev/stderr") == 0;
    *ret_fd = error ? STDERR_FILENO : STDOUT_FILENO;
    return error || strcmp(path, "/dev/stdout") == 0;
}

/* The names of our own descriptors are copied, not opened: what they stand for may be a socket, or another user's. */
static int open_target(const struct line_log *log)
{
    int standard;
    if (log->path == NULL)
        return syslog_open(log->syslog);
    if (is_standard(log->path, &standard))
        return fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* One piece of memory: the struct, the tag, the host. */
static struct syslog_target *copy_target(const struct syslog_target *target)
{
    struct syslog_target *copy = memory_alloc(sizeof(*copy) + target->tag.len + target->host.len + 1);
    char *texts = (char *)(copy + 1);
    *copy = *target;
    memcpy(texts, target->tag.data, target->tag.len);
    copy->tag = str_of(texts, target->tag.len);
    texts += target->tag.len;
    if (target->host.len != 0)
        memcpy(texts, target->host.data, target->host.len);
    copy->host = str_of(texts, target->host.len);
    return copy;
}

struct line_log *line_log_new(const struct line_log_settings *settings, unsigned workers)
{
    struct line_log *log = memory_zalloc(sizeof(*log) + workers * sizeof(struct line_buffer *));
    log->refs = 1;
    log->fd = -1;
    log->workers = workers;
    log->buffer = settings->buffer;
    log->flush = settings->flush;
    log->gzip = settings->gzip;
    if (settings->path.len != 0)
        log->path = memory_copy_text(settings->path.data, settings->path.len);
    else
        log->syslog = copy_target(settings->syslog);
    return log;
}

struct line_log *line_log_ref(struct line_log *log)
{
    atomic_fetch_add_explicit(&log->refs, 1, memory_order_relaxed);
    return log;
}

void line_log_unref(struct line_log *log)
{
    if (atomic_fetch_sub_explicit(&log->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < log->workers; i++) {
        if (log->buffers[i] == NULL)
            continue;
        text_release(&log->buffers[i]->text);
        VEC_RELEASE(&log->buffers[i]->ends);
        free(log->buffers[i]);
    }
    if (log->fd >= 0)
        close(log->fd);
    free(log->syslog);
    free(log->path);
    free(log);
}

struct str line_log_path(const struct line_log *log)
{
    return log->path != NULL ? str_from(log->path) : S("syslog");
}

bool line_log_open(struct line_log *log)
{
    if (log->fd < 0)
        log->fd = open_target(log);
    return log->fd >= 0;
}

bool line_log_reopen(struct line_log *log)
{
    if (log->path == NULL || log->fd < 0)
        return true;
    int fd = open_target(log);
    if (fd < 0)
        return false;
    /* The descriptor keeps its number, so that a worker in the middle of a write is not disturbed. */
    bool good = dup3(fd, log->fd, O_CLOEXEC) >= 0;
    close(fd);
    return good;
}

/* ---- writing ---- */

static void complain(struct line_log *log, uint64_t lines)
{
    uint64_t lost = lines + atomic_fetch_add(&log->lost, lines);
    int64_t now = time_monotonic(), before = log->complained_at;
    if (before != 0 && now - before < COMPLAIN_EVERY)
        return;
    if (atomic_compare_exchange_strong(&log->complained_at, &before, now))
        log_error("\"%.*s\" cannot be written (%m); %llu lines are lost so far", STR_ARGS(line_log_path(log)), (unsigned long long)lost);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

/* One member of a gzip file (RFC 1952 2.2): such files may stand one behind another. */
static bool write_gzip(const struct line_log *log, struct str bytes)
{
    z_stream stream = {.zalloc = NULL};
    if (deflateInit2(&stream, log->gzip, Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        errno = ENOMEM;
        return false;
    }
    uLong bound = deflateBound(&stream, bytes.len);
    unsigned char *out = memory_alloc(bound);
    stream.next_in = (z_const Bytef *)(uintptr_t)bytes.data;
    stream.avail_in = (uInt)bytes.len;
    stream.next_out = out;
    stream.avail_out = (uInt)bound;
    int ended = deflate(&stream, Z_FINISH);
    size_t len = bound - stream.avail_out;
    deflateEnd(&stream);
    bool good = ended == Z_STREAM_END && write_all(log->fd, (const char *)out, len);
    free(out);
    return good;
}

static uint64_t count_lines(struct str text)
{
    uint64_t lines = 0;
    for (ptrdiff_t at = -1; (at = str_find_char(text, '\n', (size_t)(at + 1))) >= 0;)
        lines++;
    return lines;
}

static void write_bytes(struct line_log *log, struct str bytes, const size_t *ends, size_t count)
{
    if (log->syslog != NULL)
        syslog_send(log->fd, bytes, ends, count);      /* nobody promised that it arrives */
    else if (log->gzip != 0 ? !write_gzip(log, bytes) : !write_all(log->fd, bytes.data, bytes.len))
        complain(log, count_lines(bytes));
}

static void write_out(struct line_buffer *buffer)
{
    struct line_log *log = buffer->log;
    if (buffer->text.len != 0)
        write_bytes(log, text_str(&buffer->text), buffer->ends.items, buffer->ends.count);
    if (buffer->text.capacity > KEPT)
        text_release(&buffer->text);
    text_clear(&buffer->text);
    buffer->ends.count = 0;
    buffer->wrote_at = buffer->worker->loop.now;
}

/* Perhaps its last use. */
static void settle(struct line_buffer *buffer)
{
    write_out(buffer);
    timer_cancel(&buffer->hold);
    if (!buffer->scheduled || buffer->flush.queued)
        return;
    buffer->scheduled = false;
    list_remove(&buffer->link);
    line_log_unref(buffer->log);
}

static void on_turn_end(struct deferred *deferred)
{
    struct line_buffer *buffer = container_of(deferred, struct line_buffer, flush);
    int64_t pause = buffer->wrote_at + PAUSE_TIME - buffer->worker->loop.now;
    if (buffer->log->buffer == 0 && buffer->text.len != 0 && pause > 0)
        timer_after(&buffer->worker->loop, &buffer->hold, pause);
    else if (buffer->log->buffer == 0 || buffer->text.len == 0)
        settle(buffer);
    else if (buffer->log->flush != 0 && !timer_armed(&buffer->hold))
        timer_after(&buffer->worker->loop, &buffer->hold, buffer->log->flush);
}

static void on_hold_end(struct timer *timer)
{
    settle(container_of(timer, struct line_buffer, hold));
}

static struct line_buffer *buffer_of(struct line_log *log, struct worker *worker)
{
    struct line_buffer **place = &log->buffers[worker->index];
    if (*place != NULL)
        return *place;
    struct line_buffer *buffer = memory_zalloc(sizeof(*buffer));
    buffer->log = log;
    buffer->worker = worker;
    buffer->flush.run = on_turn_end;
    timer_init(&buffer->hold, on_hold_end);
    text_init(&buffer->text, LINES_MAX);
    return *place = buffer;
}

static void schedule(struct line_buffer *buffer)
{
    if (buffer->scheduled)
        return;
    buffer->scheduled = true;
    line_log_ref(buffer->log);
    list_append(&buffer->worker->lines, &buffer->link);
}

struct text *line_log_begin(struct line_log *log, struct worker *worker, int severity)
{
    if (log->fd < 0 || worker->index >= log->workers)
        return NULL;
    struct line_buffer *buffer = buffer_of(log, worker);
    buffer->begun = buffer->text.len;
    if (log->syslog != NULL)
        syslog_begin(log->syslog, severity, worker->loop.wall, &buffer->text);
    return &buffer->text;
}

/* What was there before the line goes alone when the line does not fit beside it. */
static void make_room(struct line_buffer *buffer)
{
    struct str whole = text_str(&buffer->text), line = str_from_index(whole, buffer->begun);
    struct text rest;
    text_init(&rest, LINES_MAX);
    text_add(&rest, line);
    buffer->text.len = buffer->begun;
    write_out(buffer);
    text_add(&buffer->text, text_str(&rest));
    text_release(&rest);
    buffer->begun = 0;
}

void line_log_end(struct line_log *log, struct worker *worker)
{
    struct line_buffer *buffer = log->buffers[worker->index];
    if (log->syslog == NULL)
        text_add_char(&buffer->text, '\n');
    if (buffer->text.overflow) {
        buffer->text.len = buffer->begun;
        buffer->text.overflow = false;
        errno = EMSGSIZE;
        complain(log, 1);
        return;
    }
    if (log->buffer != 0 && buffer->begun != 0 && buffer->text.len > (size_t)log->buffer)
        make_room(buffer);
    if (log->syslog != NULL)
        VEC_PUSH(&buffer->ends, buffer->text.len);
    schedule(buffer);
    size_t enough = log->buffer != 0 ? (size_t)log->buffer : WRITE_AT;
    if (buffer->text.len >= enough)
        write_out(buffer);
    loop_defer_flush(&worker->loop, &buffer->flush);
}

void line_log_write(struct line_log *log, int severity, struct str line)
{
    struct text text;
    if (log->fd < 0)
        return;
    text_init(&text, LINES_MAX);
    if (log->syslog != NULL)
        syslog_begin(log->syslog, severity, time_wall(), &text);
    text_add(&text, line);
    if (log->syslog == NULL)
        text_add_char(&text, '\n');
    write_bytes(log, text_str(&text), &text.len, 1);
    text_release(&text);
}

/* One whose turn's end is still to come settles then. */
void line_log_worker_release(struct worker *worker)
{
    LIST_FOREACH(&worker->lines, it)
        settle(container_of(it, struct line_buffer, link));
}
