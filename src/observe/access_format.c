#include "observe/access_format.h"

#include <stdlib.h>

#include "base/memory.h"
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

static bool shows_any(const struct access_rules *rules)
{
    bool any = rules->default_mode != FIELD_MODE_DROP;
    for (size_t i = 0; i < rules->count; i++)
        any = any || rules->items[i].mode != FIELD_MODE_DROP;
    return any;
}

/* For what a format has a place for: only a rule of its own takes it away, not the default. */
static int named_mode(const struct access_rules *rules, struct str name)
{
    struct access_rules named = {.items = rules->items, .count = rules->count, .default_mode = FIELD_MODE_KEEP};
    return access_rule_mode(&named, name);
}

struct access_format *access_format_new(const struct access_log_config *config)
{
    struct access_format *format = memory_zalloc(sizeof(*format));
    arena_init(&format->arena, ARENA_UNLIMITED);
    format->key = config_key(config, &format->arena);
    format->kind = config->format;
    format->statuses = status_ranges_from(&config->filters.status_codes, &format->arena);
    format->retry_attempts = config->filters.retry_attempts;
    format->min_duration = config->filters.min_duration;
    format->any_filter = format->statuses.count != 0 || format->retry_attempts || format->min_duration != 0;
    const struct access_log_fields *fields = &config->fields;
    struct access_rules names = copy_rules(&fields->names, fields->default_mode, &format->arena);
    for (int i = 0; i < ACCESS_FIELD_COUNT; i++)
        format->kept[i] = access_rule_mode(&names, str_from(field_names[i])) == FIELD_MODE_KEEP;
    format->headers = copy_rules(&fields->headers.names, fields->headers.default_mode, &format->arena);
    format->query = copy_rules(&fields->query_parameters.names, fields->query_parameters.default_mode, &format->arena);
    format->headers_wanted = shows_any(&format->headers);
    format->query_whole = format->query.count == 0 && format->query.default_mode == FIELD_MODE_KEEP;
    format->referer_mode = named_mode(&format->headers, S("Referer"));
    format->agent_mode = named_mode(&format->headers, S("User-Agent"));
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
    return status_ranges_have(&format->statuses, record->status) ||
           (format->retry_attempts && record->attempts > 1) ||
           (format->min_duration != 0 && record->total > format->min_duration);
}

void access_format_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kind == ACCESS_JSON)
        access_json_line(format, record, out);
    else
        access_common_line(format, record, out);
}
