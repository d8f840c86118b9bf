/* Walks a tree and a table side by side. Texts are read in value.c; this file knows the shapes. */
#include "config/bind.h"

#include <assert.h>

#include "config/bind_unknown.h"
#include "config/value.h"

#define OPTIONS_MAX 128   /* of one table */
#define DEPTH_MAX 64      /* of objects in objects */

struct binder {
    const struct option_table *root;
    const struct bind_options *options;
    struct arena *arena;
    struct diag *diag;
    unsigned depth;
};

/* One object while it is read. */
struct object {
    const struct option_table *table;
    const struct node *node;    /* NULL: nothing is said about it */
    struct span span;           /* for complaints about the object as a whole */
    void *value;
    bool has_unknown;           /* a key was refused: perhaps the one that is missed */
    const struct node *given[OPTIONS_MAX];   /* by option */
    bool misspelt[OPTIONS_MAX];              /* an unknown key was probably meant as this option */
};

static void bind_table(struct binder *b, const struct option_table *table, const struct node *node,
                       struct span span, void *value);

static bool is_null(const struct node *node)
{
    return node == NULL || node->kind == NODE_NULL;
}

static const char *kind_text(const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL:
        return "nothing";
    case NODE_SCALAR:
        return "a text";
    case NODE_LIST:
        return "a list";
    case NODE_MAP:
        return "a map";
    }
    return "";
}

static void report_kind(struct binder *b, const struct node *node, const char *expected)
{
    if (node->kind == NODE_SCALAR)
        diag_error(b->diag, node_span(node), "expected %s, got '%.*s'", expected,
                   STR_ARGS(node->text));
    else
        diag_error(b->diag, node_span(node), "expected %s, got %s", expected, kind_text(node));
}

static const char *expected_text(const struct option *option)
{
    static const char *const texts[] = {
        [OPTION_BOOL] = "true or false",
        [OPTION_INT] = "a whole number",
        [OPTION_NUMBER] = "a number",
        [OPTION_DURATION] = "a duration such as '30s'",
        [OPTION_SIZE] = "a size such as '1MiB'",
        [OPTION_STR] = "a string",
        [OPTION_ENUM] = "a word",
        [OPTION_STRS] = "a list of strings",
        [OPTION_STRMAP] = "a map of strings",
        [OPTION_STRUCT] = "an object",
        [OPTION_OBJECT] = "an object, true or false",
        [OPTION_LIST] = "a list of objects",
        [OPTION_MAP] = "a map of objects by name",
        [OPTION_CHOICE] = "an object",
    };
    return texts[option->type];
}

/* --- plain values ----------------------------------------------------------------------------------- */

static void bind_scalar(struct binder *b, const struct option *option, const struct node *node,
                        void *storage)
{
    if (node->kind != NODE_SCALAR)
        report_kind(b, node, expected_text(option));
    else
        value_parse(option, node->text, node->span, storage, b->arena, b->diag);
}

static void bind_strs(struct binder *b, const struct option *option, const struct node *node,
                      struct strs *strs)
{
    if (node->kind == NODE_SCALAR) {
        value_split(option, node->text, node->span, strs, b->arena, b->diag);
        return;
    }
    if (node->kind != NODE_LIST) {
        report_kind(b, node, expected_text(option));
        return;
    }
    strs->items = arena_array(b->arena, struct str, node->count);
    NODE_FOREACH(node, item) {
        if (item->kind != NODE_SCALAR) {
            report_kind(b, item, "a string");
            continue;
        }
        value_check(option, item->text, item->span, b->arena, b->diag);
        strs->items[strs->count++] = item->text;
    }
}

static void bind_strmap(struct binder *b, const struct option *option, const struct node *node,
                        struct strmap *map)
{
    if (node->kind != NODE_MAP) {
        report_kind(b, node, expected_text(option));
        return;
    }
    map->items = arena_array(b->arena, struct strmap_item, node->count);
    NODE_FOREACH(node, item) {
        if (item->kind != NODE_SCALAR && item->kind != NODE_NULL) {
            report_kind(b, item, "a string");
            continue;
        }
        struct str value = item->kind == NODE_SCALAR ? item->text : S("");
        if (item->kind == NODE_SCALAR)
            value_check(option, value, item->span, b->arena, b->diag);
        map->items[map->count++] = (struct strmap_item){.name = item->key, .value = value};
    }
}

/* --- objects ---------------------------------------------------------------------------------------- */

static void *new_object(struct binder *b, const struct option_table *table, const struct node *node,
                        struct span span)
{
    void *value = arena_zalloc(b->arena, table->size);
    bind_table(b, table, node, span, value);
    return value;
}

/* An object that may be switched: NULL for `false`. */
static void *bind_switched(struct binder *b, const struct option_table *table,
                           const struct node *node)
{
    if (node->kind == NODE_SCALAR && str_equal_nocase(node->text, S("false")))
        return NULL;
    return new_object(b, table, node, node_span(node));
}

static void bind_list(struct binder *b, const struct option *option, const struct node *node,
                      struct objects *objects)
{
    if (node->kind == NODE_SCALAR) {
        report_kind(b, node, expected_text(option));
        return;
    }
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    objects->items = arena_array(b->arena, struct object_item, count);
    const struct node *it = node->kind == NODE_LIST ? node->first : node;
    for (size_t i = 0; i < count; i++, it = it->next) {
        size_t mistakes = b->diag->mistakes;
        struct object_item *item = &objects->items[objects->count++];
        item->node = it;
        item->value = new_object(b, option->table, it, node_span(it));
        item->broken = b->diag->mistakes != mistakes;
    }
}

/* "routers" holds routers: what one of them is called. */
static struct str singular(const struct option *option)
{
    struct str name = str_from(option->name);
    return str_ends(name, S("s")) ? str_first(name, name.len - 1) : name;
}

static void check_name(struct binder *b, const struct node *node)
{
    ptrdiff_t at = str_find_char(node->key, '@', 0);
    if (str_empty(node->key))
        diag_error(b->diag, node->key_span, "a name must not be empty");
    else if (at >= 0)
        diag_error(b->diag, span_inside(node->key_span, (size_t)at, node->key.len - (size_t)at),
                   "a name must not contain '@'; that is for references to other providers");
}

static void bind_map(struct binder *b, const struct option *option, const struct node *node,
                     struct objects *objects)
{
    if (node->kind != NODE_MAP) {
        report_kind(b, node, expected_text(option));
        return;
    }
    objects->items = arena_array(b->arena, struct object_item, node->count);
    struct str noun = singular(option);
    NODE_FOREACH(node, child) {
        size_t mistakes = b->diag->mistakes;
        struct object_item *item = &objects->items[objects->count++];
        diag_enter(b->diag, child->key_span, "in %.*s '%.*s'", STR_ARGS(noun),
                   STR_ARGS(child->key));
        check_name(b, child);
        item->name = child->key;
        item->node = child;
        item->value = new_object(b, option->table, child, node_span(child));
        item->broken = b->diag->mistakes != mistakes;
        diag_leave(b->diag);
    }
}

static void bind_option(struct binder *b, const struct option *option, const struct node *node,
                        void *storage)
{
    switch ((enum option_type)option->type) {
    case OPTION_STRUCT:
        bind_table(b, option->table, node, node_span(node), storage);
        return;
    case OPTION_OBJECT:
        *(void **)storage = bind_switched(b, option->table, node);
        return;
    case OPTION_LIST:
        bind_list(b, option, node, storage);
        return;
    case OPTION_MAP:
        bind_map(b, option, node, storage);
        return;
    case OPTION_STRS:
        bind_strs(b, option, node, storage);
        return;
    case OPTION_STRMAP:
        bind_strmap(b, option, node, storage);
        return;
    case OPTION_BOOL:
    case OPTION_INT:
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_STR:
    case OPTION_ENUM:
        bind_scalar(b, option, node, storage);
        return;
    case OPTION_CHOICE:
        return;
    }
}

/* --- one table -------------------------------------------------------------------------------------- */

static void report_twice(struct binder *b, const struct node *second, const struct node *first)
{
    struct diag_item *item = diag_error(b->diag, second->key_span, "'%.*s' is given twice",
                                        STR_ARGS(second->key));
    item->context = S("first given");
    item->context_span = first->key_span;
}

static void read_choice(struct binder *b, struct object *object, const struct option *option,
                        const struct choice_type *type, const struct node *node)
{
    struct choice *choice = option_at(object->value, option);
    const struct node **given = &object->given[option - object->table->options];
    if (node->kind == NODE_SCALAR && str_equal_nocase(node->text, S("false")))
        return;
    if (*given != NULL) {
        struct diag_item *item =
            diag_error(b->diag, node->key_span, "'%.*s' beside '%.*s': only one can be given here",
                       STR_ARGS(node->key), STR_ARGS((*given)->key));
        diag_hint(b->diag, item, "give it a name of its own");
        return;
    }
    *given = node;
    choice->type = type;
    choice->node = node;
    choice->value = new_object(b, type->table, node, node_span(node));
}

static void read_option(struct binder *b, const struct option *option, const struct node *node,
                        void *storage)
{
    size_t mistakes = b->diag->mistakes;
    bind_option(b, option, node, storage);
    if (option->required && b->diag->mistakes == mistakes && option_holds_nothing(option, storage))
        diag_error(b->diag, node_span(node), "'%s' must not be empty", option->name);
}

static void read_member(struct binder *b, struct object *object, const struct node *node)
{
    const struct option *option = option_find(object->table, node->key);
    if (option == NULL) {
        const struct option *choice = option_find_choice(object->table);
        const struct choice_type *type = choice_find(choice, node->key);
        if (type != NULL) {
            read_choice(b, object, choice, type, node);
            return;
        }
        object->has_unknown = true;
        option = bind_report_unknown(b->root, object->table, node, b->options, b->diag);
        if (option != NULL)
            object->misspelt[option - object->table->options] = true;
        return;
    }
    const struct node **given = &object->given[option - object->table->options];
    if (*given != NULL) {
        report_twice(b, node, *given);
        return;
    }
    *given = node;
    if (option->removed != NULL)
        diag_error(b->diag, node->key_span, "'%.*s' is no longer read: %s", STR_ARGS(node->key),
                   option->removed);
    else if (option->accepted != NULL)
        diag_note(b->diag, node->key_span, "'%.*s' has no effect here: %s", STR_ARGS(node->key),
                  option->accepted);
    else if (!is_null(node) || option->type == OPTION_OBJECT)
        read_option(b, option, node, option_at(object->value, option));
    else
        *given = NULL;   /* "key:" alone leaves the default */
}

static void report_no_choice(struct binder *b, const struct object *object,
                             const struct option *option)
{
    const struct choice_type *type;
    struct str names = STR_NONE;
    for (size_t i = 0; option->choices != NULL && (type = option->choices(i)) != NULL; i++)
        names = arena_printf(b->arena, "%.*s%s%s", STR_ARGS(names), i > 0 ? ", " : "", type->name);
    struct diag_item *item = diag_error(b->diag, object->span, "nothing says what this is");
    diag_hint(b->diag, item, "one of: %.*s", STR_ARGS(names));
}

static void report_missing(struct binder *b, const struct object *object,
                           const struct option *option)
{
    if (option->type == OPTION_CHOICE) {
        if (!object->has_unknown)
            report_no_choice(b, object, option);
        return;
    }
    struct diag_item *item = diag_error(b->diag, object->span, "'%s' is missing", option->name);
    if (option->help != NULL)
        diag_hint(b->diag, item, "%s", option->help);
}

/* Defaults are read by the code that reads users' texts; a table with a bad one is a mistake of ours. */
static void set_default(struct binder *b, const struct object *object, const struct option *option)
{
    void *storage = option_at(object->value, option);
    bool good = true;
    if (option->type == OPTION_STRUCT)
        bind_table(b, option->table, NULL, object->span, storage);
    else if (option->fallback == NULL)
        return;
    else if (option->type == OPTION_OBJECT)
        *(void **)storage = new_object(b, option->table, NULL, object->span);
    else if (option->type == OPTION_STRS)
        good =
            value_split(option, str_from(option->fallback), SPAN_NONE, storage, b->arena, b->diag);
    else
        good =
            value_parse(option, str_from(option->fallback), SPAN_NONE, storage, b->arena, b->diag);
    assert(good);
}

static void read_members(struct binder *b, struct object *object)
{
    const struct node *node = object->node;
    if (is_null(node))
        return;
    if (node->kind == NODE_MAP) {
        NODE_FOREACH(node, child)
            read_member(b, object, child);
    } else if (node->kind != NODE_SCALAR || !str_equal_nocase(node->text, S("true"))) {
        report_kind(b, node, "an object");
    }
}

static void complete(struct binder *b, const struct object *object)
{
    for (size_t i = 0; i < object->table->count; i++) {
        const struct option *option = &object->table->options[i];
        if (option->removed != NULL || option->accepted != NULL)
            continue;
        const struct node *given = object->given[i];
        if (given == NULL && option->required && object->misspelt[i])
            continue;   /* once is enough */
        if (given == NULL && option->required)
            report_missing(b, object, option);
        else if (given == NULL)
            set_default(b, object, option);
    }
}

static void bind_table(struct binder *b, const struct option_table *table, const struct node *node,
                       struct span span, void *value)
{
    assert(table->count <= OPTIONS_MAX);
    struct object object = {.table = table, .node = node, .span = span, .value = value};
    size_t mistakes = b->diag->mistakes;
    if (table->origin_offset >= 0)
        *(const struct node **)((char *)value + table->origin_offset) = node;
    if (b->depth == DEPTH_MAX) {
        diag_error(b->diag, span, "nested deeper than %d objects", DEPTH_MAX);
        return;
    }
    b->depth++;
    read_members(b, &object);
    complete(b, &object);
    b->depth--;
    if (table->validate != NULL && b->diag->mistakes == mistakes)
        table->validate(value, node, b->diag);
}

bool bind_object(const struct option_table *table, const struct node *node, void *value,
                 const struct bind_options *options, struct arena *arena, struct diag *diag)
{
    struct binder b = {.root = table, .options = options, .arena = arena, .diag = diag};
    size_t mistakes = diag->mistakes;
    memset(value, 0, table->size);
    bind_table(&b, table, node, node_span(node), value);
    return diag->mistakes == mistakes;
}

void *bind_new(const struct option_table *table, const struct node *node,
               const struct bind_options *options, struct arena *arena, struct diag *diag)
{
    void *value = arena_zalloc(arena, table->size > 0 ? table->size : 1);
    bind_object(table, node, value, options, arena, diag);
    return value;
}
