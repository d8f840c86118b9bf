/* Builds the tree from libyaml's events, with a stack of its own: the depth limit holds before libyaml's
 * look-ahead, which is quadratic in the number of open brackets, can hurt. */
#include "config/yaml.h"

#include <yaml.h>

#include "base/map.h"
#include "config/yaml_place.h"

#define KEYS_BY_SCAN 16   /* a map with more keys than this finds duplicates by hashing */

/* An open map or list. */
struct frame {
    struct node *node;
    struct map keys;         /* key -> its node, once there are more than KEYS_BY_SCAN */
    struct str key;          /* of a map: the key whose value comes next */
    struct span key_span;
    bool key_given, key_plain;
    bool merges;             /* has `<<` members that are laid under it at its end */
};

struct reader {
    struct arena *arena;
    struct diag *diag;
    yaml_parser_t parser;
    struct yaml_place place;
    struct node *root;
    struct frame frames[YAML_DEPTH_MAX];
    size_t depth;
    struct map anchors;      /* name -> node */
    struct node *spare;      /* was a key, of which the text and place were taken: the next node; NULL: none */
    bool key_anchored;       /* the last scalar has an anchor, so others may ask for its node */
    size_t nodes;            /* that may still be made */
    size_t aliased;          /* nodes that aliases may still copy */
    struct str known[64];    /* short texts that came lately, by hash: the same keys come thousands of times */
};

static struct str text_of(const yaml_char_t *text)
{
    return str_from((const char *)text);
}

#define KNOWN_TEXT_MAX 32

static struct str keep_text(struct reader *reader, struct str text)
{
    if (text.len == 0 || text.len > KNOWN_TEXT_MAX)
        return arena_str(reader->arena, text);
    struct str *known = &reader->known[str_hash(text) % (sizeof(reader->known) / sizeof(reader->known[0]))];
    if (!str_equal(*known, text))
        *known = arena_str(reader->arena, text);
    return *known;
}

static struct span event_span(struct reader *reader, const yaml_event_t *event)
{
    return yaml_place_span(&reader->place, event->start_mark.index, event->end_mark.index);
}

/* What people most often did when libyaml says this. */
static const char *syntax_hint(struct reader *reader, const char *problem, struct span span)
{
    struct str content = reader->place.source->content;
    char at = reader->place.offset < content.len ? content.data[reader->place.offset] : '\0';
    if (strstr(problem, "cannot start any token") != NULL) {
        if (at == '\t')
            return "YAML is indented by spaces, not tabs";
        return "a text that begins with this character needs quotes";
    }
    if (strstr(problem, "mapping values are not allowed") != NULL)
        return "a text with ': ' in it needs quotes; or is the indentation off?";
    if (strstr(problem, "expected key") != NULL)
        return span.column == 1 ? "is a ':' missing?" : "is the indentation off?";
    if (strstr(problem, "expected ':'") != NULL)
        return "is a ':' missing?";
    return NULL;
}

static void report_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not readable";
    if (parser->error == YAML_READER_ERROR) {
        diag_error(reader->diag, yaml_place_byte(&reader->place, parser->problem_offset), "%s",
                   problem);
        return;
    }
    struct span context = yaml_place_span(&reader->place, parser->context_mark.index, 0);
    struct span span = yaml_place_span(&reader->place, parser->problem_mark.index, 0);
    struct diag_item *item = diag_error(reader->diag, span, "%s", problem);
    const char *hint = syntax_hint(reader, problem, span);
    if (hint != NULL)
        diag_hint(reader->diag, item, "%s", hint);
    if (parser->context != NULL && context.line != span.line) {
        item->context = arena_str(reader->arena, str_from(parser->context));
        item->context_span = context;
    }
}

static bool is_null(struct str text)
{
    return str_empty(text) || str_equal(text, S("~")) || str_equal(text, S("null")) ||
           str_equal(text, S("Null")) || str_equal(text, S("NULL"));
}

static bool is_merge(const struct frame *frame)
{
    return frame->key_plain && str_equal(frame->key, S("<<"));
}

/* --- members ---------------------------------------------------------------------------------------- */

static struct node *find_key(const struct frame *frame, struct str key)
{
    if (frame->node->count > KEYS_BY_SCAN)
        return map_get(&frame->keys, key);
    NODE_FOREACH(frame->node, child) {
        if (str_equal(child->key, key))
            return child;
    }
    return NULL;
}

static void add_member(struct frame *frame, struct node *child)
{
    node_append(frame->node, child);
    if (frame->node->count <= KEYS_BY_SCAN)
        return;
    if (frame->keys.count == 0) {
        NODE_FOREACH(frame->node, it)
            map_put(&frame->keys, it->key, it);
    } else {
        map_put(&frame->keys, child->key, child);
    }
}

static void report_duplicate(struct reader *reader, const struct frame *frame,
                             const struct node *first)
{
    struct diag_item *item = diag_error(reader->diag, frame->key_span, "duplicate key '%.*s'",
                                        STR_ARGS(frame->key));
    item->context = S("first given");
    item->context_span = first->key_span;
}

/* `node` stands where a key is expected. */
static bool take_key(struct reader *reader, struct frame *frame, struct node *node)
{
    if (node->kind != NODE_SCALAR) {
        diag_error(reader->diag, node->span, "a key must be a text");
        return false;
    }
    frame->key = node->text;
    frame->key_span = node->span;
    frame->key_given = true;
    frame->key_plain = !node->quoted;
    if (!reader->key_anchored)
        reader->spare = node;
    return true;
}

/* Puts a node where it belongs: the root, an item, a key or a value. False: reading ends. */
static bool place_node(struct reader *reader, struct node *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        return true;
    }
    struct frame *frame = &reader->frames[reader->depth - 1];
    if (frame->node->kind == NODE_LIST) {
        node_append(frame->node, node);
        return true;
    }
    if (!frame->key_given)
        return take_key(reader, frame, node);

    frame->key_given = false;
    node->key = frame->key;
    node->key_span = frame->key_span;
    node->parent = frame->node;
    const struct node *first = find_key(frame, frame->key);
    if (first != NULL) {
        report_duplicate(reader, frame, first);
        return true;
    }
    frame->merges |= is_merge(frame);
    add_member(frame, node);
    return true;
}

/* --- merges ----------------------------------------------------------------------------------------- */

static void report_blow_up(struct reader *reader, struct span span)
{
    diag_error(reader->diag, span, "aliases copy more than %d values", YAML_ALIASED_MAX);
}

static void merge_map(struct reader *reader, struct frame *frame, const struct node *from)
{
    if (from->kind != NODE_MAP) {
        diag_error(reader->diag, node_span(from), "'<<' takes a map or a list of maps");
        return;
    }
    NODE_FOREACH(from, child) {
        if (find_key(frame, child->key) != NULL)
            continue;
        struct node *copy = node_copy(reader->arena, child, &reader->aliased);
        if (copy == NULL) {
            report_blow_up(reader, from->span);
            return;
        }
        copy->key = child->key;
        copy->key_span = child->key_span;
        add_member(frame, copy);
    }
}

/* The `<<` member gives way to what it names; keys that the map has itself win, then the earlier ones. */
static void merge_into(struct reader *reader, struct frame *frame)
{
    struct node *merge = NULL, *before = NULL;
    for (merge = frame->node->first; !str_equal(merge->key, S("<<")); merge = merge->next)
        before = merge;
    if (before != NULL)
        before->next = merge->next;
    else
        frame->node->first = merge->next;
    if (frame->node->last == merge)
        frame->node->last = before;
    /* A leftover entry of the key index does no harm: a second `<<` was refused as a duplicate. */
    frame->node->count--;

    if (merge->kind != NODE_LIST) {
        merge_map(reader, frame, merge);
        return;
    }
    NODE_FOREACH(merge, from)
        merge_map(reader, frame, from);
}

/* --- events ----------------------------------------------------------------------------------------- */

static struct node *make_node(struct reader *reader, enum node_kind kind, struct span span)
{
    if (reader->nodes == 0) {
        diag_error(reader->diag, span, "more than %d values in one file", YAML_NODES_MAX);
        return NULL;
    }
    reader->nodes--;
    struct node *node = reader->spare;
    if (node == NULL)
        return node_new(reader->arena, kind, span);
    reader->spare = NULL;
    *node = (struct node){.kind = kind, .span = span};
    return node;
}

static void remember_anchor(struct reader *reader, const yaml_char_t *anchor, struct node *node)
{
    if (anchor != NULL)
        map_put(&reader->anchors, arena_str(reader->arena, text_of(anchor)), node);
}

/* The core tags say what the binder finds out itself; others ask for what is not done here. */
static void check_tag(struct reader *reader, const yaml_char_t *tag, struct span span)
{
    static const char *const core[] = {"str", "int", "float", "bool", "null", "map", "seq"};
    struct str name = text_of(tag), prefix = S("tag:yaml.org,2002:");
    if (tag == NULL || str_equal(name, S("!")))
        return;
    for (size_t i = 0; str_starts(name, prefix) && i < sizeof(core) / sizeof(core[0]); i++) {
        if (str_equal(str_from_index(name, prefix.len), str_from(core[i])))
            return;
    }
    diag_error(reader->diag, span, "tags such as '%.*s' are not read", STR_ARGS(name));
}

static bool is_string_tag(const yaml_char_t *tag)
{
    struct str name = text_of(tag);
    return str_equal(name, S("!")) || str_equal(name, S("tag:yaml.org,2002:str"));
}

static bool on_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct span span = event_span(reader, event);
    struct str text = str_of((const char *)event->data.scalar.value, event->data.scalar.length);
    yaml_scalar_style_t style = event->data.scalar.style;
    bool quoted = style != YAML_PLAIN_SCALAR_STYLE || is_string_tag(event->data.scalar.tag);
    struct node *node = make_node(reader, quoted || !is_null(text) ? NODE_SCALAR : NODE_NULL, span);
    if (node == NULL)
        return false;
    check_tag(reader, event->data.scalar.tag, span);
    node->quoted = quoted;
    node->span.quoted =
        style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    node->text = keep_text(reader, text);
    if (memchr(text.data, '\0', text.len) != NULL)
        diag_error(reader->diag, span, "a text must not hold a NUL character");
    remember_anchor(reader, event->data.scalar.anchor, node);
    reader->key_anchored = event->data.scalar.anchor != NULL;
    return place_node(reader, node);
}

static bool on_open(struct reader *reader, const yaml_event_t *event, enum node_kind kind,
                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct span span = yaml_place_line(&reader->place, event->start_mark.index);
    if (reader->depth == YAML_DEPTH_MAX) {
        span.length = 1;
        diag_error(reader->diag, span, "nested deeper than %d levels", YAML_DEPTH_MAX);
        return false;
    }
    struct node *node = make_node(reader, kind, span);
    if (node == NULL || !place_node(reader, node))
        return false;
    check_tag(reader, tag, span);
    remember_anchor(reader, anchor, node);
    struct frame *frame = &reader->frames[reader->depth++];
    *frame = (struct frame){.node = node};
    map_init(&frame->keys, false);
    return true;
}

static void on_close(struct reader *reader)
{
    struct frame *frame = &reader->frames[reader->depth - 1];
    if (frame->merges)
        merge_into(reader, frame);
    map_release(&frame->keys);
    reader->depth--;
}

static bool is_open(const struct reader *reader, const struct node *node)
{
    for (size_t i = 0; i < reader->depth; i++) {
        if (reader->frames[i].node == node)
            return true;
    }
    return false;
}

static bool on_alias(struct reader *reader, const yaml_event_t *event)
{
    struct span span = event_span(reader, event);
    struct str name = text_of(event->data.alias.anchor);
    const struct node *target = map_get(&reader->anchors, name);
    if (target == NULL || is_open(reader, target)) {
        diag_error(reader->diag, span, target == NULL ? "there is no anchor '&%.*s' before this" :
                                                        "the anchor '&%.*s' holds itself",
                   STR_ARGS(name));
        return false;
    }
    struct node *copy = node_copy(reader->arena, target, &reader->aliased);
    if (copy == NULL) {
        report_blow_up(reader, span);
        return false;
    }
    return place_node(reader, copy);
}

static bool on_document(struct reader *reader, const yaml_event_t *event)
{
    if (reader->root == NULL)
        return true;
    struct diag_item *item = diag_error(reader->diag, event_span(reader, event),
                                        "a second document begins here");
    diag_hint(reader->diag, item, "only one is read: join them or use several files");
    return false;
}

/* False: reading ends, the reason is reported. */
static bool on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(reader, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(reader, event);
    case YAML_MAPPING_START_EVENT:
        return on_open(reader, event, NODE_MAP, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(reader, event, NODE_LIST, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        on_close(reader);
        return true;
    case YAML_ALIAS_EVENT:
        return on_alias(reader, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

static bool read_events(struct reader *reader)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            report_syntax(reader);
            return false;
        }
        bool ended = event.type == YAML_STREAM_END_EVENT;
        bool good = on_event(reader, &event);
        yaml_event_delete(&event);
        if (!good || ended)
            return good;
    }
}

struct node *yaml_read(struct arena *arena, const struct source *source, struct diag *diag)
{
    struct reader reader = {
        .arena = arena, .diag = diag, .nodes = YAML_NODES_MAX, .aliased = YAML_ALIASED_MAX};
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_place_init(&reader.place, source);
    map_init(&reader.anchors, false);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)source->content.data,
                                 source->content.len);

    bool whole = read_events(&reader);
    while (reader.depth > 0)
        map_release(&reader.frames[--reader.depth].keys);
    map_release(&reader.anchors);
    yaml_parser_delete(&reader.parser);
    if (!whole)
        return NULL;
    return reader.root != NULL ? reader.root
                               : node_new(arena, NODE_NULL, yaml_place_byte(&reader.place, 0));
}
