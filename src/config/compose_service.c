/* What one service says, laid over what was said of it before. */
#include "config/compose_reader.h"

#include "base/file.h"

#define ENVIRONMENT_FILE_MAX (1u << 20)
#define PORT_RANGE_MAX 64

struct str compose_text(struct compose_reader *reader, const struct node *node, struct span *ret_span)
{
    if (node == NULL || node->kind != NODE_SCALAR)
        return STR_NONE;
    struct span span = node_span(node);
    struct str text = variables_fill(&reader->variables, node->text, span, reader->diag);
    ptrdiff_t dollar = str_find_char(node->text, '$', 0);
    if (dollar >= 0 && span.length > (uint32_t)dollar + 1)
        span.length = (uint32_t)dollar + 1;
    if (ret_span != NULL)
        *ret_span = span;
    return text;
}

static void replace_text(struct compose_reader *reader, const struct node *node, const char *key, struct str *text)
{
    const struct node *member = node_get(node, str_from(key));
    if (member != NULL)
        *text = compose_text(reader, member, NULL);
}

/* ---- pairs: labels, environment ---- */

/* By name: what is said again replaces. A VEC of any name has this form. */
static void put_pair(struct compose_service *service, bool label, bool deploy, const struct label *pair)
{
    struct label *items = label ? (deploy ? service->deploy_labels.items : service->labels.items) : service->environment.items;
    size_t count = label ? (deploy ? service->deploy_labels.count : service->labels.count) : service->environment.count;
    for (size_t i = 0; i < count; i++)
        if (str_equal(items[i].key, pair->key)) {
            items[i] = *pair;
            return;
        }
    if (!label)
        VEC_PUSH(&service->environment, *pair);
    else if (deploy)
        VEC_PUSH(&service->deploy_labels, *pair);
    else
        VEC_PUSH(&service->labels, *pair);
}

/* "key=value" of a list: variables are filled in behind the key alone, so that its place is right. */
static struct label pair_of_item(struct compose_reader *reader, const struct node *item)
{
    struct span span = node_span(item);
    ptrdiff_t equals = str_find_char(item->text, '=', 0);
    size_t end = equals >= 0 ? (size_t)equals : item->text.len;
    struct str value = str_from_index(item->text, end + 1);
    struct label pair = {.key = str_first(item->text, end), .key_span = span_inside(span, 0, end), .value_span = span};
    ptrdiff_t dollar = str_find_char(value, '$', 0);
    if (value.len != 0)
        pair.value_span = span_inside(span, end + 1, dollar >= 0 ? (size_t)dollar + 1 : value.len);
    pair.value = variables_fill(&reader->variables, value, pair.value_span, reader->diag);
    /* A variable of the environment without a value is the caller's own. */
    if (equals < 0)
        variables_get(&reader->variables, pair.key, &pair.value);
    return pair;
}

static struct label pair_of_member(struct compose_reader *reader, const struct node *member)
{
    struct label pair = {.key = member->key, .key_span = member->key_span, .value_span = member->key_span};
    pair.value = compose_text(reader, member, &pair.value_span);
    return pair;
}

static void apply_pairs(struct compose_reader *reader, struct compose_service *service, const struct node *pairs, bool label,
                        bool deploy)
{
    NODE_FOREACH(pairs, it) {
        struct label pair;
        if (it->kind != NODE_SCALAR && it->kind != NODE_NULL)
            continue;
        if (pairs->kind == NODE_LIST)
            pair = pair_of_item(reader, it);
        else
            pair = pair_of_member(reader, it);
        if (pair.value.data == NULL)
            pair.value = S("");
        put_pair(service, label, deploy, &pair);
    }
}

static void apply_environment_file(struct compose_reader *reader, struct compose_service *service, const struct node *node,
                                   const char *path)
{
    struct str content;
    const struct node *name = node->kind == NODE_MAP ? node_get(node, S("path")) : node;
    struct str file = compose_text(reader, name, NULL);
    struct variables lines;
    if (str_empty(file) || !file_read(reader->arena, compose_beside(reader, path, file), ENVIRONMENT_FILE_MAX, &content))
        return;
    variables_init(&lines, NULL, reader->arena);
    variables_add_lines(&lines, content);
    for (uint32_t i = 0; i < lines.values.count; i++) {
        const struct map_item *item = &lines.values.items[i];
        struct label pair = {.key = item->key, .value = *(const struct str *)item->value,
                             .key_span = node_span(node), .value_span = node_span(node)};
        put_pair(service, false, false, &pair);
    }
    variables_release(&lines);
}

/* ---- commands ---- */

static void apply_command(struct compose_reader *reader, struct compose_service *service, const struct node *command, bool is_entrypoint)
{
    struct span span = SPAN_NONE;
    if (command == NULL)
        return;
    if (is_entrypoint)
        service->entrypoint.count = 0;
    else
        service->command.count = 0;
    if (command->kind == NODE_SCALAR) {
        struct str text = compose_text(reader, command, &span);
        compose_split(text, span, str_equal(text, command->text), reader->arena, service, is_entrypoint);
        return;
    }
    NODE_FOREACH(command, it) {
        struct compose_word word = {.text = compose_text(reader, it, &span)};
        word.span = span;
        if (is_entrypoint)
            VEC_PUSH(&service->entrypoint, word);
        else
            VEC_PUSH(&service->command, word);
    }
}

/* ---- ports ---- */

static void add_port(struct compose_service *service, uint64_t port)
{
    for (size_t i = 0; i < service->ports.count; i++)
        if (service->ports.items[i] == port)
            return;
    if (port > 0 && port <= UINT16_MAX)
        VEC_PUSH(&service->ports, (uint16_t)port);
}

/* "80", "8080:80", "127.0.0.1:8080:80/tcp", "8000-8003:9000-9003": the container's side. */
static void add_ports(struct compose_service *service, struct str text)
{
    uint64_t first = 0, last = 0;
    if (str_ends(text, S("/udp")))
        return;
    ptrdiff_t slash = str_find_last_char(text, '/'), colon = str_find_last_char(text, ':');
    if (slash >= 0)
        text = str_first(text, (size_t)slash);
    text = str_from_index(text, (size_t)(colon + 1));
    ptrdiff_t dash = str_find_char(text, '-', 0);
    if (!str_to_u64(dash >= 0 ? str_first(text, (size_t)dash) : text, &first))
        return;
    if (dash < 0 || !str_to_u64(str_from_index(text, (size_t)dash + 1), &last))
        last = first;
    for (uint64_t port = first; port <= last && port - first < PORT_RANGE_MAX; port++)
        add_port(service, port);
}

static void apply_ports(struct compose_reader *reader, struct compose_service *service, const struct node *list)
{
    NODE_FOREACH(list, it) {
        struct str protocol = compose_text(reader, node_get(it, S("protocol")), NULL);
        if (it->kind == NODE_SCALAR)
            add_ports(service, compose_text(reader, it, NULL));
        else if (!str_equal(protocol, S("udp")))
            add_ports(service, compose_text(reader, node_get(it, S("target")), NULL));
    }
}

/* ---- networks ---- */

static void add_network(struct compose_reader *reader, struct compose_service *service, struct str name)
{
    const struct str *engine = map_get(&reader->networks, name);
    struct str full = engine != NULL ? *engine
                                     : arena_printf(reader->arena, "%.*s_%.*s", STR_ARGS(reader->project->name), STR_ARGS(name));
    for (size_t i = 0; i < service->networks.count; i++)
        if (str_equal(service->networks.items[i], full))
            return;
    VEC_PUSH(&service->networks, full);
}

static void apply_networks(struct compose_reader *reader, struct compose_service *service, const struct node *networks)
{
    NODE_FOREACH(networks, it)
        add_network(reader, service, networks->kind == NODE_MAP ? it->key : compose_text(reader, it, NULL));
}

/* ---- extends ---- */

static void apply_extended(struct compose_reader *reader, struct compose_service *service, const struct node *extends,
                           const struct node *section, const char *path)
{
    bool is_name = extends->kind == NODE_SCALAR;
    struct str name = compose_text(reader, is_name ? extends : node_get(extends, S("service")), NULL);
    struct str file = is_name ? STR_NONE : compose_text(reader, node_get(extends, S("file")), NULL);
    if (reader->depth == COMPOSE_DEPTH_MAX) {
        diag_error(reader->diag, node_span(extends), "'extends' leads back to itself");
        return;
    }
    reader->depth++;
    if (!str_empty(file)) {
        path = compose_beside(reader, path, file);
        section = node_get(compose_load(reader, path), S("services"));
    }
    const struct node *base = node_get(section, name);
    if (base != NULL)
        compose_apply(reader, service, base, section, path);
    else if (section != NULL)
        diag_error(reader->diag, node_span(extends), "there is no service '%.*s'", STR_ARGS(name));
    reader->depth--;
}

void compose_apply(struct compose_reader *reader, struct compose_service *service, const struct node *node,
                   const struct node *section, const char *path)
{
    const struct node *extends = node_get(node, S("extends")), *deploy = node_get(node, S("deploy"));
    const struct node *files = node_get(node, S("env_file"));
    if (extends != NULL)
        apply_extended(reader, service, extends, section, path);
    replace_text(reader, node, "image", &service->image);
    replace_text(reader, node, "container_name", &service->container_name);
    replace_text(reader, node, "network_mode", &service->network_mode);
    apply_command(reader, service, node_get(node, S("entrypoint")), true);
    apply_command(reader, service, node_get(node, S("command")), false);
    apply_pairs(reader, service, node_get(node, S("labels")), true, false);
    apply_pairs(reader, service, node_get(deploy, S("labels")), true, true);
    for (size_t i = 0; files != NULL && files->kind == NODE_LIST && i < files->count; i++)
        apply_environment_file(reader, service, node_at(files, i), path);
    if (files != NULL && files->kind == NODE_SCALAR)
        apply_environment_file(reader, service, files, path);
    apply_pairs(reader, service, node_get(node, S("environment")), false, false);
    apply_ports(reader, service, node_get(node, S("ports")));
    apply_ports(reader, service, node_get(node, S("expose")));
    apply_networks(reader, service, node_get(node, S("networks")));
}
