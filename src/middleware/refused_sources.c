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

bool refused_sources_count(struct refused_sources *sources, uint64_t key, int64_t now)
{
    bool found = false;
    pthread_mutex_lock(&sources->lock);
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX && !found; i++) {
        found = sources->items[i].key == key && sources->items[i].count != 0;
        if (found) {
            sources->items[i].count++;
            sources->items[i].at = now;
            sources->total++;
        }
    }
    pthread_mutex_unlock(&sources->lock);
    return found;
}

void refused_sources_note(struct refused_sources *sources, uint64_t key, struct str text, int64_t now)
{
    unsigned place = 0;
    pthread_mutex_lock(&sources->lock);
    for (unsigned i = 0; i < REFUSED_SOURCES_MAX; i++) {
        if (sources->items[i].count != 0 && sources->items[i].key == key) {
            place = i;
            break;
        }
        if (sources->items[i].count < sources->items[place].count)
            place = i;
    }
    if (sources->items[place].key != key || sources->items[place].count == 0) {
        struct str cut = str_first(text, REFUSED_SOURCE_TEXT);
        sources->items[place].key = key;
        sources->items[place].len = (unsigned char)cut.len;
        if (cut.len != 0)
            memcpy(sources->items[place].text, cut.data, cut.len);
    }
    sources->items[place].count++;
    sources->items[place].at = now;
    sources->total++;
    pthread_mutex_unlock(&sources->lock);
}

static struct refused_sources copy_of(struct refused_sources *sources)
{
    struct refused_sources copy;
    pthread_mutex_lock(&sources->lock);
    copy.total = sources->total;
    memcpy(copy.items, sources->items, sizeof(copy.items));
    pthread_mutex_unlock(&sources->lock);
    return copy;
}

uint64_t refused_sources_total(struct refused_sources *sources)
{
    pthread_mutex_lock(&sources->lock);
    uint64_t total = sources->total;
    pthread_mutex_unlock(&sources->lock);
    return total;
}

void refused_sources_report(struct refused_sources *sources, int64_t now, struct json *json)
{
    struct refused_sources copy = copy_of(sources);
    json_member_uint(json, "refused", copy.total);
    json_member_array(json, "mostRefused");
    for (unsigned shown = 0; shown < REFUSED_SOURCES_MAX; shown++) {
        unsigned most = 0;
        for (unsigned i = 1; i < REFUSED_SOURCES_MAX; i++)
            most = copy.items[i].count > copy.items[most].count ? i : most;
        if (copy.items[most].count == 0)
            break;
        json_open_object(json);
        json_member_str(json, "source", str_of(copy.items[most].text, copy.items[most].len));
        json_member_uint(json, "count", copy.items[most].count);
        json_member_int(json, "secondsAgo", (now - copy.items[most].at) / TIME_S);
        json_end(json);
        copy.items[most].count = 0;
    }
    json_end(json);
}
