/* Nodes and directives know each other by their places: a node's span is that of a word of its directive. */
#include "cli/convert_comments.h"

/* Keys of maps are bytes; those of a pointer or a place are made of it, in the arena. */
static struct str key_of(struct arena *arena, const void *data, size_t size)
{
    return arena_str(arena, str_of(data, size));
}

struct place {
    const struct source *source;
    uint64_t line, column;        /* no gaps: these bytes are compared */
};

static struct place place_of(struct span span)
{
    return (struct place){.source = span.source, .line = span.line, .column = span.column};
}

/* --- directives -------------------------------------------------------------------------------------- */

static void note_place(struct convert_comments *comments, struct span span, const struct nginx_directive *directive)
{
    struct place place = place_of(span);
    map_put(&comments->places, key_of(comments->arena, &place, sizeof(place)), (void *)(uintptr_t)directive);
}

static void note_places(struct convert_comments *comments, const struct nginx_directive *block)
{
    NGINX_FOREACH(block, it) {
        note_place(comments, it->span, it);
        for (size_t i = 0; i < it->count; i++)
            note_place(comments, it->words[i].span, it);
        note_places(comments, it);
    }
}

/* --- nodes ------------------------------------------------------------------------------------------- */

static const struct nginx_directive *directive_at(const struct convert_comments *comments, struct span span)
{
    struct place place = place_of(span);
    return span.source != NULL ? map_get(&comments->places, str_of((const char *)&place, sizeof(place))) : NULL;
}

static void note_node(struct convert_comments *comments, const struct nginx_directive *directive, const struct node *node)
{
    if (directive == NULL || map_has(&comments->nodes, str_of((const char *)&directive, sizeof(directive))))
        return;
    map_put(&comments->nodes, key_of(comments->arena, &directive, sizeof(directive)), (void *)(uintptr_t)node);
}

static void note_nodes(struct convert_comments *comments, const struct node *parent)
{
    NODE_FOREACH(parent, it) {
        note_node(comments, directive_at(comments, it->key_span), it);
        note_node(comments, directive_at(comments, it->span), it);
        note_nodes(comments, it);
    }
}

/* Objects with names come first: a server's comment is its site's, though an entrypoint's option may have come of it as well. */
static void note_objects(struct convert_comments *comments, const struct node *root)
{
    NODE_FOREACH(node_get(root, S("http")), section) {
        NODE_FOREACH(section, it) {
            note_node(comments, directive_at(comments, it->key_span), it);
        }
    }
}

/* --- both -------------------------------------------------------------------------------------------- */

static struct str joined(struct convert_comments *comments, struct str before, struct str behind)
{
    return str_empty(before) ? behind : arena_printf(comments->arena, "%.*s\n%.*s", STR_ARGS(before), STR_ARGS(behind));
}

static void give(struct convert_comments *comments, const struct nginx_directive *directive, struct str text)
{
    const struct node *node = NULL;
    for (; directive != NULL && node == NULL; directive = directive->parent)
        node = map_get(&comments->nodes, str_of((const char *)&directive, sizeof(directive)));
    if (node == NULL) {
        comments->top = joined(comments, comments->top, text);
        return;
    }
    struct str *known = map_get(&comments->texts, str_of((const char *)&node, sizeof(node)));
    if (known == NULL) {
        known = arena_new(comments->arena, struct str);
        map_put(&comments->texts, key_of(comments->arena, &node, sizeof(node)), known);
    }
    *known = joined(comments, *known, text);
}

static void give_all(struct convert_comments *comments, const struct nginx_directive *block)
{
    NGINX_FOREACH(block, it) {
        if (!str_empty(it->comment))
            give(comments, it, it->comment);
        give_all(comments, it);
    }
}

void convert_comments_init(struct convert_comments *comments, const struct nginx_directive *tree, const struct node *root,
                           struct arena *arena)
{
    *comments = (struct convert_comments){.arena = arena};
    map_init(&comments->places, false);
    map_init(&comments->nodes, false);
    map_init(&comments->texts, false);
    note_places(comments, tree);
    note_objects(comments, root);
    note_nodes(comments, root);
    give_all(comments, tree);
    if (!str_empty(tree->comment))
        comments->top = joined(comments, comments->top, tree->comment);
}

void convert_comments_release(struct convert_comments *comments)
{
    map_release(&comments->places);
    map_release(&comments->nodes);
    map_release(&comments->texts);
}

struct str convert_comment(void *context, const struct node *node)
{
    const struct convert_comments *comments = context;
    const struct str *text = map_get(&comments->texts, str_of((const char *)&node, sizeof(node)));
    return text != NULL ? *text : STR_NONE;
}
