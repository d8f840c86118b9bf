#include "cli/check_compose.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/presume.h"
#include "config/bind.h"
#include "config/compose.h"
#include "config/env.h"
#include "config/flags.h"
#include "provider/docker/discover.h"
#include "provider/settings.h"

#define PORT_WITHOUT_WORD 80         /* of an image whose ports nobody knows here */

struct checked {
    struct model *model;
    struct diag *diag;
    struct arena *arena;
    struct compose_project project;
    const struct compose_service *proxy;     /* NULL: there is none */
    bool options_known;                      /* all of its options are in these files */
};

/* ---- which is the proxy ---- */

/* "registry:5000/library/traefik:v3.1@sha256:..." is "traefik". */
static struct str image_name(struct str image)
{
    ptrdiff_t at = str_find_char(image, '@', 0);
    if (at >= 0)
        image = str_first(image, (size_t)at);
    image = str_from_index(image, (size_t)(str_find_last_char(image, '/') + 1));
    ptrdiff_t colon = str_find_char(image, ':', 0);
    return colon >= 0 ? str_first(image, (size_t)colon) : image;
}

static bool asks_engine(const struct compose_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_starts_nocase(words[i].text, S("--providers.docker")) || str_starts_nocase(words[i].text, S("--providers.swarm")))
            return true;
    return false;
}

/* The image may be used for other things: "portico whoami". */
static bool has_its_image(const struct compose_service *service)
{
    struct str name = image_name(service->image);
    struct str word = service->command.count != 0 ? service->command.items[0].text : STR_NONE;
    bool runs = str_empty(word) || str_starts(word, S("-")) || str_equal(word, S("run")) || str_equal(word, S("traefik")) ||
                str_equal(word, S("portico"));
    return runs && (str_equal(name, S("traefik")) || str_equal(name, S("portico")));
}

/* Who says that it reads an engine, else who has the image. */
static const struct compose_service *find_proxy(const struct checked *checked)
{
    const struct compose_service *found = NULL;
    for (size_t i = 0; i < checked->project.services.count; i++) {
        const struct compose_service *it = checked->project.services.items[i];
        if (asks_engine(it->command.items, it->command.count) || asks_engine(it->entrypoint.items, it->entrypoint.count))
            return it;
        if (found == NULL && has_its_image(it))
            found = it;
    }
    return found;
}

/* ---- its options ---- */

/* From the first flag on: in front of it stand the program's and the command's names. */
static struct node *read_command(struct checked *checked, struct flags *flags)
{
    const struct compose_service *proxy = checked->proxy;
    size_t entry = proxy->entrypoint.count, count = entry + proxy->command.count, used = 0;
    const char **words = arena_array(checked->arena, const char *, count + 1);
    struct span *places = arena_array(checked->arena, struct span, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct compose_word *word = i < entry ? &proxy->entrypoint.items[i] : &proxy->command.items[i - entry];
        if (used == 0 && !str_starts(word->text, S("-")))
            continue;
        words[used] = arena_str(checked->arena, word->text).data;
        places[used++] = word->span;
    }
    flags_read_at(words, places, used, settings_flags, &config_table, checked->arena, checked->diag, flags);
    return flags->options;
}

static void bind_options(struct checked *checked)
{
    struct flags flags;
    struct node *root = node_new(checked->arena, NODE_MAP, SPAN_NONE);
    const struct compose_service *proxy = checked->proxy;
    if (proxy != NULL) {
        node_merge(root, env_read_at(proxy->environment.items, proxy->environment.count, &config_table, settings_own_variables,
                                     checked->arena, checked->diag));
        node_merge(root, read_command(checked, &flags));
        checked->options_known = root->count != 0 && flags_find(&flags, "config") == NULL;
    }
    if (checked->options_known) {
        settings_bind(checked->model, root, checked->diag);
        return;
    }
    bind_object(&config_table, root, &checked->model->config, NULL, checked->arena, checked->diag);
    if (checked->model->config.api == NULL)
        presume_internals(checked->model, checked->diag);
    presume_entry(checked->model, S("http"), checked->diag);
    model_add_part(checked->model, S("file"), &checked->model->config.http, &checked->model->config.tls);
}

/* ---- services as containers ---- */

static void add_compose_label(struct checked *checked, struct label *label, const char *key, struct str value)
{
    *label = (struct label){.key = arena_printf(checked->arena, "com.docker.compose.%s", key), .value = value};
}

static void add_networks(struct checked *checked, const struct compose_service *service, struct container *container, size_t number)
{
    container->network_mode = service->network_mode;
    container->network_count = service->networks.count;
    container->networks = arena_array(checked->arena, struct container_network, container->network_count + 1);
    for (size_t i = 0; i < container->network_count; i++)
        container->networks[i] = (struct container_network){
            .name = service->networks.items[i],
            .ipv4 = arena_printf(checked->arena, "10.%zu.%zu.%zu", i & 255, (number >> 8) & 255, number & 255)};
}

static int compare_ports(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void add_ports(struct checked *checked, const struct compose_service *service, struct container *container)
{
    container->port_count = service->ports.count;
    container->ports = arena_array(checked->arena, uint16_t, container->port_count + 1);
    if (container->port_count != 0)
        memcpy(container->ports, service->ports.items, container->port_count * sizeof(uint16_t));
    else
        container->ports[container->port_count++] = PORT_WITHOUT_WORD;
    qsort(container->ports, container->port_count, sizeof(uint16_t), compare_ports);
}

/* `swarm`: as a task with the labels of `deploy`. */
static void make_container(struct checked *checked, const struct compose_service *service, size_t number, bool swarm,
                           struct container *container)
{
    struct arena *arena = checked->arena;
    const struct label *labels = swarm ? service->deploy_labels.items : service->labels.items;
    size_t count = swarm ? service->deploy_labels.count : service->labels.count;
    struct str project = checked->project.name;
    container->id = arena_printf(arena, "%064zx", number);
    container->name = !str_empty(service->container_name) ? service->container_name
                                                          : arena_printf(arena, "%.*s_%.*s_1", STR_ARGS(project), STR_ARGS(service->name));
    container->image = service->image;
    container->state = CONTAINER_RUNNING;
    container->labels = arena_array(arena, struct label, count + 2);
    if (count != 0)
        memcpy(container->labels, labels, count * sizeof(*labels));
    container->label_count = count;
    if (swarm) {
        container->service = arena_printf(arena, "%.*s_%.*s", STR_ARGS(project), STR_ARGS(service->name));
    } else {
        add_compose_label(checked, &container->labels[container->label_count++], "project", project);
        add_compose_label(checked, &container->labels[container->label_count++], "service", service->name);
    }
    add_networks(checked, service, container, number);
    add_ports(checked, service, container);
}

/* A proxy in a container reaches the networks that it is in. */
static void add_self(const struct container *container, struct inventory *inventory)
{
    inventory->self_id = container->id;
    inventory->self_name = container->name;
    inventory->self_networks = container->networks;
    inventory->self_network_count = container->network_count;
    inventory->self_on_host = str_equal(container->network_mode, S("host"));
}

static void discover_one(struct checked *checked, struct str provider, const struct docker_config *config, bool swarm)
{
    const struct compose_project *project = &checked->project;
    struct inventory inventory = {.count = 0};
    size_t labelled = 0;
    inventory.containers = arena_array(checked->arena, struct container, project->services.count + 1);
    for (size_t i = 0; i < project->services.count; i++) {
        const struct compose_service *service = project->services.items[i];
        bool has_labels = swarm ? service->deploy_labels.count != 0 : service->labels.count != 0;
        labelled += has_labels;
        if (!has_labels && service != checked->proxy)
            continue;
        struct container *container = &inventory.containers[inventory.count++];
        make_container(checked, service, i + 1, swarm, container);
        if (service == checked->proxy)
            add_self(container, &inventory);
    }
    if (labelled == 0)
        return;
    if (config == NULL)
        config = bind_new(swarm ? &swarm_table : &docker_table, NULL, NULL, checked->arena, checked->diag);
    const struct discovery discovery = {.config = config, .provider = provider, .inventory = &inventory};
    discover(checked->model, &discovery, checked->diag, NULL);
}

/* ---- the whole ---- */

static void note_what_is_not_here(struct checked *checked, size_t file_objects)
{
    struct diag *diag = checked->diag;
    if (checked->proxy == NULL)
        diag_note(diag, SPAN_NONE, "no service here is the proxy (an image traefik or portico): what labels name of its options, "
                                   "entrypoints above all, is taken to be there");
    else if (!checked->options_known)
        diag_note(diag, checked->proxy->span, "its options are in a file: what labels name of them, entrypoints above all, is taken "
                                              "to be there");
    if (file_objects != 0)
        diag_note(diag, checked->proxy != NULL ? checked->proxy->span : SPAN_NONE,
                  "what labels name of the file provider's (%zu time%s) is taken to be there", file_objects,
                  file_objects == 1 ? "" : "s");
}

static void presume(struct checked *checked)
{
    struct model *model = checked->model;
    size_t file_objects = 0;
    bool has_files = !checked->options_known || model->config.providers.file != NULL;
    for (size_t i = 0; i < model->part_count; i++) {
        const struct objects *routers = &model->parts[i].http->routers;
        if (!checked->options_known) {
            presume_entries(model, routers, checked->diag);
            presume_resolvers(model, routers, checked->diag);
        }
        if (has_files)
            file_objects += presume_file_objects(routers);
    }
    note_what_is_not_here(checked, file_objects);
}

struct model *check_compose_load(const char *const *paths, size_t count, struct diag *diag)
{
    struct checked checked = {.model = model_new(), .diag = diag};
    checked.arena = &checked.model->arena;
    diag_init(diag, checked.arena);
    compose_read(&checked.project, paths, count, environ, checked.arena, diag);
    checked.proxy = find_proxy(&checked);
    bind_options(&checked);
    const struct providers_config *providers = &checked.model->config.providers;
    bool swarm_mode = providers->docker != NULL && providers->docker->swarm_mode;
    discover_one(&checked, S("docker"), providers->docker, swarm_mode);
    if (!swarm_mode)
        discover_one(&checked, S("swarm"), providers->swarm, true);
    presume(&checked);
    compose_release(&checked.project);
    return checked.model;
}

/* ---- judging ---- */

static bool is_about_a_file(struct str message)
{
    return str_find(message, S("cannot read '")) >= 0 || str_find(message, S(" cannot be read: ")) >= 0;
}

/* Was this said with a place already? */
static bool is_told(const struct diag *diag, struct str reason)
{
    for (size_t i = 0; i < diag->count; i++)
        if (str_find(reason, diag->items[i].message) >= 0)
            return true;
    return false;
}

static void tell_unserved(const struct model *model, struct diag *diag)
{
    for (size_t i = 0; i < model->discovered_count; i++) {
        const struct discovered *found = &model->discovered[i];
        if (!found->mistake || str_empty(found->reason) || is_told(diag, found->reason))
            continue;
        struct diag_item *item = diag_warning(diag, SPAN_NONE, "%.*s: %.*s", STR_ARGS(found->name), STR_ARGS(found->reason));
        if (!str_empty(found->hint))
            diag_hint(diag, item, "%.*s", STR_ARGS(found->hint));
    }
}

void check_compose_judge(const struct model *model, struct diag *diag)
{
    diag_make_strict(diag);
    for (size_t i = 0; i < diag->count; i++) {
        struct diag_item *item = &diag->items[i];
        if (item->severity != DIAG_ERROR || item->span.source == NULL || !is_about_a_file(item->message))
            continue;
        item->severity = DIAG_NOTE;      /* the path is one inside of a container */
        diag->errors--;
    }
    tell_unserved(model, diag);
}
