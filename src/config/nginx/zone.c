#include "config/nginx/zone.h"

#include <string.h>

static struct str zone_key(struct nginx_compile *compile, const char *directive, struct str name)
{
    return arena_printf(compile->arena, "%s:%.*s", directive, STR_ARGS(name));
}

static bool read_size(struct nginx_compile *compile, struct nginx_zone *zone, const struct nginx_word *word, struct str value)
{
    ptrdiff_t colon = str_find_char(value, ':', 0);
    zone->name = str_first(value, colon >= 0 ? (size_t)colon : value.len);
    if (colon <= 0 || !nginx_size(str_from_index(value, (size_t)colon + 1), &zone->size)) {
        diag_error(compile->diag, word->span, "invalid zone size \"%.*s\"", STR_ARGS(word->text));
        return false;
    }
    if (zone->size >= 8 * 4096)
        return true;
    diag_error(compile->diag, word->span, "zone \"%.*s\" is too small", STR_ARGS(word->text));
    return false;
}

static bool read_words(struct nginx_compile *compile, struct nginx_zone *zone,
                       bool (*parse)(struct nginx_zone *zone, const struct nginx_word *word))
{
    const struct nginx_directive *directive = zone->directive;
    for (size_t i = 1; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        if (str_starts(word->text, S("zone="))) {
            if (!read_size(compile, zone, word, str_from_index(word->text, 5)))
                return false;
        } else if (parse == NULL || !parse(zone, word)) {
            diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
            return false;
        }
    }
    if (zone->name.len != 0)
        return true;
    diag_error(compile->diag, directive->span, "\"%.*s\" must have \"zone\" parameter", STR_ARGS(directive->name));
    return false;
}

static void read_zone(struct nginx_compile *compile, const struct nginx_directive *directive,
                      bool (*parse)(struct nginx_zone *zone, const struct nginx_word *word))
{
    struct nginx_zone *zone = arena_new(compile->arena, struct nginx_zone);
    zone->directive = directive;
    zone->key = &directive->words[0];
    if (!read_words(compile, zone, parse))
        return;
    struct str name = arena_printf(compile->arena, "%.*s:%.*s", STR_ARGS(directive->name), STR_ARGS(zone->name));
    const struct nginx_zone *former = map_put(&compile->zones, name, zone);
    if (former != NULL)
        diag_error(compile->diag, directive->span, "%.*s \"%.*s\" is already bound to key \"%.*s\"",
                   STR_ARGS(directive->name), STR_ARGS(zone->name), STR_ARGS(former->key->text));
}

void nginx_zones_read(struct nginx_compile *compile, const char *directive,
                      bool (*parse)(struct nginx_zone *zone, const struct nginx_word *word))
{
    for (const struct nginx_directive *it = nginx_here(compile->http, directive); it != NULL; it = nginx_same(it))
        if (it->count != 0)
            read_zone(compile, it, parse);
}

static size_t list_names(const struct nginx_compile *compile, struct str prefix, struct str *names, size_t max)
{
    size_t count = 0;
    for (uint32_t i = 0; i < compile->zones.count && count < max; i++)
        if (str_starts(compile->zones.items[i].key, prefix))
            names[count++] = str_from_index(compile->zones.items[i].key, prefix.len);
    return count;
}

const struct nginx_zone *nginx_zone_find(struct nginx_compile *compile, const char *directive, struct str name,
                                         const struct nginx_word *word)
{
    struct str key = zone_key(compile, directive, name), names[32];
    const struct nginx_zone *zone = map_get(&compile->zones, key);
    if (zone != NULL)
        return zone;
    struct diag_item *item = diag_error(compile->diag, word->span, "zero size shared memory zone \"%.*s\": there is no %s of this name",
                                        STR_ARGS(name), directive);
    diag_suggest(compile->diag, item, name, names, list_names(compile, str_first(key, key.len - name.len), names, 32));
    return NULL;
}

void nginx_put_zone_policy(struct nginx_place *place, struct node *options, const char *directive, struct span span)
{
    struct nginx_compile *compile = place->compile;
    const char *status_name = arena_printf(compile->arena, "%s_status", directive).data;
    const char *level_name = arena_printf(compile->arena, "%s_log_level", directive).data;
    const struct nginx_directive *status = nginx_find(place->scope, status_name), *level = nginx_find(place->scope, level_name);
    uint64_t code;
    if (status != NULL && (!str_to_u64(status->words[0].text, &code) || code < 400 || code > 599))
        diag_error(compile->diag, status->words[0].span, "value must be between 400 and 599");
    else if (status != NULL)
        nginx_put(compile, options, "rejectStatusCode", status->words[0].text, status->words[0].span);
    if (nginx_flag(place->scope, arena_printf(compile->arena, "%s_dry_run", directive).data, false))
        nginx_put_flag(compile, options, "dryRun", true, span);
    if (level != NULL)
        nginx_put(compile, options, "logLevel", level->words[0].text, level->words[0].span);
}
