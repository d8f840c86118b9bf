/* Lines on their way to the access log's file. How a line looks is access_format.c's. */
#include "observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "observe/access_format.h"

#define BUFFER_MAX ((size_t)256 << 20)    /* a head's limit bounds a line; this is beyond all of them */
#define BUFFER_KEPT ((size_t)262144)      /* what a worker keeps for the next lines; a giant's room is given back */
#define WRITE_AT ((size_t)65536)          /* bytes that are written without waiting for the turn's end */
#define PAUSE_TIME (10 * TIME_MS)         /* between two writes: under load one takes the lines of many turns */
#define HOLD_TIME TIME_S                  /* how long bufferingSize may hold a line back */

struct access_log {
    _Atomic unsigned refs;
    _Atomic int fd;
    char *path;                           /* NULL: standard output */
    struct access_format *format;
    int64_t buffering;
    _Atomic bool torn;                    /* the file ends within a line: the disk was full */
    _Atomic uint64_t lost;
    _Atomic int64_t complained_at;
};

/* What a worker holds back. It belongs to one log at a time: lines for another one push it out first. */
struct access_buffer {
    struct access_log *log;               /* one reference while there are bytes */
    struct worker *worker;
    struct text text;
    int64_t lines;
    uint64_t lost;
    int64_t wrote_at;                     /* monotonic ns of the last write */
    struct deferred flush, freeing;
    struct timer hold;
};

/* The names of our own descriptors are copied, not opened: what they stand for may be a socket, or another user's. */
static int open_log(const char *path)
{
    if (path == NULL)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/stderr") == 0)
        return fcntl(path[8] == 'o' ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

struct access_log *access_log_new(const struct access_log_config *config)
{
    char *path = config->file_path.len != 0 ? memory_copy_text(config->file_path.data, config->file_path.len) : NULL;
    int fd = open_log(path);
    if (fd < 0) {
        free(path);
        return NULL;
    }
    struct access_log *log = memory_zalloc(sizeof(*log));
    log->refs = 1;
    log->fd = fd;
    log->path = path;
    log->format = access_format_new(config);
    log->buffering = config->buffering_size;
    return log;
}

struct access_log *access_log_ref(struct access_log *log)
{
    atomic_fetch_add_explicit(&log->refs, 1, memory_order_relaxed);
    return log;
}

void access_log_unref(struct access_log *log)
{
    if (atomic_fetch_sub_explicit(&log->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (log->path != NULL)
        close(log->fd);
    access_format_free(log->format);
    free(log->path);
    free(log);
}

bool access_log_matches(const struct access_log *log, const struct access_log_config *config)
{
    struct str path = log->path != NULL ? str_from(log->path) : STR_NONE;
    return str_equal(path, config->file_path) && log->buffering == config->buffering_size &&
           access_format_matches(log->format, config);
}

bool access_log_reopen(struct access_log *log)
{
    if (log->path == NULL)
        return true;
    int fd = open_log(log->path);
    if (fd < 0)
        return false;
    /* The descriptor keeps its number, so that a worker in the middle of a write is not disturbed. */
    bool good = dup3(fd, log->fd, O_CLOEXEC) >= 0;
    close(fd);
    if (good)
        log->torn = false;
    return good;
}

static void complain(struct access_buffer *buffer, uint64_t lines)
{
    struct access_log *log = buffer->log;
    buffer->lost += lines;
    uint64_t lost = lines + atomic_fetch_add(&log->lost, lines);
    int64_t now = time_monotonic(), before = log->complained_at;
    if (before != 0 && now - before < 60 * TIME_S)
        return;
    if (atomic_compare_exchange_strong(&log->complained_at, &before, now))
        log_error("the access log cannot be written (%m); %llu lines are lost so far", (unsigned long long)lost);
}

/* Gives how many bytes went; errno says why not all. */
static size_t write_all(int fd, struct str bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t wrote = write(fd, bytes.data + done, bytes.len - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            break;
        done += (size_t)wrote;
    }
    return done;
}

static uint64_t count_lines(struct str text)
{
    uint64_t lines = 0;
    for (ptrdiff_t at = -1; (at = str_find_char(text, '\n', (size_t)(at + 1))) >= 0;)
        lines++;
    return lines;
}

/* What did not go is lost. A line of which a part went is ended before the next one begins. */
static void write_lines(struct access_buffer *buffer, struct str lines)
{
    struct access_log *log = buffer->log;
    if (atomic_load_explicit(&log->torn, memory_order_relaxed) && write_all(log->fd, S("\n")) == 1)
        log->torn = false;
    size_t done = write_all(log->fd, lines);
    if (done == lines.len)
        return;
    complain(buffer, count_lines(str_from_index(lines, done)));
    if (done != 0 && lines.data[done - 1] != '\n')
        log->torn = true;
}

static void write_out(struct access_buffer *buffer)
{
    if (buffer->log == NULL)
        return;
    write_lines(buffer, text_str(&buffer->text));
    if (buffer->text.capacity > BUFFER_KEPT)
        text_release(&buffer->text);
    text_clear(&buffer->text);
    buffer->lines = 0;
    buffer->wrote_at = buffer->worker->loop.now;
    access_log_unref(buffer->log);
    buffer->log = NULL;
}

static void on_turn_end(struct deferred *deferred)
{
    struct access_buffer *buffer = container_of(deferred, struct access_buffer, flush);
    if (buffer->log == NULL)
        return;
    bool enough = buffer->lines >= buffer->log->buffering;
    if (enough && buffer->worker->loop.now - buffer->wrote_at >= PAUSE_TIME)
        write_out(buffer);
    else if (!timer_armed(&buffer->hold))
        timer_after(&buffer->worker->loop, &buffer->hold, enough ? PAUSE_TIME : HOLD_TIME);
}

static void on_hold_end(struct timer *timer)
{
    write_out(container_of(timer, struct access_buffer, hold));
}

static struct access_buffer *buffer_of(struct worker *worker)
{
    if (worker->access != NULL)
        return worker->access;
    struct access_buffer *buffer = memory_zalloc(sizeof(*buffer));
    buffer->worker = worker;
    buffer->flush.run = on_turn_end;
    timer_init(&buffer->hold, on_hold_end);
    text_init(&buffer->text, BUFFER_MAX);
    worker->access = buffer;
    return buffer;
}

void access_log_write(struct access_log *log, struct worker *worker, const struct access_record *record)
{
    if (!access_format_wants(log->format, record))
        return;
    struct access_buffer *buffer = buffer_of(worker);
    if (buffer->log != log) {
        write_out(buffer);
        buffer->log = access_log_ref(log);
    }
    size_t before = buffer->text.len;
    access_format_line(log->format, record, &buffer->text);
    if (buffer->text.overflow) {
        buffer->text.len = before;
        buffer->text.overflow = false;
        errno = EMSGSIZE;
        complain(buffer, 1);
    } else {
        buffer->lines++;
    }
    if (buffer->text.len >= WRITE_AT)
        write_out(buffer);
    else
        loop_defer_flush(&worker->loop, &buffer->flush);
}

uint64_t access_log_lost(const struct worker *worker)
{
    return worker->access != NULL ? worker->access->lost : 0;
}

void access_log_flush(struct worker *worker)
{
    if (worker->access != NULL)
        write_out(worker->access);
}

static void free_buffer(struct deferred *deferred)
{
    free(container_of(deferred, struct access_buffer, freeing));
}

void access_log_worker_release(struct worker *worker)
{
    struct access_buffer *buffer = worker->access;
    if (buffer == NULL)
        return;
    worker->access = NULL;
    write_out(buffer);
    timer_cancel(&buffer->hold);
    text_release(&buffer->text);
    buffer->freeing.run = free_buffer;      /* its flush may still be queued */
    loop_defer_free(&worker->loop, &buffer->freeing);
}
