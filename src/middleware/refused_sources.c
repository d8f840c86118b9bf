#include "middleware/refused_sources.h"

#include <stdlib.h>

#include "base/time.h"

void refused_sources_init(struct refused_sources *sources)
{
    pthread_mutex_init(&sources->lock, NULL);
}

void refused_sources_release(struct refused_sources *sources)
{
    pthread_mutex_destroy(&sources->lock);
}

static uint64_t count_of(const struct refused_source *source)
{
    return atomic_load_explicit(&source->count, memory_order_relaxed);
}

static bool is_of(const struct refused_source *source, uint64_t key)
{
    return atomic_load_explicit(&source->key, memory_order_relaxed) == key && count_of(source) != 0;
}

static void count(struct refused_source *source, int64_t now)
{
    atomic_fetch_add_explicit(&source->count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&source->at, memory_order_relaxed) != now)
        atomic_store_explicit(&source->at, now, memory_order_relaxed);
}

/* Each key begins to look at a place of its own, so that mostly one look is enough. */
static struct refused_source *place_at(struct refused_sources *sources, uint64_t key, unsigned i)
{
    return &sources->items[(key + i) % REFUSED_SOURCES_MAX];
}

bool refused_sources_count(struct refused_sources *sources, uint64_t key, int64_t now)
{
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX; i++) {
        struct refused_source *place = place_at(sources, key, i);
        if (is_of(place, key)) {
            count(place, now);
            return true;
        }
    }
    return false;
}

void refused_sources_note(struct refused_sources *sources, uint64_t key, struct str text, int64_t now)
{
    pthread_mutex_lock(&sources->lock);
    struct refused_source *place = place_at(sources, key, 0);
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX && !is_of(place, key); i++) {
        struct refused_source *other = place_at(sources, key, i);
        if (is_of(other, key) || count_of(other) < count_of(place))
            place = other;
    }
    if (!is_of(place, key)) {
        struct str cut = str_first(text, REFUSED_SOURCE_TEXT);
        atomic_store_explicit(&place->key, key, memory_order_relaxed);
        place->len = (unsigned char)cut.len;
        if (cut.len != 0)
            memcpy(place->text, cut.data, cut.len);
    }
    count(place, now);
    pthread_mutex_unlock(&sources->lock);
}

uint64_t refused_sources_total(struct refused_sources *sources)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX; i++)
        total += count_of(&sources->items[i]);
    return total;
}

/* As they were at one time, as far as they can be told of while others count. */
struct told_source {
    uint64_t count;
    int64_t at;
    unsigned char len;
    char text[REFUSED_SOURCE_TEXT];
};

static void copy(struct refused_sources *sources, struct told_source copies[REFUSED_SOURCES_MAX])
{
    pthread_mutex_lock(&sources->lock);
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX; i++) {
        const struct refused_source *source = &sources->items[i];
        copies[i] = (struct told_source){
            .count = count_of(source), .at = atomic_load_explicit(&source->at, memory_order_relaxed), .len = source->len};
        memcpy(copies[i].text, source->text, source->len);
    }
    pthread_mutex_unlock(&sources->lock);
}

void refused_sources_report(struct refused_sources *sources, int64_t now, struct json *json)
{
    struct told_source copies[REFUSED_SOURCES_MAX];
    uint64_t total = 0;
    copy(sources, copies);
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX; i++)
        total += copies[i].count;
    json_member_uint(json, "refused", total);
    json_member_array(json, "mostRefused");
    for (unsigned shown = 0; shown < REFUSED_SOURCES_MAX; shown++) {
        struct told_source *most = copies;
        for (unsigned i = 1; i < REFUSED_SOURCES_MAX; i++)
            most = copies[i].count > most->count ? &copies[i] : most;
        if (most->count == 0)
            break;
        json_open_object(json);
        json_member_str(json, "source", str_of(most->text, most->len));
        json_member_uint(json, "count", most->count);
        json_member_int(json, "secondsAgo", (now - most->at) / TIME_S);
        json_end(json);
        most->count = 0;
    }
    json_end(json);
}
