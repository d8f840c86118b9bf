/* geo: a variable of the model by networks or ranges. Rows count in their order: one replaces an equal one before it, `delete` takes one
 * away; what is left stands in the model. */
#include "config/nginx/computed.h"
#include "config/nginx/geo_ranges.h"

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
    struct geo_pieces pieces;     /* with `ranges` */
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

static void put_network(struct geo *geo, struct str key, struct span span, struct str value, struct span value_span)
{
    if (geo->networks == NULL)
        geo->networks = nginx_put_map(geo->compile, geo->options, "networks", span);
    struct node *item = node_scalar(geo->compile->arena, value, value_span);
    item->key = key;
    item->key_span = span;
    node_append(geo->networks, item);
    map_put(&geo->by_text, item->key, item);
}

static void warn_duplicate(struct geo *geo, const struct nginx_directive *row, const char *what, struct str old)
{
    diag_warning(geo->compile->diag, row->span, "duplicate %s \"%.*s\", value: \"%.*s\", old value: \"%.*s\"", what, STR_ARGS(row->name),
                 STR_ARGS(row->words[0].text), STR_ARGS(old));
}

static void delete_network(struct geo *geo, const struct nginx_word *word)
{
    struct node *node = map_remove(&geo->by_text, word->text);
    if (node == NULL)
        diag_warning(geo->compile->diag, word->span, "no network \"%.*s\" to delete", STR_ARGS(word->text));
    else
        node->key = STR_NONE;
}

static void add_network(struct geo *geo, const struct nginx_directive *row)
{
    struct node *before = map_get(&geo->by_text, row->name);
    if (str_find_char(row->name, '-', 0) >= 0) {
        diag_error(geo->compile->diag, row->span, "invalid network \"%.*s\"", STR_ARGS(row->name));
    } else if (before != NULL) {
        warn_duplicate(geo, row, "network", before->text);
        before->text = row->words[0].text;
    } else {
        put_network(geo, row->name, row->span, row->words[0].text, row->words[0].span);
    }
}

static void invalid_range(struct geo *geo, struct str text, struct span span)
{
    diag_error(geo->compile->diag, span, "invalid range \"%.*s\"", STR_ARGS(text));
}

static void delete_range(struct geo *geo, const struct nginx_word *word)
{
    uint32_t first, last;
    if (!geo_range_parse(word->text, &first, &last))
        invalid_range(geo, word->text, word->span);
    else if (geo_range_delete(&geo->pieces, first, last) == GEO_RANGE_ABSENT)
        diag_warning(geo->compile->diag, word->span, "no address range \"%.*s\" to delete", STR_ARGS(word->text));
}

static void add_range(struct geo *geo, const struct nginx_directive *row)
{
    struct geo_piece other, piece = {
        .text = row->name, .value = row->words[0].text, .span = row->span, .value_span = row->words[0].span};
    if (!geo_range_parse(row->name, &piece.first, &piece.last)) {
        invalid_range(geo, row->name, row->span);
        return;
    }
    enum geo_range_result result = geo_range_add(&geo->pieces, &piece, &other);
    if (result == GEO_RANGE_DUPLICATE)
        warn_duplicate(geo, row, "range", other.value);
    else if (result == GEO_RANGE_OVERLAPS)
        diag_error(geo->compile->diag, row->span, "range \"%.*s\" overlaps \"%.*s\"", STR_ARGS(row->name),
                   STR_ARGS(geo_piece_text(&other, geo->compile->arena)));
}

static void put_ranges(struct geo *geo)
{
    for (size_t i = 0; i < geo->pieces.list.count; i++) {
        const struct geo_piece *piece = &geo->pieces.list.items[i];
        put_network(geo, geo_piece_text(piece, geo->compile->arena), piece->span, piece->value, piece->value_span);
    }
    VEC_RELEASE(&geo->pieces.list);
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
        (geo->ranges ? delete_range : delete_network)(geo, &row->words[0]);
    else if (str_equal(row->name, S("proxy")))
        nginx_add_text(compile, nginx_put_list(compile, geo->options, "proxies", row->span), row->words[0].text, row->words[0].span);
    else
        (geo->ranges ? add_range : add_network)(geo, row);
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
    put_ranges(&geo);
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
