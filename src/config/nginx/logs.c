/* access_log, log_format and error_log: named logs of the model, which the routers of the places name where they hold. */
#include <unistd.h>

#include "config/nginx/compile.h"
#include "model/request_log.h"

#define DEFAULT_FOLDER "/var/log/nginx/"
#define BUFFER_OF_GZIP INT64_C(65536)

static const struct nginx_syntax rows[] = {
    {"log_format", NGINX_HTTP, .min = 2, .max = NGINX_MANY, .repeats = true, .help = "The form of lines of access logs."},
    {"access_log", NGINX_EVERYWHERE | NGINX_LOCATION_IF | NGINX_LIMIT_EXCEPT, .min = 1, .max = NGINX_MANY, .repeats = true,
     .help = "Where a line for each request goes."},
    {"open_log_file_cache", NGINX_EVERYWHERE, .min = 1, .max = 4, .help = "Files of logs with variables in their name that stay open."},
    {"log_subrequest", NGINX_EVERYWHERE, .flag = true, .help = "Whether requests of auth_request and mirror have lines too."},
    {"error_log", NGINX_MAIN | NGINX_EVERYWHERE, .min = 1, .max = 2, .repeats = true, .help = "Where messages go, from which level on."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- what both kinds have ---- */

/* A word of which only the text behind its first `skip` bytes counts. */
static struct nginx_word behind(const struct nginx_word *word, size_t skip)
{
    struct nginx_word rest = *word;
    rest.text = str_from_index(word->text, skip);
    return rest;
}

static void complain(struct nginx_compile *compile, const struct nginx_word *word, const char *what, struct str text)
{
    diag_error(compile->diag, word->span, "%s \"%.*s\"", what, STR_ARGS(text));
}

/* "server=10.0.0.1,tag=x,nohostname" */
static void put_syslog(struct nginx_compile *compile, struct node *log, const struct nginx_word *word)
{
    static const struct {
        struct str name;
        const char *key;
    } keys[] = {{STR("server="), "server"}, {STR("facility="), "facility"}, {STR("severity="), "severity"}, {STR("tag="), "tag"}};
    struct node *syslog = nginx_put_map(compile, log, "syslog", word->span);
    struct str rest = str_from_index(word->text, 7), part;
    nginx_put(compile, syslog, "tag", S("nginx"), word->span);
    while (str_split(&rest, ',', &part)) {
        bool known = str_equal(part, S("nohostname"));
        if (known)
            nginx_put_flag(compile, syslog, "noHostname", true, word->span);
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !known; i++)
            if (str_starts(part, keys[i].name)) {
                nginx_put(compile, syslog, keys[i].key, str_from_index(part, keys[i].name.len), word->span);
                known = true;
            }
        if (!known)
            complain(compile, word, "unknown syslog parameter", part);
    }
    if (node_get(syslog, S("server")) == NULL)
        diag_error(compile->diag, word->span, "no syslog server specified");
}

static bool is_syslog(const struct nginx_word *word)
{
    return str_starts(word->text, S("syslog:"));
}

/* The name of what a directive was made into, which several places may share; data NULL: nothing yet. */
static struct str made_of(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    const struct str *name = map_get(&compile->zones, arena_printf(compile->arena, "log:%p", (const void *)directive));
    return name != NULL ? *name : STR_NONE;
}

static void note_made(struct nginx_compile *compile, const struct nginx_directive *directive, struct str name)
{
    struct str *kept = arena_new(compile->arena, struct str);
    *kept = name;
    map_put(&compile->zones, arena_printf(compile->arena, "log:%p", (const void *)directive), kept);
}

/* "access" of "/var/log/nginx/access.log": what a log is called after. */
static struct str stem_of(struct str path, const char *fallback)
{
    size_t begin = path.len;
    while (begin > 0 && path.data[begin - 1] != '/')
        begin--;
    struct str name = str_from_index(path, begin);
    ptrdiff_t dot = str_find_char(name, '.', 1);
    if (dot > 0)
        name = str_first(name, (size_t)dot);
    return name.len == 0 || nginx_has_variables(name) ? str_from(fallback) : name;
}

/* ---- log_format ---- */

static enum log_escape read_escape(struct nginx_compile *compile, const struct nginx_word *word)
{
    struct str value = str_from_index(word->text, 7);
    if (str_equal(value, S("json")))
        return LOG_ESCAPE_JSON;
    if (str_equal(value, S("none")))
        return LOG_ESCAPE_NONE;
    if (!str_equal(value, S("default")))
        complain(compile, word, "unknown log format escaping", value);
    return LOG_ESCAPE_DEFAULT;
}

static void check_formats(struct nginx_compile *compile)
{
    for (const struct nginx_directive *it = nginx_here(compile->http, "log_format"); it != NULL; it = nginx_same(it)) {
        struct str name = it->words[0].text;
        if (str_equal_nocase(name, S("combined")) || map_get(&compile->formats, name) != it)
            diag_error(compile->diag, it->words[0].span, "duplicate \"log_format\" name \"%.*s\"", STR_ARGS(name));
    }
}

static void put_format(struct nginx_compile *compile, struct node *log, const struct nginx_word *name)
{
    const struct nginx_directive *format = map_get(&compile->formats, name->text);
    if (format == NULL) {
        complain(compile, name, "unknown log format", name->text);
        return;
    }
    bool escapes = str_starts(format->words[1].text, S("escape="));
    struct str text = STR_NONE;
    for (size_t i = escapes ? 2 : 1; i < format->count; i++)
        text = arena_concat(compile->arena, text, nginx_template(compile, &format->words[i]));
    nginx_put(compile, log, "format", text, format->span);
    enum log_escape escape = escapes ? read_escape(compile, &format->words[1]) : LOG_ESCAPE_DEFAULT;
    if (escape != LOG_ESCAPE_DEFAULT)
        nginx_put(compile, log, "escape", escape == LOG_ESCAPE_JSON ? S("json") : S("none"), format->words[1].span);
}

/* ---- access_log ---- */

struct access_options {
    int64_t buffer, flush_ms, gzip;
};

/* "gzip" or "gzip=5" */
static bool read_gzip(struct nginx_compile *compile, const struct nginx_word *word, struct access_options *options)
{
    struct str level = str_from_index(word->text, 5);
    uint64_t number = 1;
    if (word->text.len != 4 && !str_starts(word->text, S("gzip=")))
        return false;
    if (word->text.len != 4 && (!str_to_u64(level, &number) || number < 1 || number > 9))
        complain(compile, word, "invalid compression level", level);
    options->gzip = (int64_t)number;
    return true;
}

static void read_option(struct nginx_compile *compile, struct node *log, const struct nginx_word *word, struct access_options *options)
{
    struct str text = word->text;
    if (str_starts(text, S("if="))) {
        struct nginx_word condition = behind(word, 3);
        nginx_put(compile, log, "if", nginx_template(compile, &condition), word->span);
    } else if (str_starts(text, S("buffer="))) {
        if (!nginx_size(str_from_index(text, 7), &options->buffer) || options->buffer <= 0)
            complain(compile, word, "invalid buffer size", str_from_index(text, 7));
    } else if (str_starts(text, S("flush="))) {
        if (!nginx_time(str_from_index(text, 6), &options->flush_ms) || options->flush_ms <= 0)
            complain(compile, word, "invalid flush time", str_from_index(text, 6));
    } else if (!str_starts(text, S("gzip")) || !read_gzip(compile, word, options)) {
        complain(compile, word, "invalid parameter", text);
    }
}

static void put_options(struct nginx_compile *compile, struct node *log, const struct nginx_directive *directive)
{
    struct access_options options = {.buffer = 0};
    const struct nginx_word *target = &directive->words[0];
    for (size_t i = 2; i < directive->count; i++)
        read_option(compile, log, &directive->words[i], &options);
    if (options.gzip != 0 && options.buffer == 0)
        options.buffer = BUFFER_OF_GZIP;
    if (options.flush_ms != 0 && options.buffer == 0)
        complain(compile, target, "no buffer is defined for access_log", target->text);
    if (options.buffer != 0 && nginx_has_variables(target->text))
        diag_error(compile->diag, target->span, "buffered logs cannot have variables in name");
    if (options.buffer != 0 && is_syslog(target))
        diag_error(compile->diag, target->span, "logs to syslog cannot be buffered");
    if (options.buffer != 0)
        nginx_put_number(compile, log, "buffer", options.buffer, target->span);
    if (options.flush_ms != 0)
        nginx_put_time(compile, log, "flush", options.flush_ms, target->span);
    if (options.gzip != 0)
        nginx_put_number(compile, log, "gzip", options.gzip, target->span);
}

static void put_cache(struct nginx_compile *compile, struct node *log, const struct nginx_scope *scope)
{
    static const struct {
        const char *parameter, *key;
        bool is_time;
    } parameters[] = {{"max", "max", false}, {"min_uses", "minUses", false}, {"inactive", "inactive", true}, {"valid", "valid", true}};
    const struct nginx_directive *directive = nginx_find(scope, "open_log_file_cache");
    if (directive == NULL || str_equal(directive->words[0].text, S("off")))
        return;
    struct node *cache = nginx_put_map(compile, log, "fileCache", directive->span);
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        struct str value;
        const struct nginx_word *word;
        int64_t ms;
        if (!nginx_parameter(directive, 0, parameters[i].parameter, &value, &word))
            continue;
        if (!parameters[i].is_time)
            nginx_put(compile, cache, parameters[i].key, value, word->span);
        else if (nginx_time(value, &ms))
            nginx_put_time(compile, cache, parameters[i].key, ms, word->span);
        else
            nginx_invalid(compile, directive, word);
    }
}

static void put_file(struct nginx_compile *compile, struct node *log, const struct nginx_word *word, const struct nginx_scope *scope)
{
    struct nginx_word whole = *word;
    whole.text = str_equal(word->text, S("stderr")) ? word->text : nginx_prefix_path(compile, word->text);
    if (nginx_has_variables(word->text))
        put_cache(compile, log, scope);
    nginx_put(compile, log, "filePath", nginx_template(compile, &whole), word->span);
}

static struct str make_access(struct nginx_compile *compile, const struct nginx_directive *directive, const struct nginx_scope *scope)
{
    struct str name = made_of(compile, directive);
    const struct nginx_word *target = &directive->words[0];
    if (name.data != NULL)
        return name;
    name = nginx_unique(compile, "accessLogs", is_syslog(target) ? S("syslog") : stem_of(target->text, "access"));
    note_made(compile, directive, name);
    struct node *log = nginx_put_map_named(compile, nginx_section(compile, "http.accessLogs"), name, directive->span);
    if (is_syslog(target))
        put_syslog(compile, log, target);
    else
        put_file(compile, log, target, scope);
    if (directive->count > 1 && !str_equal_nocase(directive->words[1].text, S("combined")))
        put_format(compile, log, &directive->words[1]);
    put_options(compile, log, directive);
    return name;
}

static bool is_off(const struct nginx_directive *directive)
{
    return str_equal(directive->words[0].text, S("off"));
}

/* Where nobody says anything: where nginx would write, if it could. */
static struct str make_default(struct nginx_compile *compile)
{
    const struct str *kept = map_get(&compile->zones, S("log:default"));
    if (kept != NULL)
        return *kept;
    struct str *name = arena_new(compile->arena, struct str);
    map_put(&compile->zones, S("log:default"), name);
    if (access(DEFAULT_FOLDER, W_OK) != 0) {
        diag_note(compile->diag, compile->http->block->span,
                  "there is no access_log, and nginx's own folder " DEFAULT_FOLDER " cannot be written to: requests are not logged");
        return *name;
    }
    *name = nginx_unique(compile, "accessLogs", S("access"));
    struct node *log = nginx_put_map_named(compile, nginx_section(compile, "http.accessLogs"), *name, compile->http->block->span);
    nginx_put(compile, log, "filePath", S(DEFAULT_FOLDER "access.log"), compile->http->block->span);
    return *name;
}

static void put_access(struct nginx_place *place, struct node *observability)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *first = nginx_all(place->scope, "access_log");
    bool off = false;
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it)) {
        off = off || is_off(it);
        if (is_off(it) && it->count > 1)
            complain(compile, &it->words[1], "invalid parameter", it->words[1].text);
    }
    if (off)
        return;
    struct node *list = nginx_put_list(compile, observability, "accessLogTo", first != NULL ? first->span : SPAN_NONE);
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        nginx_add_text(compile, list, make_access(compile, it, place->scope), it->span);
    struct str fallback = first == NULL ? make_default(compile) : STR_NONE;
    if (fallback.len != 0)
        nginx_add_text(compile, list, fallback, SPAN_NONE);
}

/* ---- error_log ---- */

static struct str level_of(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    static const char *const levels[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};
    if (directive->count < 2)
        return S("error");
    struct str level = directive->words[1].text;
    if (str_starts(level, S("debug_")))
        return S("debug");
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (str_equal(level, str_from(levels[i])))
            return level;
    complain(compile, &directive->words[1], "invalid log level", level);
    return S("error");
}

static bool is_memory(const struct nginx_directive *directive)
{
    return str_starts(directive->words[0].text, S("memory:"));
}

static struct str make_error(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    struct str name = made_of(compile, directive);
    const struct nginx_word *target = &directive->words[0];
    if (name.data != NULL)
        return name;
    name = nginx_unique(compile, "errorLogs", is_syslog(target) ? S("syslog") : stem_of(target->text, "error"));
    note_made(compile, directive, name);
    struct node *log = nginx_put_map_named(compile, nginx_section(compile, "http.errorLogs"), name, directive->span);
    if (is_syslog(target))
        put_syslog(compile, log, target);
    else
        nginx_put(compile, log, "filePath", str_equal(target->text, S("stderr")) ? target->text : nginx_prefix_path(compile, target->text),
                  target->span);
    nginx_put(compile, log, "level", level_of(compile, directive), directive->words[directive->count - 1].span);
    return name;
}

static void put_errors(struct nginx_place *place, struct node *observability)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *first = nginx_all(place->scope, "error_log");
    if (first == NULL)
        return;
    struct node *list = nginx_put_list(compile, observability, "errorLogTo", first->span);
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        if (!is_memory(it))
            nginx_add_text(compile, list, make_error(compile, it), it->span);
}

/* The level of the process's own log whose words nginx's level means. */
static struct str process_level(struct str level)
{
    return str_equal(level, S("debug"))                                        ? S("DEBUG")
           : str_equal(level, S("info")) || str_equal(level, S("notice"))      ? S("INFO")
           : str_equal(level, S("warn"))                                       ? S("WARN")
           : str_equal(level, S("error"))                                      ? S("ERROR")
           : str_equal(level, S("crit"))                                       ? S("FATAL")
                                                                               : S("PANIC");
}

/* The process writes to one file; all the others that the main level names get what it says as well. */
static void put_process_log(struct nginx_compile *compile)
{
    const struct nginx_directive *first = NULL;
    for (const struct nginx_directive *it = nginx_all(compile->main, "error_log"); it != NULL; it = nginx_same(it)) {
        if (is_memory(it)) {
            diag_note(compile->diag, it->words[0].span, "messages are not kept in memory");
            continue;
        }
        struct node *log = nginx_put_map(compile, compile->root, "log", it->span);
        if (first != NULL || is_syslog(&it->words[0])) {
            nginx_add_text(compile, nginx_put_list(compile, log, "alsoTo", it->span), make_error(compile, it), it->span);
            continue;
        }
        first = it;
        nginx_put(compile, log, "format", S("nginx"), it->span);
        nginx_put(compile, log, "level", process_level(level_of(compile, it)), it->span);
        if (!str_equal(it->words[0].text, S("stderr")))
            nginx_put(compile, log, "filePath", nginx_prefix_path(compile, it->words[0].text), it->words[0].span);
    }
}

/* ---- the part ---- */

static void global(struct nginx_compile *compile)
{
    put_process_log(compile);
    if (compile->http != NULL)
        check_formats(compile);
}

static void place(struct nginx_place *place)
{
    if (place->router == NULL)
        return;
    struct node *observability = nginx_put_map(place->compile, place->router, "observability", SPAN_NONE);
    put_access(place, observability);
    if (nginx_flag(place->scope, "log_subrequest", false))
        nginx_put_flag(place->compile, observability, "subrequestLogs", true, nginx_find(place->scope, "log_subrequest")->span);
    put_errors(place, observability);
}

static const struct nginx_part part = {.name = "logs", .order = 20, .global = global, .place = place};
REGISTER(nginx_part, part);
