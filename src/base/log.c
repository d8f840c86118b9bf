/* Owns the log's descriptor and form. Writers only load atomics. Once a file was opened, the log keeps that
 * descriptor number for good and changes what it refers to with dup3, which is atomic in the kernel: so a
 * writer in another thread never meets a closed or foreign descriptor, and needs no lock. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/time.h"

/* What is longer is cut: that bounds the line. */
#define MESSAGE_MAX ((size_t)16384)
#define VALUE_MAX ((size_t)8192)

struct level_name {
    struct str text, json, nginx, color;
};

static const struct level_name levels[] = {
    [LOG_TRACE] = {STR("TRC"), STR("trace"), STR("debug"), STR("\x1b[35m")},
    [LOG_DEBUG] = {STR("DBG"), STR("debug"), STR("debug"), STR("\x1b[34m")},
    [LOG_INFO] = {STR("INF"), STR("info"), STR("notice"), STR("\x1b[32m")},
    [LOG_WARN] = {STR("WRN"), STR("warn"), STR("warn"), STR("\x1b[33m")},
    [LOG_ERROR] = {STR("ERR"), STR("error"), STR("error"), STR("\x1b[31m")},
    [LOG_FATAL] = {STR("FTL"), STR("fatal"), STR("crit"), STR("\x1b[1;31m")},
    [LOG_PANIC] = {STR("PNC"), STR("panic"), STR("emerg"), STR("\x1b[1;31m")},
};

static atomic_int current_level = LOG_INFO;      /* of whom anybody wants */
static atomic_int written_level = LOG_INFO;      /* of those that are written here */
static void (*_Atomic current_tap)(enum log_level level, struct str line);
static atomic_int current_format = LOG_TEXT;
static atomic_bool colored;
static atomic_int current_fd = STDERR_FILENO;

/* What only log_configure and log_reopen touch. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *file_path; /* NULL: standard error */

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Makes `fd` (taken over; standard error is left open) what the log writes to. */
static bool switch_to(int fd)
{
    int own = atomic_load(&current_fd);
    if (fd == own)
        return true;
    if (own == STDERR_FILENO) {
        atomic_store(&current_fd, fd);
        return true;
    }
    bool switched = dup3(fd, own, O_CLOEXEC) >= 0;
    int error = errno;
    if (fd != STDERR_FILENO)
        close(fd);
    errno = error;
    return switched;
}

static bool wants_color(const struct log_settings *settings)
{
    const char *forbidden = getenv("NO_COLOR");
    return !settings->no_color && settings->format == LOG_TEXT && settings->path.len == 0 &&
           (forbidden == NULL || forbidden[0] == '\0') && isatty(STDERR_FILENO);
}

bool log_configure(const struct log_settings *settings)
{
    struct str path = settings->path;
    char *copy = path.len != 0 ? memory_copy_text(path.data, path.len) : NULL;
    pthread_mutex_lock(&lock);
    int fd = copy != NULL ? open_file(copy) : STDERR_FILENO;
    bool opened = fd >= 0 && switch_to(fd);
    int error = errno;
    if (opened) {
        char *former = file_path;
        file_path = copy;
        copy = former;
        atomic_store(&written_level, (int)settings->level);
        atomic_store(&current_level, (int)settings->level - settings->heard_below);
        atomic_store(&current_format, (int)settings->format);
        atomic_store(&colored, wants_color(settings));
    }
    pthread_mutex_unlock(&lock);
    free(copy);
    errno = error;
    return opened;
}

void log_set_tap(void (*tap)(enum log_level level, struct str line))
{
    atomic_store(&current_tap, tap);
}

bool log_reopen(void)
{
    pthread_mutex_lock(&lock);
    int fd = file_path != NULL ? open_file(file_path) : atomic_load(&current_fd);
    bool opened = fd >= 0 && switch_to(fd);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return opened;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&current_level, memory_order_relaxed);
}

enum log_format log_format_now(void)
{
    return (enum log_format)atomic_load_explicit(&current_format, memory_order_relaxed);
}

/* 2026-11-22T10:00:00.123Z */
static void add_time(struct text *line)
{
    int64_t now = time_wall();
    time_t seconds = now / TIME_S;
    struct tm utc;
    char date[32];
    gmtime_r(&seconds, &utc);
    size_t len = strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    text_add(line, str_of(date, len));
    text_addf(line, ".%03dZ", (int)(now % TIME_S / TIME_MS));
}

/* A message for people: quotes stay as they are, control characters cannot forge a line or move a cursor. */
static void add_plain(struct text *line, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '\n')
            text_add(line, S("\\n"));
        else if (c < 0x20 || c == 0x7f)
            text_addf(line, "\\x%02x", c);
        else
            text_add_char(line, (char)c);
    }
}

static bool needs_quotes(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return true;
    }
    return value.len == 0;
}

static void add_quoted(struct text *line, struct str s)
{
    text_add_char(line, '"');
    text_add_json(line, s);
    text_add_char(line, '"');
}

static void add_as_text(struct text *line, enum log_level level, struct str message,
                        const char *const *fields)
{
    bool color = atomic_load_explicit(&colored, memory_order_relaxed);
    add_time(line);
    text_add_char(line, ' ');
    text_add(line, color ? levels[level].color : STR_NONE);
    text_add(line, levels[level].text);
    text_add(line, color ? S("\x1b[0m") : STR_NONE);
    text_add_char(line, ' ');
    add_plain(line, message);
    for (; fields != NULL && fields[0] != NULL; fields += 2) {
        struct str value = str_first(str_from(fields[1]), VALUE_MAX);
        text_addf(line, color ? " \x1b[36m%s=\x1b[0m" : " %s=", fields[0]);
        if (needs_quotes(value))
            add_quoted(line, value);
        else
            text_add(line, value);
    }
}

static void add_as_json(struct text *line, enum log_level level, struct str message,
                        const char *const *fields)
{
    text_add(line, S("{\"level\":"));
    add_quoted(line, levels[level].json);
    text_add(line, S(",\"time\":\""));
    add_time(line);
    text_add(line, S("\",\"msg\":"));
    add_quoted(line, message);
    for (; fields != NULL && fields[0] != NULL; fields += 2) {
        text_add_char(line, ',');
        add_quoted(line, str_from(fields[0]));
        text_add_char(line, ':');
        add_quoted(line, str_first(str_from(fields[1]), VALUE_MAX));
    }
    text_add_char(line, '}');
}

/* 2026/11/22 10:00:00 [error] 1234#1240: message, service: api */
static void add_as_nginx(struct text *line, enum log_level level, struct str message, const char *const *fields)
{
    time_t seconds = time_wall() / TIME_S;
    struct tm local;
    char date[32];
    localtime_r(&seconds, &local);
    text_add(line, str_of(date, strftime(date, sizeof(date), "%Y/%m/%d %H:%M:%S", &local)));
    text_addf(line, " [%.*s] %d#%d: ", STR_ARGS(levels[level].nginx), (int)getpid(), (int)gettid());
    add_plain(line, message);
    for (; fields != NULL && fields[0] != NULL; fields += 2) {
        text_addf(line, ", %s: ", fields[0]);
        add_plain(line, str_first(str_from(fields[1]), VALUE_MAX));
    }
}

/* A log that cannot be written must not stop the proxy: what fails is lost. */
static void write_line(struct str line)
{
    ssize_t written;
    do {
        written =
            write(atomic_load_explicit(&current_fd, memory_order_relaxed), line.data, line.len);
    } while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *const *fields, const char *format, ...)
{
    int error = errno; /* logging an error must not change it */
    struct text message, line;
    va_list args;
    text_init(&message, SIZE_MAX);
    text_init(&line, SIZE_MAX);
    va_start(args, format);
    text_vaddf(&message, format, args);
    va_end(args);
    struct str shown = str_first(text_str(&message), MESSAGE_MAX);
    int format_now = atomic_load_explicit(&current_format, memory_order_relaxed);
    if (format_now == LOG_JSON)
        add_as_json(&line, level, shown, fields);
    else if (format_now == LOG_NGINX)
        add_as_nginx(&line, level, shown, fields);
    else
        add_as_text(&line, level, shown, fields);
    void (*tap)(enum log_level, struct str) = atomic_load_explicit(&current_tap, memory_order_acquire);
    if (tap != NULL)
        tap(level, text_str(&line));
    text_add_char(&line, '\n');
    if ((int)level >= atomic_load_explicit(&written_level, memory_order_relaxed))
        write_line(text_str(&line));
    text_release(&line);
    text_release(&message);
    errno = error;
}
