/* The named logs that routers write to. A log keeps its open file from one graph to the next, by what it writes to and how. */
#include <unistd.h>

#include "exchange/request_log.h"
#include "snapshot/build.h"

/* ---- where lines go ---- */

struct shared_log {
    struct line_log *log;
};

static void release_log(void *memory)
{
    const struct shared_log *shared = memory;
    if (shared->log != NULL)
        line_log_unref(shared->log);
}

static struct str syslog_key(const struct syslog_config *syslog, struct arena *arena)
{
    if (syslog == NULL)
        return STR_NONE;
    return arena_printf(arena, "%.*s|%d|%d|%.*s|%d", STR_ARGS(syslog->server), syslog->facility, syslog->severity,
                        STR_ARGS(syslog->tag), syslog->no_hostname);
}

static struct syslog_target target_of(const struct syslog_config *config, struct arena *arena)
{
    struct syslog_target target = {.facility = config->facility, .severity = config->severity, .tag = config->tag};
    char host[256] = "";
    syslog_address(config->server, &target.address);
    if (!config->no_hostname && gethostname(host, sizeof(host) - 1) == 0)
        target.host = arena_str(arena, str_from(host));
    return target;
}

/* Messages have severities of their own. */
static struct line_log *find_log(struct build *build, struct line_log_settings *settings, const struct syslog_config *syslog, bool messages)
{
    struct arena *arena = build->compile.arena;
    struct str key = arena_printf(arena, "log|%d|%.*s|%.*s|%lld|%lld|%d|%u", messages, STR_ARGS(settings->path),
                                  STR_ARGS(syslog_key(syslog, arena)), (long long)settings->buffer, (long long)settings->flush,
                                  settings->gzip, build->compile.workers);
    struct shared_log *shared = compile_shared(&build->compile, key, sizeof(*shared), NULL, release_log);
    struct syslog_target target;
    if (shared->log == NULL) {
        if (syslog != NULL)
            target = target_of(syslog, arena);
        if (syslog != NULL && messages)
            target.severity = -1;
        settings->syslog = syslog != NULL ? &target : NULL;
        shared->log = line_log_new(settings, build->compile.workers + 1);      /* one more: the control thread's */
    }
    for (size_t i = 0; i < build->logs.count; i++)
        if (build->logs.items[i] == shared->log)
            return shared->log;
    VEC_PUSH(&build->logs, shared->log);
    return shared->log;
}

/* ---- files whose names have variables ---- */

struct shared_files {
    struct log_files *files;
};

static void release_files(void *memory)
{
    const struct shared_files *shared = memory;
    if (shared->files != NULL)
        log_files_free(shared->files);
}

static struct log_files *find_files(struct build *build, const struct access_log_output *config)
{
    const struct log_file_cache *cache = &config->file_cache;
    struct log_files_settings settings = {.max = (unsigned)cache->max, .min_uses = (unsigned)cache->min_uses,
                                          .inactive = cache->inactive, .valid = cache->valid};
    struct str key = arena_printf(build->compile.arena, "logFiles|%.*s|%u|%u|%lld|%lld|%u", STR_ARGS(config->file_path), settings.max,
                                  settings.min_uses, (long long)settings.inactive, (long long)settings.valid, build->compile.workers);
    struct shared_files *shared = compile_shared(&build->compile, key, sizeof(*shared), NULL, release_files);
    if (shared->files == NULL)
        shared->files = log_files_new(&settings, build->compile.workers + 1);
    VEC_PUSH(&build->log_files, shared->files);
    return shared->files;
}

/* ---- one log ---- */

static struct span span_of(const struct node *origin, struct str key)
{
    return node_span(node_get(origin, key));
}

static struct request_log *build_access(struct build *build, const struct access_log_output *config)
{
    struct compile *compile = &build->compile;
    struct request_log *log = arena_new(compile->arena, struct request_log);
    log->format = log_format_new(config->format, (enum log_escape)config->escape, compile, span_of(config->origin, S("format")));
    if (!str_empty(config->condition))
        log->condition = text_template_new(config->condition, compile, span_of(config->origin, S("if")));
    if (text_template_is_in(config->file_path)) {
        log->path = text_template_new(config->file_path, compile, span_of(config->origin, S("filePath")));
        log->files = find_files(build, config);
    } else {
        struct line_log_settings settings = {
            .path = config->file_path, .buffer = config->buffer, .flush = config->flush, .gzip = (int)config->gzip};
        log->out = find_log(build, &settings, config->syslog, false);
    }
    return log;
}

static struct request_error_log *build_error(struct build *build, const struct error_log_output *config)
{
    struct request_error_log *log = arena_new(build->compile.arena, struct request_error_log);
    struct line_log_settings settings = {.path = config->file_path};
    log->out = find_log(build, &settings, config->syslog, true);
    log->level = config->level;
    return log;
}

/* ---- by name ---- */

static struct str part_before(struct str name, char separator)
{
    ptrdiff_t at = str_find_char(name, separator, 0);
    return at < 0 ? name : str_first(name, (size_t)at);
}

/* What containers say can name no file of ours. */
static const struct object_item *find_config(const struct build *build, struct str name, struct str provider, bool errors)
{
    ptrdiff_t at = str_find_char(name, '@', 0);
    struct str wanted = part_before(name, '@');
    if (at >= 0)
        provider = str_from_index(name, (size_t)at + 1);
    for (size_t i = 0; i < build->model->part_count; i++) {
        const struct model_part *part = &build->model->parts[i];
        const struct objects *logs = errors ? &part->http->error_logs : &part->http->access_logs;
        for (size_t j = 0; j < logs->count && !part->lenient && str_equal(part->provider, provider); j++)
            if (str_equal(logs->items[j].name, wanted))
                return &logs->items[j];
    }
    return NULL;
}

/* Made once for all routers that name it. */
static void *find_built(struct build *build, struct str name, struct span span, struct str provider, bool errors)
{
    const struct object_item *item = find_config(build, name, provider, errors);
    if (item == NULL) {
        diag_error(build->compile.diag, span, "unknown %s log '%.*s'", errors ? "error" : "access", STR_ARGS(name));
        return NULL;
    }
    if (item->broken)
        return NULL;
    struct str key = arena_printf(build->compile.arena, "%p", item->value);
    void *built = map_get(&build->built_logs, key);
    if (built != NULL)
        return built;
    built = errors ? (void *)build_error(build, item->value) : (void *)build_access(build, item->value);
    map_put(&build->built_logs, key, built);
    return built;
}

static unsigned find_each(struct build *build, const struct strs *names, const struct node *list, struct str provider, bool errors,
                          void **out)
{
    unsigned count = 0;
    for (size_t i = 0; i < names->count; i++)
        if ((out[count] = find_built(build, names->items[i], node_span(node_at(list, i)), provider, errors)) != NULL)
            count++;
    return count;
}

static struct str provider_of(struct str name)
{
    struct str rest = name, part = STR_NONE;
    while (str_split(&rest, '@', &part)) {
    }
    return part;
}

/* `of`: what the lists stand in. NULL: both are empty. */
static const struct request_logs *build_lists(struct build *build, const struct strs *access, struct str access_key,
                                              const struct strs *errors, struct str error_key, const struct node *of, struct str provider)
{
    struct arena *arena = build->compile.arena;
    if (access->count + errors->count == 0)
        return NULL;
    struct request_logs *logs = arena_new(arena, struct request_logs);
    void **found = arena_array(arena, void *, access->count + errors->count);
    logs->access = arena_array(arena, struct request_log *, access->count + 1);
    logs->errors = arena_array(arena, struct request_error_log *, errors->count + 1);
    logs->access_count = find_each(build, access, node_get(of, access_key), provider, false, found);
    for (unsigned i = 0; i < logs->access_count; i++)
        logs->access[i] = found[i];
    logs->error_count = find_each(build, errors, node_get(of, error_key), provider, true, found);
    logs->error_level = -1;
    for (unsigned i = 0; i < logs->error_count; i++) {
        logs->errors[i] = found[i];
        if (logs->errors[i]->level > logs->error_level)
            logs->error_level = logs->errors[i]->level;
    }
    return logs;
}

const struct request_logs *build_router_logs(struct build *build, const struct router_config *config, struct str router)
{
    const struct router_observability *observability = config->observability;
    if (observability == NULL)
        return NULL;
    return build_lists(build, &observability->access_log_to, S("accessLogTo"), &observability->error_log_to, S("errorLogTo"),
                       observability->origin, provider_of(router));
}

static const struct request_logs *build_process_logs(struct build *build)
{
    static const struct strs none = {.items = NULL};
    const struct log_config *log = &build->model->config.log;
    return build_lists(build, &none, STR_NONE, &log->also_to, S("alsoTo"), log->origin, S("file"));
}

void build_logs_end(struct build *build)
{
    struct graph *graph = build->graph;
    graph->process_logs = build_process_logs(build);
    graph->logs = arena_array(&graph->arena, struct line_log *, build->logs.count + 1);
    graph->log_files = arena_array(&graph->arena, struct log_files *, build->log_files.count + 1);
    for (size_t i = 0; i < build->logs.count; i++)
        graph->logs[graph->log_count++] = build->logs.items[i];
    for (size_t i = 0; i < build->log_files.count; i++)
        graph->log_files[graph->log_files_count++] = build->log_files.items[i];
    VEC_RELEASE(&build->logs);
    VEC_RELEASE(&build->log_files);
    map_release(&build->built_logs);
}
