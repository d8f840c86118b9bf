#include "cli/log_outputs.h"

#include <pthread.h>

#include "base/vec.h"
#include "exchange/request_log.h"

struct output {
    struct line_log *log;             /* one reference */
    int level;                        /* enum syslog_severity */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VEC(struct output) outputs;

static const int severities[] = {[LOG_TRACE] = SYSLOG_DEBUG, [LOG_DEBUG] = SYSLOG_DEBUG, [LOG_INFO] = SYSLOG_NOTICE, [LOG_WARN] = SYSLOG_WARN,
                                 [LOG_ERROR] = SYSLOG_ERROR, [LOG_FATAL] = SYSLOG_CRIT, [LOG_PANIC] = SYSLOG_EMERG};

int log_outputs_hear(const struct graph *graph)
{
    int level = graph->model->config.log.level, below = 0;
    while (graph->process_logs != NULL && level - below > LOG_DEBUG && severities[level - below - 1] <= graph->process_logs->error_level)
        below++;
    return below;
}

/* That one of them cannot be written is said as well: to the others' own log alone. */
static void on_line(enum log_level level, struct str line)
{
    static _Thread_local bool inside;
    if (inside)
        return;
    inside = true;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < outputs.count; i++)
        if (severities[level] <= outputs.items[i].level)
            line_log_write(outputs.items[i].log, severities[level], line);
    pthread_mutex_unlock(&lock);
    inside = false;
}

void log_outputs_set(const struct graph *graph)
{
    const struct request_logs *logs = graph != NULL ? graph->process_logs : NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < outputs.count; i++)
        line_log_unref(outputs.items[i].log);
    VEC_RELEASE(&outputs);
    for (unsigned i = 0; logs != NULL && i < logs->error_count; i++)
        VEC_PUSH(&outputs, (struct output){.log = line_log_ref(logs->errors[i]->out), .level = logs->errors[i]->level});
    pthread_mutex_unlock(&lock);
    log_set_tap(logs != NULL ? on_line : NULL);
}
