#include "route/table.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "route/condition.h"
#include "route/path_index.h"

/* So many routers of one host are tried one by one; more get an index of their paths. */
#define FEW_ROUTERS 8

/* The routers of one host, of everything below a domain, or of any host. */
struct bucket {
    struct ranks ranks;         /* all of them; with an index: those that ask for no path */
    struct path_index paths;    /* root NULL: no index */
};

struct table {
    struct arena arena;
    struct table_entry *entries;    /* by rank */
    size_t count;
    struct map exact;               /* host -> bucket */
    struct map below;               /* ".d" -> bucket */
    struct bucket any_host;
};

/* The ranks of one list that were not tried yet. */
struct cursor {
    const uint32_t *at, *end;
};

struct search {
    struct cursor cursors[3 * (1 + PATH_INDEX_LISTS_MAX)];
    unsigned count;
};

struct numbered {
    struct table_entry entry;
    size_t index;
};

static int compare_order(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    if (x->entry.priority != y->entry.priority)
        return x->entry.priority > y->entry.priority ? -1 : 1;
    if (x->entry.order != y->entry.order)
        return x->entry.order < y->entry.order ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static void sort_entries(struct table *table, const struct table_entry *entries, size_t count)
{
    struct numbered *sorted = memory_alloc((count + 1) * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct numbered){entries[i], i};
    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), compare_order);
    table->entries = arena_array(&table->arena, struct table_entry, count);
    table->count = count;
    for (size_t i = 0; i < count; i++)
        table->entries[i] = sorted[i].entry;
    free(sorted);
}

static struct bucket *bucket_for(struct table *table, const struct term *host)
{
    struct map *map = host->matcher == MATCH_HOST ? &table->exact : &table->below;
    struct bucket *bucket = map_get(map, host->value);
    if (bucket == NULL) {
        bucket = arena_new(&table->arena, struct bucket);
        map_put(map, host->value, bucket);
    }
    return bucket;
}

static void index_hosts(struct table *table)
{
    struct conditions hosts = {0};
    for (uint32_t rank = 0; rank < table->count; rank++) {
        if (!conditions_find(&hosts, table->entries[rank].rule, ASPECT_HOST))
            ranks_add(&table->any_host.ranks, rank, &table->arena);
        for (size_t i = 0; i < hosts.any_of.count; i++)
            ranks_add(&bucket_for(table, hosts.any_of.items[i])->ranks, rank, &table->arena);
    }
    conditions_release(&hosts);
}

struct path_condition {
    const struct term *path;
    uint32_t rank;
};

static int compare_length(const void *a, const void *b)
{
    const struct path_condition *x = a, *y = b;
    if (x->path->value.len != y->path->value.len)
        return x->path->value.len < y->path->value.len ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void index_paths(struct table *table, struct bucket *bucket)
{
    struct conditions paths = {0};
    VEC(struct path_condition) sorted = {0};
    struct ranks all = bucket->ranks;
    if (all.count <= FEW_ROUTERS)
        return;
    bucket->ranks = (struct ranks){0};
    for (uint32_t i = 0; i < all.count; i++) {
        if (!conditions_find(&paths, table->entries[all.items[i]].rule, ASPECT_PATH))
            ranks_add(&bucket->ranks, all.items[i], &table->arena);
        for (size_t k = 0; k < paths.any_of.count; k++)
            VEC_PUSH(&sorted, ((struct path_condition){paths.any_of.items[k], all.items[i]}));
    }
    if (sorted.count > 0) {
        qsort(sorted.items, sorted.count, sizeof(sorted.items[0]), compare_length);
        path_index_init(&bucket->paths, &table->arena);
    }
    for (size_t i = 0; i < sorted.count; i++)
        path_index_add(&bucket->paths, sorted.items[i].path->value, sorted.items[i].path->matcher == MATCH_PATH,
                       sorted.items[i].rank);
    VEC_RELEASE(&sorted);
    conditions_release(&paths);
}

struct table *table_new(const struct table_entry *entries, size_t count)
{
    struct table *table = memory_zalloc(sizeof(*table));
    arena_init(&table->arena, ARENA_UNLIMITED);
    map_init(&table->exact, false);
    map_init(&table->below, false);
    sort_entries(table, entries, count);
    index_hosts(table);
    index_paths(table, &table->any_host);
    for (uint32_t i = 0; i < table->exact.count; i++)
        index_paths(table, table->exact.items[i].value);
    for (uint32_t i = 0; i < table->below.count; i++)
        index_paths(table, table->below.items[i].value);
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    map_release(&table->exact);
    map_release(&table->below);
    arena_release(&table->arena);
    free(table);
}

static inline void add_cursor(struct search *search, const struct ranks *ranks)
{
    search->cursors[search->count++] = (struct cursor){ranks->items, ranks->items + ranks->count};
}

static void add_bucket(struct search *search, const struct bucket *bucket, struct str path)
{
    if (bucket->ranks.count > 0)
        add_cursor(search, &bucket->ranks);
    if (bucket->paths.root == NULL)
        return;
    const struct ranks *lists[PATH_INDEX_LISTS_MAX];
    unsigned count = path_index_find(&bucket->paths, path, lists);
    for (unsigned i = 0; i < count; i++)
        add_cursor(search, lists[i]);
}

static void gather(struct search *search, const struct table *table, struct str host, struct str path)
{
    search->count = 0;
    add_bucket(search, &table->any_host, path);
    const struct bucket *bucket = table->exact.live > 0 ? map_get(&table->exact, host) : NULL;
    if (bucket != NULL)
        add_bucket(search, bucket, path);
    if (table->below.live == 0)
        return;
    ptrdiff_t dot = str_find_char(host, '.', 0);
    bucket = dot >= 0 ? map_get(&table->below, str_from_index(host, (size_t)dot)) : NULL;
    if (bucket != NULL)
        add_bucket(search, bucket, path);
}

/* Takes the lowest rank over all lists; false when all were tried. A rank in two lists comes twice in a row. */
static inline bool next_rank(struct search *search, uint32_t *ret_rank)
{
    struct cursor *lowest = NULL;
    for (unsigned i = 0; i < search->count; i++) {
        struct cursor *it = &search->cursors[i];
        if (it->at < it->end && (lowest == NULL || *it->at < *lowest->at))
            lowest = it;
    }
    if (lowest == NULL)
        return false;
    *ret_rank = *lowest->at++;
    return true;
}

const struct table_entry *table_find(const struct table *table, const struct route_input *input)
{
    struct search search;
    gather(&search, table, input->request->host, input->path);
    uint32_t rank, last = UINT32_MAX;
    while (next_rank(&search, &rank)) {
        if (rank != last && rule_match(table->entries[rank].rule, input))
            return &table->entries[rank];
        last = rank;
    }
    return NULL;
}

const struct table_entry *table_entries(const struct table *table, size_t *ret_count)
{
    *ret_count = table->count;
    return table->entries;
}
