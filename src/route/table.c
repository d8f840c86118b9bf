#include "route/table.h"

#include <stdlib.h>

#include "base/memory.h"
#include "route/condition.h"
#include "route/host_index.h"
#include "route/path_index.h"

/* What need not be looked at any more when a search has come to an entry: the host matcher that being in its bucket implies. Nothing;
 * all of the rule; else this operand of its outermost &&, counted from here. */
enum proven { PROVEN_NOTHING, PROVEN_ALL, PROVEN_OPERAND };

/* So many routers of one host are tried one by one; more get an index of their paths. */
#define FEW_ROUTERS 8

/* The routers of one host, of everything below a domain, or of any host. Most hosts have one alone: its rank stands in the index
 * instead of a pointer to a bucket. */
struct bucket {
    struct ranks ranks;      /* all of them; with an index: those that ask for no path */
    struct path_index paths; /* root NULL: no index */
};

struct table {
    struct arena arena;
    struct table_entry *entries;  /* by rank */
    size_t count;
    struct host_index exact; /* host -> bucket */
    struct host_index below; /* ".d" -> bucket */
    struct bucket *any_host; /* NULL: every rule asks for a host */
};

/* While a table is made: the buckets, before they are frozen into indexes. */
struct building {
    struct table *table;
    struct map exact, below;
};

/* The ranks of one list that were not tried yet. */
struct cursor {
    const uint32_t *at, *end;
};

struct search {
    struct cursor cursors[3 * (1 + PATH_INDEX_LISTS_MAX)];
    unsigned count;
    uint32_t lone[2];
};

static inline bool is_lone(const void *found)
{
    return ((uintptr_t)found & 1) != 0;
}

static inline uint32_t lone_rank(const void *found)
{
    return (uint32_t)((uintptr_t)found >> 1);
}

static void *lone(uint32_t rank)
{
    return (void *)((uintptr_t)rank << 1 | 1);
}

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

static void add_to_host(struct building *building, const struct term *host, uint32_t rank)
{
    struct map *map = host->matcher == MATCH_HOST ? &building->exact : &building->below;
    struct arena *arena = &building->table->arena;
    void *found = map_get(map, host->value);
    if (found == NULL) {
        map_put(map, host->value, lone(rank));
        return;
    }
    struct bucket *bucket = found;
    if (is_lone(found)) {
        bucket = arena_new(arena, struct bucket);
        ranks_add(&bucket->ranks, lone_rank(found), arena);
        map_put(map, host->value, bucket);
    }
    ranks_add(&bucket->ranks, rank, arena);
}

/* The only host that the rule can match, when it stands alone or as an operand of the outermost &&.
 */
static uint32_t proven_host(const struct term *root, const struct conditions *hosts)
{
    if (hosts->any_of.count != 1)
        return PROVEN_NOTHING;
    const struct term *host = hosts->any_of.items[0];
    if (host == root)
        return PROVEN_ALL;
    uint32_t operand = PROVEN_OPERAND;
    for (const struct term *it = root->kind == TERM_AND ? root->first : NULL; it != NULL;
         it = it->next, operand++)
        if (it == host)
            return operand;
    return PROVEN_NOTHING;
}

static void index_hosts(struct building *building)
{
    struct table *table = building->table;
    struct conditions hosts = {0};
    for (uint32_t rank = 0; rank < table->count; rank++) {
        struct table_entry *entry = &table->entries[rank];
        const struct rule *rule = entry->rule;
        if (!conditions_find(&hosts, rule, ASPECT_HOST)) {
            if (table->any_host == NULL)
                table->any_host = arena_new(&table->arena, struct bucket);
            ranks_add(&table->any_host->ranks, rank, &table->arena);
        }
        for (size_t i = 0; i < hosts.any_of.count; i++)
            add_to_host(building, hosts.any_of.items[i], rank);
        entry->proven = proven_host(rule->root, &hosts);
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
        path_index_add(&bucket->paths, sorted.items[i].path->value,
                       sorted.items[i].path->matcher == MATCH_PATH, sorted.items[i].rank);
    VEC_RELEASE(&sorted);
    conditions_release(&paths);
}

static void index_buckets(struct table *table, struct map *buckets, struct host_index *index)
{
    for (uint32_t i = 0; i < buckets->count; i++)
        if (!is_lone(buckets->items[i].value))
            index_paths(table, buckets->items[i].value);
    host_index_freeze(index, buckets, &table->arena);
    map_release(buckets);
}

struct table *table_new(const struct table_entry *entries, size_t count)
{
    struct table *table = memory_zalloc(sizeof(*table));
    struct building building = {.table = table};
    arena_init(&table->arena, ARENA_UNLIMITED);
    map_init(&building.exact, false);
    map_init(&building.below, false);
    sort_entries(table, entries, count);
    index_hosts(&building);
    if (table->any_host != NULL)
        index_paths(table, table->any_host);
    index_buckets(table, &building.exact, &table->exact);
    index_buckets(table, &building.below, &table->below);
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    arena_release(&table->arena);
    free(table);
}

static inline bool candidate_matches(const struct table *table, uint32_t rank,
                                     const struct route_input *input)
{
    const struct table_entry *candidate = &table->entries[rank];
    if (candidate->proven == PROVEN_ALL)
        return true;
    const struct term *root = candidate->rule->root;
    if (candidate->proven == PROVEN_NOTHING)
        return term_match(root, input);
    uint32_t operand = PROVEN_OPERAND;
    for (const struct term *it = root->first; it != NULL; it = it->next, operand++)
        if (operand != candidate->proven && !term_match(it, input))
            return false;
    return true;
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

static void add_host(struct search *search, const void *found, struct str path, uint32_t *lone_place)
{
    if (!is_lone(found)) {
        if (found != NULL)
            add_bucket(search, found, path);
        return;
    }
    *lone_place = lone_rank(found);
    search->cursors[search->count++] = (struct cursor){lone_place, lone_place + 1};
}

/* Takes the lowest rank over all lists; false when all were tried. A rank in two lists comes twice
 * in a row. */
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

/* Several lists at once, in the order of ranks. */
static __attribute__((noinline)) const struct table_entry *
find_merged(const struct table *table, const struct route_input *input, const void *exact, const void *below)
{
    struct search search;
    search.count = 0;
    add_host(&search, exact, input->path, &search.lone[0]);
    add_host(&search, below, input->path, &search.lone[1]);
    if (table->any_host != NULL)
        add_bucket(&search, table->any_host, input->path);
    uint32_t rank, last = UINT32_MAX;
    while (next_rank(&search, &rank)) {
        if (rank != last && candidate_matches(table, rank, input))
            return &table->entries[rank];
        last = rank;
    }
    return NULL;
}

static __attribute__((noinline)) const void *find_below(const struct table *table,
                                                                   struct str host)
{
    ptrdiff_t dot = str_find_char(host, '.', 0);
    return dot < 0 ? NULL : host_index_find(&table->below, str_from_index(host, (size_t)dot));
}

const struct table_entry *table_find(const struct table *table, const struct route_input *input)
{
    struct str host = input->request->host;
    const void *exact = host_index_find(&table->exact, host);
    const void *below = table->below.count > 0 ? find_below(table, host) : NULL;
    const struct bucket *only = exact != NULL ? exact : table->any_host;
    if (is_lone(exact) && below == NULL && table->any_host == NULL)
        return candidate_matches(table, lone_rank(exact), input) ? &table->entries[lone_rank(exact)] : NULL;
    if (below != NULL || is_lone(exact) || (exact != NULL && table->any_host != NULL) ||
        (only != NULL && only->paths.root != NULL))
        return find_merged(table, input, exact, below);
    if (only == NULL)
        return NULL;
    for (const uint32_t *it = only->ranks.items, *end = it + only->ranks.count; it < end; it++)
        if (candidate_matches(table, *it, input))
            return &table->entries[*it];
    return NULL;
}

const struct table_entry *table_entries(const struct table *table, size_t *ret_count)
{
    *ret_count = table->count;
    return table->entries;
}
