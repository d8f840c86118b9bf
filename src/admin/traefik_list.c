/* Search, order and pages. */
#include "admin/traefik.h"

#include <stdlib.h>

#include "admin/admin.h"

#define PER_PAGE 100

struct row {
    const void *thing;
    struct str name;
    struct traefik_key key;
};

static void read_query(struct admin_call *call, struct traefik_query *query)
{
    *query = (struct traefik_query){.search = STR_NONE};
    admin_query(call, "search", &query->search);
    admin_query(call, "status", &query->status);
    admin_query(call, "serviceName", &query->service);
    admin_query(call, "middlewareName", &query->middleware);
}

/* ---- order ---- */

/* Numbers are 0 where keys are texts, and texts empty where they are numbers. */
static int by_key(const void *a, const void *b)
{
    const struct row *one = a, *other = b;
    int order = str_compare(one->key.text, other->key.text);
    if (order == 0)
        order = (one->key.number > other->key.number) - (one->key.number < other->key.number);
    return order != 0 ? order : str_compare(one->name, other->name);
}

static int by_key_descending(const void *a, const void *b)
{
    return by_key(b, a);
}

/* Traefik takes every direction but "asc" for the other one. */
static void sort_rows(struct admin_call *call, const struct traefik_kind *kind, struct row *rows, size_t count)
{
    struct str sort_by = STR_NONE, direction = STR_NONE;
    admin_query(call, "sortBy", &sort_by);
    admin_query(call, "direction", &direction);
    bool ascending = direction.len == 0 || str_equal(direction, S("asc"));
    bool keyed = sort_by.len != 0 && kind->key != NULL;
    for (size_t i = 0; keyed && i < count; i++)
        keyed = kind->key(rows[i].thing, sort_by, &rows[i].key);
    if ((keyed || !ascending) && count != 0)
        qsort(rows, count, sizeof(rows[0]), ascending ? by_key : by_key_descending);
}

/* ---- pages ---- */

static bool read_number(struct admin_call *call, const char *name, uint64_t *number)
{
    struct str text;
    if (!admin_query(call, name, &text) || text.len == 0)
        return true;
    if (str_to_u64(text, number) && *number != 0 && *number <= INT32_MAX)
        return true;
    admin_refuse(call, 400, "invalid request: %s: %.*s", name, STR_ARGS(text));
    return false;
}

/* The rows from *ret_from to *ret_to, and the number of the page behind them: 1 behind the last. */
static bool find_page(struct admin_call *call, size_t count, size_t *ret_from, size_t *ret_to)
{
    uint64_t page = 1, per_page = PER_PAGE;
    if (!read_number(call, "per_page", &per_page) || !read_number(call, "page", &page))
        return false;
    uint64_t from = (page - 1) * per_page, to = from + per_page;
    if (from != 0 && from >= count) {
        admin_refuse(call, 400, "invalid request: page: %llu, per_page: %llu", (unsigned long long)page, (unsigned long long)per_page);
        return false;
    }
    call->next_page = arena_printf(&call->arena, "%llu", to < count ? (unsigned long long)page + 1 : 1);
    *ret_from = from;
    *ret_to = to < count ? to : count;
    return true;
}

bool traefik_list(struct admin_call *call, const struct traefik_kind *kind, const void *const *things, size_t count)
{
    struct traefik_query query;
    read_query(call, &query);
    struct row *rows = arena_array(&call->arena, struct row, count + 1);
    size_t kept = 0, from, to;
    for (size_t i = 0; i < count; i++)
        if (kind->fits == NULL || kind->fits(things[i], &query))
            rows[kept++] = (struct row){.thing = things[i], .name = kind->name(things[i])};
    if (!find_page(call, kept, &from, &to))
        return true;
    sort_rows(call, kind, rows, kept);
    json_open_array(&call->json);
    for (size_t i = from; i < to; i++)
        kind->write(rows[i].thing, &call->json);
    json_end(&call->json);
    return true;
}

bool traefik_items(struct admin_call *call, const struct traefik_kind *kind, const struct catalog_list *list)
{
    return traefik_list(call, kind, (const void *const *)list->items, list->count);
}

bool traefik_item(struct admin_call *call, const struct traefik_kind *kind, const struct catalog_list *list, const char *what)
{
    const struct catalog_item *item = catalog_find(list, call->parameters[0]);
    if (item == NULL)
        return admin_refuse(call, 404, "%s not found: %.*s", what, STR_ARGS(call->parameters[0]));
    kind->write(item, &call->json);
    return true;
}

/* ---- choosing ---- */

bool traefik_found(struct str text, struct str search)
{
    for (size_t i = 0; i + search.len <= text.len; i++)
        if (str_equal_nocase(str_of(text.data + i, search.len), search))
            return true;
    return search.len == 0;
}

bool traefik_status_fits(struct str status, const struct traefik_query *query)
{
    return query->status.len == 0 || str_equal_nocase(status, query->status);
}

struct str traefik_item_name(const void *thing)
{
    return ((const struct catalog_item *)thing)->name;
}

bool traefik_item_fits(const void *thing, const struct traefik_query *query)
{
    const struct catalog_item *item = thing;
    return traefik_status_fits(catalog_status_text(item->status), query) && traefik_found(item->name, query->search);
}

bool traefik_item_key(const void *thing, struct str sort_by, struct traefik_key *ret_key)
{
    const struct catalog_item *item = thing;
    if (str_equal(sort_by, S("type")))
        ret_key->text = item->type;
    else if (str_equal(sort_by, S("provider")))
        ret_key->text = item->provider;
    else if (str_equal(sort_by, S("status")))
        ret_key->text = catalog_status_text(item->status);
    else
        return false;
    return true;
}

/* ---- members that all have ---- */

void traefik_strs(struct json *json, const char *key, const struct strs *strs)
{
    if (strs->count == 0)
        return;
    json_member_array(json, key);
    for (size_t i = 0; i < strs->count; i++)
        json_str(json, strs->items[i]);
    json_end(json);
}

void traefik_item_state(const struct catalog_item *item, const char *used, struct json *json)
{
    traefik_strs(json, "error", &item->errors);
    json_member_str(json, "status", catalog_status_text(item->status));
    traefik_strs(json, used, &item->used);
}

void traefik_item_names(const struct catalog_item *item, struct json *json)
{
    char type[64];
    struct str name = str_first(item->type, sizeof(type));
    for (size_t i = 0; i < name.len; i++)
        type[i] = ascii_lower(name.data[i]);
    json_member_str(json, "name", item->name);
    json_member_str(json, "provider", item->provider);
    if (name.len != 0)
        json_member_str(json, "type", str_of(type, name.len));
}
