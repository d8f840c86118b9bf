#include "exchange/request_log.h"

#include "base/log.h"
#include "exchange/exchange.h"
#include "exchange/graph.h"
#include "exchange/visit.h"

#define LINE_BYTES_MAX ((size_t)256 << 20)

/* What no location took is its site's, and what none of these got is the default one's: a request that could not be read, or a host
 * that nobody has. */
static const struct router *of_site(const struct exchange *x)
{
    const struct entry *entry = x->entry;
    if (entry == NULL)
        return NULL;      /* one that only explains or tests */
    const struct site *site = x->visit != NULL ? x->visit->site : NULL;
    const struct site_names *names = x->stream.client->secure != NULL && entry->tls != NULL ? entry->tls->sites : entry->sites;
    if (site == NULL && names != NULL)
        site = names->fallback;
    return site != NULL ? site->fallback : NULL;
}

const struct request_logs *request_logs_of(const struct exchange *x)
{
    const struct router *router = x->router;
    bool located = router != NULL && (router->site == NULL || router->site->entrance != router);
    if (!located)
        router = of_site(x);
    return router != NULL ? router->logs : NULL;
}

static bool wants(const struct request_log *log, struct exchange *x)
{
    if (log->condition == NULL)
        return true;
    struct str value = text_template_text(log->condition, x);
    return value.len != 0 && !str_equal(value, S("0"));
}

static void write_where_it_says(const struct request_log *log, struct exchange *x)
{
    struct text line;
    struct str path = arena_str(&x->arena, text_template_text(log->path, x));
    if (path.len == 0)
        return;
    text_init(&line, LINE_BYTES_MAX);
    log_format_write(log->format, x, &line);
    text_add_char(&line, '\n');
    if (!log_files_write(log->files, x->worker->index, path.data, text_str(&line), exchange_now(x)))
        log_at(LOG_ERROR, "open() \"%s\" failed (%m)", path.data);
    text_release(&line);
}

static void write_line(const struct request_log *log, struct exchange *x)
{
    if (log->out == NULL) {
        write_where_it_says(log, x);
        return;
    }
    struct text *line = line_log_begin(log->out, x->worker, SYSLOG_INFO);
    if (line == NULL)
        return;
    log_format_write(log->format, x, line);
    line_log_end(log->out, x->worker);
}

void request_log_write(struct exchange *x)
{
    const struct request_logs *logs = request_logs_of(x);
    for (unsigned i = 0; logs != NULL && i < logs->access_count; i++)
        if (wants(logs->access[i], x))
            write_line(logs->access[i], x);
}
