#include "upstream/server_meters.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

/* Where nobody said how many workers there are: tools and tests have a few. */
#define TALLIES_LEAST 7

struct server_meters {
    struct server_meters *next;
    struct meter *meter, *counts;
};

static unsigned meter_workers;
static struct meter_bounds meter_bounds;

void server_count_by(unsigned workers, const struct meter_bounds *bounds)
{
    meter_workers = workers;
    meter_bounds = *bounds;
}

unsigned server_tally_count(void)
{
    return (meter_workers > TALLIES_LEAST ? meter_workers : TALLIES_LEAST) + 1;
}

static bool is_as_wanted(const struct meter *meter)
{
    return meter->workers == meter_workers && meter->bounds->count == meter_bounds.count &&
           memcmp(meter->bounds->ends, meter_bounds.ends, meter_bounds.count * sizeof(meter_bounds.ends[0])) == 0;
}

static struct meter *get_meter(struct str kind, struct str name)
{
    struct text text;
    text_init(&text, kind.len + name.len + 1);
    text_add(&text, kind);
    text_add(&text, name);
    struct meter *meter = meter_get(text_str(&text), meter_workers, &meter_bounds);
    text_release(&text);
    return meter;
}

void server_meters_renew(struct server *server)
{
    struct meter *former = atomic_load(&server->meter);
    if (meter_workers == 0 || (former != NULL && is_as_wanted(former)))
        return;
    if (former != NULL) {
        struct server_meters *kept = memory_zalloc(sizeof(*kept));
        *kept = (struct server_meters){server->former_meters, former, atomic_load(&server->counts)};
        server->former_meters = kept;
    }
    struct meter *meter = get_meter(S("server|"), server->key), *service = get_meter(S("service|"), server->service);
    atomic_store(&server->counts, meter_join(service, meter));
    atomic_store(&server->meter, meter);
    meter_unref(service);
}

void server_meters_release(struct server *server)
{
    meter_unref(atomic_load(&server->counts));
    meter_unref(atomic_load(&server->meter));
    while (server->former_meters != NULL) {
        struct server_meters *kept = server->former_meters;
        server->former_meters = kept->next;
        meter_unref(kept->counts);
        meter_unref(kept->meter);
        free(kept);
    }
}
