/* Labels -> what a container wants of the provider, and the sections that the tables know. What is unknown is told here as long as
 * it belongs to no object; what is wrong inside an object is the binder's to say (part.c). */
#include "provider/docker/candidate.h"

#include "config/bind.h"
#include "config/value.h"
#include "provider/docker/naming.h"
#include "provider/docker/tree.h"

struct engine_labels {               /* traefik.docker, traefik.swarm */
    struct str network;
    bool allow_non_running, lb_swarm;
};
static const struct option engine_options[] = {
    OPTION(STR, struct engine_labels, network, .help = "The network to reach it in."),
    OPTION_NAMED(BOOL, struct engine_labels, allow_non_running, "allowNonRunning",
                 .accepted = "what does not run keeps its routers in any case"),
    OPTION_NAMED(BOOL, struct engine_labels, lb_swarm, "lbSwarm", .help = "Swarm spreads the requests, over the service's address."),
};
static const struct option_table engine_table = OPTION_TABLE_PLAIN(struct engine_labels, engine_options, 3);

static const struct option enable_option = {.name = "enable", .type = OPTION_BOOL};

static const struct str root_words[] = {STR("enable"), STR("docker"), STR("swarm"), STR("http"), STR("tcp"), STR("udp"), STR("tls")};
static const struct str http_words[] = {STR("routers"), STR("middlewares"), STR("services"), STR("serversTransports")};
static const struct str tls_words[] = {STR("options"), STR("stores")};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void candidate_tell(struct candidate *candidate, bool mistake, struct str reason, struct str hint)
{
    struct discovered *found = candidate->found;
    if (str_empty(found->reason) || (mistake && !found->mistake)) {
        found->reason = reason;
        found->hint = hint;
    }
    found->mistake = found->mistake || mistake;
}

void candidate_add(struct strs *list, struct str text, struct arena *arena)
{
    if ((list->count & (list->count - 1)) == 0) {      /* room for twice as many at each power of two */
        struct str *items = arena_array(arena, struct str, list->count != 0 ? 2 * list->count : 1);
        if (list->count != 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
    }
    list->items[list->count++] = text;
}

void candidate_break(struct candidate *candidate, const struct node *node, struct str reason, struct span span, struct arena *arena)
{
    struct broken_object *broken = arena_new(arena, struct broken_object);
    *broken = (struct broken_object){.node = node, .span = span, .reason = reason, .next = candidate->broken};
    candidate->broken = broken;
}

const struct broken_object *candidate_broken(const struct candidate *candidate, const struct node *node)
{
    const struct broken_object *it = candidate->broken;
    while (it != NULL && it->node != node)
        it = it->next;
    return it;
}

struct str candidate_carry(struct diag *from, struct diag *to, struct span *ret_span)
{
    struct str first = STR_NONE;
    for (size_t i = 0; i < from->count; i++) {
        const struct diag_item *item = &from->items[i];
        struct diag_item *(*report)(struct diag *, struct span, const char *, ...) =
            item->severity == DIAG_NOTE ? diag_note : item->severity == DIAG_WARNING ? diag_warning : diag_error;
        struct diag_item *copy = report(to, item->span, "%.*s", STR_ARGS(item->message));
        if (copy != &to->beyond) {
            copy->hint = item->hint;
            copy->context = item->context;
            copy->context_span = item->context_span;
        }
        if (item->severity != DIAG_ERROR || first.data != NULL)
            continue;
        *ret_span = item->span;
        first = str_empty(item->hint) ? item->message
                                      : arena_printf(from->arena, "%.*s: %.*s", STR_ARGS(item->message), STR_ARGS(item->hint));
    }
    diag_release(from);
    return first;
}

/* ---- what belongs to no object ---- */

struct reading {
    struct candidate *candidate;
    const struct discovery *discovery;
    struct arena *arena;
    struct diag *diag;
};

/* A label that is not read. */
static void complain(const struct reading *r, struct span span, struct str message, struct str hint)
{
    struct diag_item *item = diag_error(r->diag, span, "%.*s", STR_ARGS(message));
    if (!str_empty(hint))
        diag_hint(r->diag, item, "%.*s", STR_ARGS(hint));
    struct str place = tree_place(span, r->arena);
    candidate_tell(r->candidate, true, arena_printf(r->arena, "%.*s: %.*s", STR_ARGS(place), STR_ARGS(message)), hint);
}

static struct str list_of(const struct str *words, size_t count, struct arena *arena)
{
    struct str list = STR_NONE;
    for (size_t i = 0; i < count; i++)
        list = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(list), i != 0 ? ", " : "", STR_ARGS(words[i]));
    return list;
}

static void complain_unknown(const struct reading *r, const struct node *node, const struct str *words, size_t count)
{
    static const struct str old[] = {STR("frontend"), STR("backend"), STR("port"), STR("protocol"), STR("weight"), STR("domain")};
    struct str near = nearest(node->key, words, count), hint;
    hint = !str_empty(near) ? arena_printf(r->arena, "did you mean '%.*s'?", STR_ARGS(near))
                            : arena_printf(r->arena, "known here: %.*s", STR_ARGS(list_of(words, count, r->arena)));
    for (size_t i = 0; i < COUNT(old) && words == root_words; i++)
        if (str_equal_nocase(node->key, old[i]))
            hint = S("this is a label of Traefik 1: today's are traefik.http.routers.NAME.rule and "
                     "traefik.http.services.NAME.loadbalancer.server.port");
    complain(r, node->key_span, arena_printf(r->arena, "unknown label part '%.*s'", STR_ARGS(node->key)), hint);
}

/* Parts of a configuration that are everybody's; true when this is one, and it was said. */
static bool complain_of_owners(const struct reading *r, const struct node *node)
{
    static const struct str parts[] = {STR("variables"), STR("mediaTypes"), STR("sites"), STR("accessLogs"), STR("errorLogs"), STR("zones"),
                                       STR("entryPoints"), STR("providers"), STR("certificatesResolvers")};
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (!str_equal_nocase(node->key, parts[i]))
            continue;
        complain(r, node->key_span, arena_printf(r->arena, "'%.*s' are not taken from labels", STR_ARGS(parts[i])),
                 S("write them in Portico's own configuration; labels refer to what stands there by its name, as in \"name@file\""));
        return true;
    }
    return false;
}

/* Leaves in a section only what its table knows, and of that only maps. */
static struct node *read_section(const struct reading *r, struct node *section, const struct str *words, size_t count)
{
    struct node *kept = node_new(r->arena, NODE_MAP, SPAN_NONE);
    if (section == NULL)
        return kept;
    if (section->kind != NODE_MAP) {
        complain(r, section->key_span, S("a name and an option belong behind this"), STR_NONE);
        return kept;
    }
    for (size_t i = 0; i < count; i++) {
        struct node *part = node_take(section, words[i]);
        if (part != NULL && part->kind == NODE_MAP)
            node_append(kept, part);
        else if (part != NULL)
            complain(r, part->key_span, S("a name and an option belong behind this"), STR_NONE);
    }
    NODE_FOREACH(section, unknown)
        if (!complain_of_owners(r, unknown))
            complain_unknown(r, unknown, words, count);
    return kept;
}

static void read_tls(const struct reading *r, struct node *tls)
{
    struct node *certificates = node_take(tls, S("certificates"));
    if (certificates != NULL)
        complain(r, certificates->key_span,
                 S("certificates are not taken from labels, because whoever may list containers would read the key"),
                 S("name the files in a file of the file provider (tls.certificates)"));
    r->candidate->tls = read_section(r, tls, tls_words, COUNT(tls_words));
    const struct node *common = node_take(node_get(r->candidate->tls, S("options")), S("default"));
    if (common != NULL)
        complain(r, common->key_span, S("the default TLS options hold for everybody, so no container sets them"),
                 S("set them in Portico's own configuration, or name these otherwise and give the name to the router"));
}

/* traefik.docker, traefik.swarm: the same words, the later one wins. */
static void read_engine(const struct reading *r, const struct node *node)
{
    if (node == NULL)
        return;
    struct engine_labels labels;
    struct diag own;
    struct span span;
    diag_init(&own, r->arena);
    bind_object(&engine_table, node, &labels, NULL, r->arena, &own);
    struct str mistake = candidate_carry(&own, r->diag, &span);
    if (!str_empty(mistake))
        candidate_tell(r->candidate, true, arena_printf(r->arena, "%.*s: %.*s", STR_ARGS(tree_place(span, r->arena)), STR_ARGS(mistake)),
                       STR_NONE);
    if (!str_empty(labels.network))
        r->candidate->network = labels.network;
    r->candidate->lb_swarm = r->candidate->lb_swarm || labels.lb_swarm;
}

/* What cannot be read as a wish is none: it stays out, because to be seen is what needs a clear word. */
static void read_enable(const struct reading *r, const struct node *node)
{
    struct candidate *candidate = r->candidate;
    candidate->enabled = r->discovery->config->exposed_by_default;
    if (node == NULL)
        return;
    struct diag own;
    struct span span;
    diag_init(&own, r->arena);
    candidate->enabled = false;
    if (node->kind == NODE_SCALAR)
        value_parse(&enable_option, node->text, node->span, &candidate->enabled, r->arena, &own);
    else
        diag_error(&own, node->key_span, "expected true or false");
    struct str mistake = candidate_carry(&own, r->diag, &span);
    if (!str_empty(mistake))
        candidate_tell(candidate, true, arena_printf(r->arena, "%.*s: %.*s", STR_ARGS(tree_place(span, r->arena)), STR_ARGS(mistake)),
                       STR_NONE);
}

/* ---- labels whose path cannot be followed ---- */

static bool is_ours(struct str key)
{
    return str_starts_nocase(key, S("traefik.")) || str_starts_nocase(key, S("portico."));
}

static bool is_at(const struct label *label, const struct span *span)
{
    if (label->key_span.source != NULL)
        return span->source == label->key_span.source && span->line == label->key_span.line;
    if (span->source == NULL)
        return false;
    struct str content = span->source->content;
    return content.len > label->key.len && str_starts(content, label->key) && content.data[label->key.len] == '=';
}

/* "http.routers.api.rule": the object that a label was about is not to run without it. */
static void break_object(const struct reading *r, struct node *root, struct str key, const struct diag_item *item)
{
    struct str rest = str_from_index(key, 8), section, kind, name;
    if (!str_split(&rest, '.', &section) || !str_split(&rest, '.', &kind) || !str_split(&rest, '.', &name) || str_empty(name))
        return;
    struct str path = arena_printf(r->arena, "%.*s.%.*s.%.*s", STR_ARGS(section), STR_ARGS(kind), STR_ARGS(name));
    struct node *node = node_make_path(r->arena, root, path, item->span);
    if (node != NULL)
        candidate_break(r->candidate, node, item->message, item->span, r->arena);
}

static void break_objects(const struct reading *r, struct node *root, const struct diag *own)
{
    const struct container *container = r->candidate->container;
    for (size_t i = 0; i < own->count; i++)
        for (size_t k = 0; own->items[i].severity == DIAG_ERROR && k < container->label_count; k++)
            if (is_ours(container->labels[k].key) && is_at(&container->labels[k], &own->items[i].span))
                break_object(r, root, container->labels[k].key, &own->items[i]);
}

static struct node *read_tree(const struct reading *r)
{
    struct candidate *candidate = r->candidate;
    const struct container *container = candidate->container;
    struct diag own;
    struct span span;
    diag_init(&own, r->arena);
    struct node *root = labels_read(container->labels, container->label_count, candidate->owner, r->arena, &own);
    break_objects(r, root, &own);
    for (size_t i = 0; i < own.count; i++)
        candidate_tell(candidate, true,
                       arena_printf(r->arena, "%.*s: %.*s", STR_ARGS(tree_place(own.items[i].span, r->arena)),
                                    STR_ARGS(own.items[i].message)),
                       own.items[i].hint);
    candidate_carry(&own, r->diag, &span);
    return root;
}

/* "tls=" is what "tls:" is in a file: the bare key. */
static void empty_to_bare(struct node *map)
{
    NODE_FOREACH(map, child) {
        if (child->kind == NODE_MAP || child->kind == NODE_LIST)
            empty_to_bare(child);
        else if (map->kind == NODE_MAP && child->kind == NODE_SCALAR && str_empty(child->text))
            node_become(child, NODE_NULL);
    }
}

void candidate_init(struct candidate *candidate, const struct container *container, struct discovered *found, struct arena *arena)
{
    *candidate = (struct candidate){.container = container, .found = found};
    candidate->last_server = &candidate->servers;
    candidate->owner = arena_concat(arena, S("container "), container->name);
    candidate->name = naming_of(container, arena);
    candidate->family = naming_family(container, arena);
}

static bool asks_for_routing(const struct node *protocol)
{
    return node_get(protocol, S("routers")) != NULL || node_get(protocol, S("services")) != NULL;
}

void candidate_read(struct candidate *candidate, const struct discovery *discovery, struct arena *arena, struct diag *diag)
{
    const struct reading r = {candidate, discovery, arena, diag};
    const struct container *container = candidate->container;
    for (size_t i = 0; i < container->label_count; i++)
        candidate->labelled = candidate->labelled || is_ours(container->labels[i].key);
    struct node *root = read_tree(&r);
    const struct node *enable = node_take(root, S("enable"));
    read_enable(&r, enable);
    candidate->disabled = enable != NULL && !candidate->enabled;
    if (candidate->disabled)
        return;
    read_engine(&r, node_take(root, S("docker")));
    read_engine(&r, node_take(root, S("swarm")));
    candidate->asks_tcp = asks_for_routing(node_take(root, S("tcp")));
    candidate->asks_udp = asks_for_routing(node_take(root, S("udp")));
    candidate->http = read_section(&r, node_take(root, S("http")), http_words, COUNT(http_words));
    read_tls(&r, node_take(root, S("tls")));
    empty_to_bare(candidate->http);
    empty_to_bare(candidate->tls);
    NODE_FOREACH(root, unknown)
        if (!complain_of_owners(&r, unknown))
            complain_unknown(&r, unknown, root_words, COUNT(root_words));
}

struct span candidate_own_span(const struct candidate *candidate, struct str what, struct str text, struct arena *arena)
{
    struct str name = str_empty(what) ? candidate->owner : arena_printf(arena, "%.*s: %.*s", STR_ARGS(candidate->owner), STR_ARGS(what));
    return span_make(diag_source_word(arena, name, text), 1, 1, text.len);
}

struct node *candidate_section(struct candidate *candidate, struct str name, struct arena *arena)
{
    struct node *section = node_make_member(arena, candidate->http, name, SPAN_NONE);
    if (section->kind != NODE_MAP)      /* read_section has left maps alone */
        node_become(section, NODE_MAP);
    return section;
}

struct str candidate_network_label(const struct container *container)
{
    static const struct str keys[] = {STR("portico.swarm.network"), STR("portico.docker.network"), STR("traefik.swarm.network"),
                                      STR("traefik.docker.network")};
    for (size_t i = 0; i < COUNT(keys); i++)
        for (size_t k = 0; k < container->label_count; k++)
            if (str_equal_nocase(container->labels[k].key, keys[i]))
                return container->labels[k].value;
    return STR_NONE;
}
