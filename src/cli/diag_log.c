#include "cli/diag_log.h"

#include "base/log.h"
#include "cli/nginx_words.h"

static bool was_said(const struct diag_log *log, uint64_t hash)
{
    for (size_t i = 0; i < log->said.count; i++)
        if (log->said.items[i] == hash)
            return true;
    return false;
}

static void go_through(struct diag_log *log, struct diag *diag, bool write, bool only_new)
{
    static const enum log_level levels[] = {[DIAG_ERROR] = LOG_ERROR, [DIAG_WARNING] = LOG_WARN, [DIAG_NOTE] = LOG_INFO};
    static const enum log_level of_nginx[] = {[DIAG_ERROR] = LOG_PANIC, [DIAG_WARNING] = LOG_WARN, [DIAG_NOTE] = LOG_DEBUG};
    bool as_nginx = log_format_now() == LOG_NGINX;
    struct diag_log now = {.said = {0}};
    struct text text;
    text_init(&text, (size_t)1 << 20);
    diag_sort(diag);
    for (size_t i = 0; i < diag->count; i++) {
        text_clear(&text);
        if (as_nginx)
            nginx_words_item(&diag->items[i], &text);
        else
            diag_render_line(&diag->items[i], &text);
        uint64_t hash = str_hash(text_str(&text));
        if (write && !(only_new && was_said(log, hash)))
            log_at((as_nginx ? of_nginx : levels)[diag->items[i].severity], "%s", text_c(&text));
        VEC_PUSH(&now.said, hash);
    }
    text_release(&text);
    diag_log_release(log);
    *log = now;
}

void diag_log_write(struct diag_log *log, struct diag *diag, bool only_new)
{
    go_through(log, diag, true, only_new);
}

void diag_log_remember(struct diag_log *log, struct diag *diag)
{
    go_through(log, diag, false, false);
}

void diag_log_release(struct diag_log *log)
{
    VEC_RELEASE(&log->said);
}
