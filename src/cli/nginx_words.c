#include "cli/nginx_words.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"

#define SHOWN_MAX ((size_t)4 << 20)

static const char *const levels[] = {[DIAG_ERROR] = "emerg", [DIAG_WARNING] = "warn", [DIAG_NOTE] = "notice"};

static void add_one_line(struct text *out, struct str message)
{
    for (size_t i = 0; i < message.len; i++)
        text_add_char(out, (unsigned char)message.data[i] < ' ' ? ' ' : message.data[i]);
}

void nginx_words_item(const struct diag_item *item, struct text *out)
{
    const struct source *source = item->span.source;
    add_one_line(out, item->message);
    if (source != NULL && source->word)
        text_addf(out, " in %.*s", STR_ARGS(source->name));
    else if (source != NULL && item->span.line != 0)
        text_addf(out, " in %.*s:%u", STR_ARGS(source->name), item->span.line);
    else if (source != NULL)
        text_addf(out, " in %.*s", STR_ARGS(source->name));
    if (item->hint.len == 0)
        return;
    text_add(out, S(" ("));
    add_one_line(out, item->hint);
    text_add_char(out, ')');
}

/* As a line of the log, which no log has been opened for yet. */
static void write_to(const char *path, const char *level, struct str message)
{
    struct text line;
    char date[32];
    struct tm local;
    time_t now = time(NULL);
    int fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644) : -1;
    if (fd < 0)
        return;
    localtime_r(&now, &local);
    strftime(date, sizeof(date), "%Y/%m/%d %H:%M:%S", &local);
    text_init(&line, SHOWN_MAX);
    text_addf(&line, "%s [%s] %d#%d: %.*s\n", date, level, (int)getpid(), (int)getpid(), STR_ARGS(message));
    ssize_t wrote = write(fd, line.data, line.len);
    (void)wrote;      /* it stands on standard error as well */
    text_release(&line);
    close(fd);
}

static struct str source_line(const struct span *span)
{
    struct str rest = span->source->content, line = STR_NONE;
    for (uint32_t at = 0; at < span->line; at++) {
        if (rest.len == 0)
            return STR_NONE;
        str_split(&rest, '\n', &line);
    }
    return line;
}

static void show_caret(const struct span *span, struct text *out)
{
    if (span->source == NULL || span->source->word || span->line == 0)
        return;
    struct str line = source_line(span);
    if (line.len == 0)
        return;
    text_addf(out, "%6u | %.*s\n       | ", span->line, STR_ARGS(line));
    for (size_t i = 0; i + 1 < span->column && i < line.len; i++)
        text_add_char(out, line.data[i] == '\t' ? '\t' : ' ');
    text_add_char(out, '^');
    for (size_t i = 1; i < span->length && span->column + i <= line.len; i++)
        text_add_char(out, '~');
    text_add_char(out, '\n');
}

void nginx_words_show(struct diag *diag, const char *log_path, bool quiet)
{
    struct text message, shown;
    text_init(&message, SHOWN_MAX);
    text_init(&shown, SHOWN_MAX);
    diag_sort(diag);
    for (size_t i = 0; i < diag->count; i++) {
        const struct diag_item *item = &diag->items[i];
        if (item->severity == DIAG_NOTE || (quiet && item->severity == DIAG_WARNING))
            continue;
        text_clear(&message);
        nginx_words_item(item, &message);
        text_addf(&shown, "nginx: [%s] %s\n", levels[item->severity], text_c(&message));
        if (item->severity == DIAG_ERROR)
            show_caret(&item->span, &shown);
        write_to(log_path, levels[item->severity], text_str(&message));
    }
    fputs(text_c(&shown), stderr);
    text_release(&shown);
    text_release(&message);
}

void nginx_words_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("nginx: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void nginx_words_fail(const char *log_path, const char *level, const char *format, ...)
{
    struct text message;
    va_list args;
    text_init(&message, SHOWN_MAX);
    va_start(args, format);
    text_vaddf(&message, format, args);
    va_end(args);
    fprintf(stderr, "nginx: [%s] %s\n", level, text_c(&message));
    write_to(log_path, level, text_str(&message));
    text_release(&message);
}
