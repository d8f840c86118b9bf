#include "cli/top_data.h"

#include <string.h>

static const struct {
    const char *title, *path;
    const char *live;             /* the tick's member */
} views[TOP_VIEWS] = {
    [TOP_ENTRYPOINTS] = {"Entrypoints", NULL, "entryPoints"},
    [TOP_ROUTERS] = {"Routers", NULL, "routers"},
    [TOP_SERVICES] = {"Services", NULL, "services"},
    [TOP_SERVERS] = {"Servers", "servers", "servers"},
    [TOP_EXCHANGES] = {"Exchanges", "exchanges", NULL},
    [TOP_FAILURES] = {"Failures", "failures", NULL},
    [TOP_PROBLEMS] = {"Problems", "problems", NULL},
};

const char *top_view_path(enum top_view view)
{
    return views[view].path;
}

const char *top_view_title(enum top_view view)
{
    return views[view].title;
}

void top_data_init(struct top_data *data)
{
    *data = (struct top_data){.total = json_object()};
    for (unsigned i = 0; i < TOP_VIEWS; i++)
        data->rows[i] = json_array();
}

void top_data_release(struct top_data *data)
{
    json_decref(data->overview);
    json_decref(data->total);
    for (unsigned i = 0; i < TOP_VIEWS; i++)
        json_decref(data->rows[i]);
}

static json_t *row_named(json_t *rows, const char *name)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row) {
        const char *known = json_string_value(json_object_get(row, "name"));
        if (known != NULL && strcmp(known, name) == 0)
            return row;
    }
    return NULL;
}

static json_t *row_made(json_t *rows, const char *name)
{
    json_t *row = row_named(rows, name);
    if (row == NULL) {
        row = json_object();
        json_object_set_new(row, "name", json_string(name));
        json_array_append_new(rows, row);
    }
    return row;
}

static const char *const measures[] = {"requests", "errors", "refused", "bytesIn", "bytesOut", "p50", "p95", "p99"};

static void fall_silent(json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
        for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
            json_object_del(row, measures[i]);
}

static void take_tick(struct top_data *data, json_t *tick)
{
    json_t *total = json_object_get(tick, "total");
    const char *name;
    json_t *measured;
    if (json_is_object(total)) {
        json_decref(data->total);
        data->total = json_incref(total);
    }
    data->lost += json_integer_value(json_object_get(tick, "lost"));
    json_object_set(data->total, "interval", json_object_get(tick, "interval"));
    for (unsigned view = 0; view < TOP_VIEWS; view++) {
        if (views[view].live == NULL)
            continue;
        fall_silent(data->rows[view]);
        json_object_foreach(json_object_get(tick, views[view].live), name, measured)
            json_object_update(row_made(data->rows[view], name), measured);
    }
}

void top_data_event(struct top_data *data, struct str event, json_t *body)
{
    if (str_equal(event, S("tick")))
        take_tick(data, body);
    else if (str_equal(event, S("hello")))
        data->can_write = json_is_true(json_object_get(body, "canWrite"));
}

void top_data_overview(struct top_data *data, json_t *body)
{
    json_decref(data->overview);
    data->overview = json_incref(body);
    data->can_write = json_is_true(json_object_get(body, "canWrite"));
}

/* A server's row is known by what the tick calls it. What the list says of state and reasons joins what the tick measured. */
static void join_servers(struct top_data *data, json_t *list)
{
    json_t *rows = json_array(), *server;
    size_t index;
    json_array_foreach(list, index, server) {
        json_t *name = json_sprintf("%s|%s", json_string_value(json_object_get(server, "service")),
                                    json_string_value(json_object_get(server, "url")));
        json_t *former = row_named(data->rows[TOP_SERVERS], json_string_value(name)), *row = json_copy(server);
        for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
            json_object_del(row, measures[i]);
            if (json_object_get(former, measures[i]) != NULL)
                json_object_set(row, measures[i], json_object_get(former, measures[i]));
        }
        json_object_set_new(row, "name", name);
        json_array_append_new(rows, row);
    }
    json_decref(data->rows[TOP_SERVERS]);
    data->rows[TOP_SERVERS] = rows;
}

void top_data_list(struct top_data *data, enum top_view view, json_t *body)
{
    if (!json_is_array(body))
        return;
    if (view == TOP_SERVERS) {
        join_servers(data, body);
        return;
    }
    json_decref(data->rows[view]);
    data->rows[view] = json_incref(body);
}

void top_data_map(struct top_data *data, json_t *body)
{
    static const enum top_view named[] = {TOP_ENTRYPOINTS, TOP_ROUTERS, TOP_SERVICES};
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        size_t index;
        json_t *thing;
        json_array_foreach(json_object_get(body, views[named[i]].live), index, thing) {
            const char *name = json_string_value(json_object_get(thing, "name"));
            if (name != NULL)
                row_made(data->rows[named[i]], name);
        }
    }
}
