#include "cli/discovery_log.h"

#include "base/log.h"
#include "base/map.h"

static bool is_same(const struct discovered *one, const struct discovered *other)
{
    return one->state == other->state && one->mistake == other->mistake && str_equal(one->reason, other->reason) &&
           one->servers.count == other->servers.count && one->routers.count == other->routers.count;
}

static void add_list(struct text *text, const char *before, const struct strs *list)
{
    for (size_t i = 0; i < list->count; i++)
        text_addf(text, "%s%.*s", i == 0 ? before : ", ", STR_ARGS(list->items[i]));
}

static void add_reason(struct text *text, const struct discovered *found)
{
    if (!str_empty(found->reason))
        text_addf(text, ": %.*s", STR_ARGS(found->reason));
    if (!str_empty(found->hint))
        text_addf(text, "; %.*s", STR_ARGS(found->hint));
}

/* Left out by its owner's own wish: nobody waits for it. */
static enum log_level level_of(const struct discovered *found)
{
    if (found->mistake)
        return LOG_WARN;
    return found->state == DISCOVERY_LEFT_OUT ? LOG_DEBUG : LOG_INFO;
}

static void say(const struct discovered *found)
{
    static const char *const states[] = {[DISCOVERY_SERVED] = "is served",
                                         [DISCOVERY_NOT_READY] = "is not ready",
                                         [DISCOVERY_LEAVING] = "is about to stop",
                                         [DISCOVERY_LEFT_OUT] = "is left out"};
    struct text text;
    text_init(&text, (size_t)1 << 16);
    text_addf(&text, "container '%.*s' %s", STR_ARGS(found->name), states[found->state]);
    if (found->state == DISCOVERY_SERVED) {
        add_list(&text, " at ", &found->servers);
        add_list(&text, " by ", &found->routers);
    }
    add_reason(&text, found);
    log_at(level_of(found), "%s", text_c(&text));
    text_release(&text);
}

void discovery_log(const struct model *before, const struct model *now)
{
    struct map former;
    map_init(&former, false);
    for (size_t i = 0; before != NULL && i < before->discovered_count; i++)
        map_put(&former, before->discovered[i].id, &before->discovered[i]);
    for (size_t i = 0; i < now->discovered_count; i++) {
        const struct discovered *found = &now->discovered[i], *known = map_get(&former, found->id);
        if (known == NULL || !is_same(known, found))
            say(found);
        map_remove(&former, found->id);
    }
    for (uint32_t i = 0; i < former.count; i++)
        if (former.items[i].key.data != NULL)
            log_info("container '%.*s' is gone", STR_ARGS(((struct discovered *)former.items[i].value)->name));
    map_release(&former);
}
