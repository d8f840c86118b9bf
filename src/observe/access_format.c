#include "observe/access_format.h"

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "http/uri.h"
#include "observe/access_rules.h"

static const char *const field_names[ACCESS_FIELD_COUNT] = {
#define X(name) [ACCESS_##name] = #name,
    ACCESS_FIELDS(X)
#undef X
};

/* ---- from the configuration ---- */

static void add_key_map(struct text *key, const struct strmap *map)
{
    for (size_t i = 0; i < map->count; i++)
        text_addf(key, "%.*s=%.*s,", STR_ARGS(map->items[i].name), STR_ARGS(map->items[i].value));
    text_add(key, S("|"));
}

static struct str config_key(const struct access_log_config *config, struct arena *arena)
{
    struct text key;
    text_init(&key, (size_t)1 << 20);
    text_addf(&key, "%d|%d|%lld|%d|%d|%d|", config->format, config->filters.retry_attempts,
              (long long)config->filters.min_duration, config->fields.default_mode, config->fields.headers.default_mode,
              config->fields.query_parameters.default_mode);
    for (size_t i = 0; i < config->filters.status_codes.count; i++)
        text_addf(&key, "%.*s,", STR_ARGS(config->filters.status_codes.items[i]));
    text_add(&key, S("|"));
    add_key_map(&key, &config->fields.names);
    add_key_map(&key, &config->fields.headers.names);
    add_key_map(&key, &config->fields.query_parameters.names);
    struct str result = arena_str(arena, text_str(&key));
    text_release(&key);
    return result;
}

static int parse_mode(struct str text)
{
    return str_equal_nocase(text, S("keep"))   ? FIELD_MODE_KEEP
           : str_equal_nocase(text, S("drop")) ? FIELD_MODE_DROP
                                               : FIELD_MODE_REDACT;
}

static struct access_rules copy_rules(const struct strmap *map, int default_mode, struct arena *arena)
{
    struct access_rules rules = {.count = map->count, .default_mode = default_mode};
    rules.items = arena_array(arena, struct access_rule, map->count + 1);
    for (size_t i = 0; i < map->count; i++)
        rules.items[i] = (struct access_rule){.name = arena_str(arena, map->items[i].name),
                                              .mode = parse_mode(map->items[i].value)};
    return rules;
}

int access_rule_mode(const struct access_rules *rules, struct str name)
{
    for (size_t i = 0; i < rules->count; i++)
        if (str_equal_nocase(rules->items[i].name, name))
            return rules->items[i].mode;
    return rules->default_mode;
}

static void copy_ranges(struct access_format *format, const struct strs *codes)
{
    format->ranges = arena_array(&format->arena, struct status_range, codes->count + 1);
    for (size_t i = 0; i < codes->count; i++) {
        struct str rest = codes->items[i], part;
        uint64_t first = 0, last = 0;
        str_split(&rest, '-', &part);
        str_to_u64(str_trim(part), &first);
        last = str_split(&rest, '-', &part) && str_to_u64(str_trim(part), &last) ? last : first;
        format->ranges[format->range_count++] = (struct status_range){(int)first, (int)last};
    }
}

struct access_format *access_format_new(const struct access_log_config *config)
{
    struct access_format *format = memory_zalloc(sizeof(*format));
    arena_init(&format->arena, ARENA_UNLIMITED);
    format->key = config_key(config, &format->arena);
    format->kind = config->format;
    copy_ranges(format, &config->filters.status_codes);
    format->retry_attempts = config->filters.retry_attempts;
    format->min_duration = config->filters.min_duration;
    format->any_filter = format->range_count != 0 || format->retry_attempts || format->min_duration != 0;
    const struct access_log_fields *fields = &config->fields;
    struct access_rules names = copy_rules(&fields->names, fields->default_mode, &format->arena);
    for (int i = 0; i < ACCESS_FIELD_COUNT; i++)
        format->kept[i] = access_rule_mode(&names, str_from(field_names[i])) == FIELD_MODE_KEEP;
    format->headers = copy_rules(&fields->headers.names, fields->headers.default_mode, &format->arena);
    format->query = copy_rules(&fields->query_parameters.names, fields->query_parameters.default_mode, &format->arena);
    return format;
}

void access_format_free(struct access_format *format)
{
    arena_release(&format->arena);
    free(format);
}

bool access_format_matches(const struct access_format *format, const struct access_log_config *config)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    bool same = str_equal(format->key, config_key(config, &arena));
    arena_release(&arena);
    return same;
}

bool access_format_wants(const struct access_format *format, const struct access_record *record)
{
    if (!format->any_filter)
        return true;
    for (size_t i = 0; i < format->range_count; i++)
        if (record->status >= format->ranges[i].first && record->status <= format->ranges[i].last)
            return true;
    return (format->retry_attempts && record->attempts > 1) ||
           (format->min_duration != 0 && record->total > format->min_duration);
}

/* ---- parts of lines ---- */

void access_add_time(int64_t wall, bool local, struct text *out)
{
    time_t seconds = (time_t)(wall / TIME_S);
    struct tm parts;
    char text[48];
    if (local)
        localtime_r(&seconds, &parts);
    else
        gmtime_r(&seconds, &parts);
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    text_add(out, str_of(text, len));
    text_addf(out, ".%09lld", (long long)(wall % TIME_S));
    if (!local) {
        text_add_char(out, 'Z');
        return;
    }
    len = strftime(text, sizeof(text), "%z", &parts);
    if (len == 5)
        text_addf(out, "%.3s:%.2s", text, text + 3);
}

/* "[02/Jan/2006:15:04:05 -0700]"; the same second gives the same text, so it is made once. */
static void add_clf_time(int64_t wall, struct text *out)
{
    static _Thread_local time_t known = -1;
    static _Thread_local char text[40];
    static _Thread_local size_t len;
    time_t seconds = (time_t)(wall / TIME_S);
    if (seconds != known) {
        struct tm parts;
        localtime_r(&seconds, &parts);
        len = strftime(text, sizeof(text), "[%d/%b/%Y:%H:%M:%S %z]", &parts);
        known = seconds;
    }
    text_add(out, str_of(text, len));
}

static void add_parameter(const struct access_format *format, struct str key, struct str value, struct text *out)
{
    int mode = access_rule_mode(&format->query, key);
    if (mode == FIELD_MODE_DROP)
        return;
    text_add_char(out, out->data[out->len - 1] == '?' ? '\0' : '&');
    if (out->data[out->len - 1] == '\0')
        out->len--;
    text_add(out, key);
    if (value.data == NULL)
        return;
    text_add_char(out, '=');
    text_add(out, mode == FIELD_MODE_REDACT ? S("REDACTED") : value);
}

void access_add_target(const struct access_format *format, const struct access_record *record, struct text *out)
{
    text_add(out, record->path);
    if (record->query.data == NULL)
        return;
    text_add_char(out, '?');
    if (format->query.count == 0 && format->query.default_mode == FIELD_MODE_KEEP) {
        text_add(out, record->query);
        return;
    }
    struct str rest = record->query, key, value;
    while (uri_next_pair(&rest, &key, &value))
        add_parameter(format, key, value, out);
}

/* In quotes: what could end them or the line is escaped, as Apache does. */
static void add_quoted(struct str value, struct text *out)
{
    text_add_char(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f)
            continue;
        text_add(out, str_of(value.data + plain, i - plain));
        text_addf(out, c == '"' || c == '\\' ? "\\%c" : "\\x%02x", c);
        plain = i + 1;
    }
    text_add(out, str_of(value.data + plain, value.len - plain));
    text_add_char(out, '"');
}

static void add_or_dash(struct str value, struct text *out)
{
    text_add(out, value.len != 0 ? value : S("-"));
}

/* host - user [time] "line" status bytes "referer" "agent" */
static void add_common(const struct access_format *format, const struct access_record *record, struct text *out)
{
    add_or_dash(record->client_ip, out);
    text_add(out, S(" - "));
    add_or_dash(record->user, out);
    text_add_char(out, ' ');
    add_clf_time(record->began_wall, out);
    text_add(out, S(" \""));
    text_add(out, record->method_name);
    text_add_char(out, ' ');
    access_add_target(format, record, out);
    text_add_char(out, ' ');
    text_add(out, record->protocol);
    text_add(out, S("\" "));
    text_add_u64(out, (uint64_t)record->status);
    text_add_char(out, ' ');
    text_add_u64(out, record->response_bytes);
    const struct fields *fields = &record->request->fields;
    struct str referer = fields_value(fields, FIELD_REFERER), agent = fields_value(fields, FIELD_USER_AGENT);
    text_add_char(out, ' ');
    add_quoted(referer.len != 0 ? referer : S("-"), out);
    text_add_char(out, ' ');
    add_quoted(agent.len != 0 ? agent : S("-"), out);
}

/* Traefik's tail, and why the request did not go well, in a place where parsers of the former do not look. */
static void add_traefik_tail(const struct access_record *record, struct text *out)
{
    text_add_char(out, ' ');
    text_add_u64(out, record->number);
    text_add_char(out, ' ');
    add_quoted(record->router.len != 0 ? record->router : S("-"), out);
    text_add_char(out, ' ');
    add_quoted(record->server_url.len != 0 ? record->server_url : S("-"), out);
    text_add_char(out, ' ');
    text_add_u64(out, (uint64_t)(record->total / TIME_MS));
    text_add(out, S("ms"));
    if (record->reason == STATUS_OK)
        return;
    text_add(out, S(" reason="));
    text_add(out, str_from(status_reason(record->reason)));
    if (record->reason_detail != NULL)
        text_addf(out, " (%s)", record->reason_detail);
}

void access_format_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kind == ACCESS_JSON) {
        access_json_line(format, record, out);
    } else {
        add_common(format, record, out);
        if (format->kind == ACCESS_COMMON)
            add_traefik_tail(record, out);
    }
    text_add_char(out, '\n');
}
