#include "cli/diag_log.h"

#include "base/log.h"

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
    struct diag_log now = {.said = {0}};
    struct text text;
    text_init(&text, (size_t)1 << 20);
    diag_sort(diag);
    for (size_t i = 0; i < diag->count; i++) {
        text_clear(&text);
        diag_render_line(&diag->items[i], &text);
        uint64_t hash = str_hash(text_str(&text));
        if (write && !(only_new && was_said(log, hash)))
            log_at(levels[diag->items[i].severity], "%s", text_c(&text));
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
