/* map and split_clients: variables of the model that are computed from others. */
#include "config/nginx/computed.h"

static const struct nginx_syntax rows[] = {
    {"map", NGINX_HTTP, .min = 2, .max = 2, .block = true, .repeats = true, .help = "A variable whose value another text chooses."},
    {"split_clients", NGINX_HTTP, .min = 2, .max = 2, .block = true, .repeats = true,
     .help = "A variable whose value is chosen for a share of all clients."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

struct node *nginx_variable(struct nginx_compile *compile, const struct nginx_word *word, const char *kind)
{
    if (word->text.len < 2 || word->text.data[0] != '$') {
        diag_error(compile->diag, word->span, "invalid variable name \"%.*s\"", STR_ARGS(word->text));
        return NULL;
    }
    struct node *section = nginx_section(compile, "http.variables");
    struct node *variable = nginx_put_map_named(compile, section, str_from_index(word->text, 1), word->span);
    node_become(variable, NODE_MAP);
    return nginx_put_map(compile, variable, kind, word->span);
}

static void duplicate(struct nginx_compile *compile, const struct nginx_directive *row, const char *what)
{
    diag_error(compile->diag, row->span, "duplicate %s", what);
}

static void add_row(struct nginx_compile *compile, struct node *map, const struct nginx_directive *row)
{
    if (row->count == 0 && (str_equal(row->name, S("hostnames")) || str_equal(row->name, S("volatile")))) {
        nginx_put_named(compile, map, row->name, S("true"), row->span);
        return;
    }
    if (row->count != 1) {
        diag_error(compile->diag, row->span, "invalid number of the map parameters");
        return;
    }
    struct str value = nginx_template(compile, &row->words[0]);
    if (str_equal(row->name, S("default"))) {
        if (node_get(map, S("default")) != NULL)
            duplicate(compile, row, "default map parameter");
        nginx_put(compile, map, "default", value, row->words[0].span);
        return;
    }
    struct node *values = nginx_put_map(compile, map, "values", row->span);
    struct node *item = node_scalar(compile->arena, value, row->words[0].span);
    item->key = row->name;
    item->key_span = row->span;
    node_append(values, item);
}

static void add_map(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    struct node *map = nginx_variable(compile, &directive->words[1], "map");
    if (map == NULL)
        return;
    nginx_put(compile, map, "source", nginx_template(compile, &directive->words[0]), directive->words[0].span);
    NGINX_FOREACH(directive, row)
        add_row(compile, map, row);
}

/* "10%", "0.25%". */
static bool is_share(struct str text)
{
    size_t digits = 0, dots = 0, decimals = 0;
    if (!str_ends(text, S("%")))
        return false;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '.')
            dots++;
        else if (ascii_digit(text.data[i]))
            digits++, decimals += dots;
        else
            return false;
    }
    return digits != 0 && dots <= 1 && decimals <= 2;
}

static void add_part(struct nginx_compile *compile, struct node *parts, const struct nginx_directive *row)
{
    bool rest = str_equal(row->name, S("*"));
    if (row->count != 1 || (!rest && !is_share(row->name))) {
        diag_error(compile->diag, row->span, "invalid percent value \"%.*s\"", STR_ARGS(row->name));
        return;
    }
    struct node *part = nginx_add_map(compile, parts, row->span);
    if (!rest)
        nginx_put(compile, part, "percent", str_first(row->name, row->name.len - 1), row->span);
    nginx_put(compile, part, "value", row->words[0].text, row->words[0].span);
}

static void add_split(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    struct node *split = nginx_variable(compile, &directive->words[1], "splitClients");
    if (split == NULL)
        return;
    nginx_put(compile, split, "source", nginx_template(compile, &directive->words[0]), directive->words[0].span);
    struct node *parts = nginx_put_list(compile, split, "parts", directive->span);
    NGINX_FOREACH(directive, row)
        add_part(compile, parts, row);
}

static void add_all(struct nginx_compile *compile)
{
    if (compile->http == NULL)
        return;
    NGINX_FOREACH(compile->http->block, it) {
        if (str_equal(it->name, S("map")))
            add_map(compile, it);
        else if (str_equal(it->name, S("split_clients")))
            add_split(compile, it);
    }
}

static const struct nginx_part part = {.name = "map", .order = 0, .global = add_all};
REGISTER(nginx_part, part);
