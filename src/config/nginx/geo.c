/* geo: a variable of the model by networks or ranges. Rows count in their order: one replaces an equal one before it, `delete` takes one
 * away; what is left stands in the model. */
#include "config/nginx/computed.h"

static const struct nginx_syntax rows[] = {
    {"geo", NGINX_HTTP, .min = 1, .max = 2, .block = true, .repeats = true, .help = "A variable whose value the client's address chooses."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

struct geo {
    struct nginx_compile *compile;
    struct node *options;
    struct node *networks;        /* NULL: none yet */
    struct map by_text;           /* -> its node in `networks`, with key.data NULL once it was deleted */
    bool ranges;
};

static void set_flag(struct geo *geo, const char *key, const struct nginx_directive *row)
{
    nginx_put_flag(geo->compile, geo->options, key, true, row->span);
}

static bool is_switch(struct geo *geo, const struct nginx_directive *row)
{
    if (row->count != 0)
        return false;
    if (str_equal(row->name, S("ranges"))) {
        if (geo->networks != NULL)
            diag_error(geo->compile->diag, row->span, "the \"ranges\" directive must be the first directive inside \"geo\" block");
        geo->ranges = true;
        return true;
    }
    if (str_equal(row->name, S("proxy_recursive")))
        return set_flag(geo, "proxyRecursive", row), true;
    if (str_equal(row->name, S("volatile")))
        return set_flag(geo, "volatile", row), true;
    return false;
}

static void delete_row(struct geo *geo, const struct nginx_word *word)
{
    struct node *node = map_remove(&geo->by_text, word->text);
    if (node == NULL) {
        diag_warning(geo->compile->diag, word->span, "no %s \"%.*s\" to delete", geo->ranges ? "address range" : "network",
                     STR_ARGS(word->text));
        return;
    }
    node->key = STR_NONE;
}

static void put_row(struct geo *geo, const struct nginx_directive *row)
{
    struct node *before = map_get(&geo->by_text, row->name);
    bool is_range = str_find_char(row->name, '-', 0) >= 0;
    if (is_range != geo->ranges) {
        diag_error(geo->compile->diag, row->span, "invalid %s \"%.*s\"", geo->ranges ? "range" : "network", STR_ARGS(row->name));
        return;
    }
    if (before != NULL) {
        diag_warning(geo->compile->diag, row->span, "duplicate %s \"%.*s\", value: \"%.*s\", old value: \"%.*s\"",
                     geo->ranges ? "range" : "network", STR_ARGS(row->name), STR_ARGS(row->words[0].text), STR_ARGS(before->text));
        before->text = row->words[0].text;
        return;
    }
    if (geo->networks == NULL)
        geo->networks = nginx_put_map(geo->compile, geo->options, "networks", row->span);
    struct node *item = node_scalar(geo->compile->arena, row->words[0].text, row->words[0].span);
    item->key = row->name;
    item->key_span = row->span;
    node_append(geo->networks, item);
    map_put(&geo->by_text, item->key, item);
}

static void add_row(struct geo *geo, const struct nginx_directive *row)
{
    struct nginx_compile *compile = geo->compile;
    if (is_switch(geo, row))
        return;
    if (row->count != 1)
        diag_error(compile->diag, row->span, "invalid number of the geo parameters");
    else if (str_equal(row->name, S("default")))
        nginx_put(compile, geo->options, "default", row->words[0].text, row->words[0].span);
    else if (str_equal(row->name, S("delete")))
        delete_row(geo, &row->words[0]);
    else if (str_equal(row->name, S("proxy")))
        nginx_add_text(compile, nginx_put_list(compile, geo->options, "proxies", row->span), row->words[0].text, row->words[0].span);
    else
        put_row(geo, row);
}

/* What was deleted leaves the list. */
static void drop_deleted(struct geo *geo)
{
    struct node **link = geo->networks != NULL ? &geo->networks->first : NULL;
    struct node *last = NULL;
    while (link != NULL && *link != NULL) {
        if ((*link)->key.data == NULL) {
            *link = (*link)->next;
            geo->networks->count--;
        } else {
            last = *link;
            link = &(*link)->next;
        }
    }
    if (geo->networks != NULL)
        geo->networks->last = last;
}

static void add_geo(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    struct geo geo = {.compile = compile};
    geo.options = nginx_variable(compile, &directive->words[directive->count - 1], "geo");
    if (geo.options == NULL)
        return;
    map_init(&geo.by_text, false);
    if (directive->count == 2)
        nginx_put(compile, geo.options, "source", nginx_template(compile, &directive->words[0]), directive->words[0].span);
    NGINX_FOREACH(directive, row)
        add_row(&geo, row);
    drop_deleted(&geo);
    map_release(&geo.by_text);
}

static void add_all(struct nginx_compile *compile)
{
    if (compile->http == NULL)
        return;
    NGINX_FOREACH(compile->http->block, it)
        if (str_equal(it->name, S("geo")))
            add_geo(compile, it);
}

static const struct nginx_part part = {.name = "geo", .order = 0, .global = add_all};
REGISTER(nginx_part, part);
