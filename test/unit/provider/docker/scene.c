#include "scene.h"

#include "config/bind.h"
#include "config/yaml.h"

struct scene scene;

static enum port_answer port_of(const void *owner, struct str container_id, struct str address)
{
    return !str_empty(scene.open) && str_equal(scene.open, address) ? PORT_OPEN : scene.answer;
}

static void read_options(const char *yaml)
{
    struct arena *arena = &scene.model->arena;
    const struct source *source = diag_source(arena, S("c.yaml"), str_from(yaml));
    bind_object(&docker_table, yaml_read(arena, source, &scene.diag), &scene.config, NULL, arena, &scene.diag);
}

void scene_begin(void)
{
    scene = (struct scene){.model = model_new()};
    diag_init(&scene.diag, &scene.model->arena);
    arena_init(&scene.inventory.arena, ARENA_UNLIMITED);
    scene.inventory.containers = scene.containers;
    scene.discovery =
        (struct discovery){.config = &scene.config, .provider = S("docker"), .inventory = &scene.inventory};
    read_options("{}");
}

void scene_end(void)
{
    diag_release(&scene.diag);
    model_free(scene.model);
    arena_release(&scene.inventory.arena);
}

void scene_options(const char *yaml)
{
    read_options(yaml);
}

static void set_labels(struct container *container, const char *const *labels)
{
    while (labels[2 * container->label_count] != NULL)
        container->label_count++;
    container->labels = arena_array(&scene.inventory.arena, struct label, container->label_count);
    for (size_t i = 0; i < container->label_count; i++)
        container->labels[i] = (struct label){.key = str_from(labels[2 * i]), .value = str_from(labels[2 * i + 1])};
}

static void set_ports(struct container *container, const uint16_t *ports)
{
    while (ports[container->port_count] != 0)
        container->port_count++;
    container->ports = arena_array(&scene.inventory.arena, uint16_t, container->port_count);
    memcpy(container->ports, ports, container->port_count * sizeof(*ports));
}

struct container *scene_add(const char *name, const char *address, const uint16_t *ports, const char *const *labels)
{
    struct container *container = &scene.containers[scene.inventory.count++];
    *container = (struct container){.name = str_from(name),
                                    .id = arena_printf(&scene.inventory.arena, "id-%s", name),
                                    .state = CONTAINER_RUNNING,
                                    .network_mode = S("net"),
                                    .created = (int64_t)scene.inventory.count * 1000000000};
    set_labels(container, labels);
    set_ports(container, ports);
    if (address != NULL)
        scene_network(container, "net", address);
    return container;
}

void scene_network(struct container *container, const char *name, const char *address)
{
    struct container_network *networks =
        arena_array(&scene.inventory.arena, struct container_network, container->network_count + 1);
    if (container->network_count != 0)
        memcpy(networks, container->networks, container->network_count * sizeof(*networks));
    struct container_network *network = &networks[container->network_count++];
    network->name = str_from(name);
    if (strchr(address, ':') != NULL)
        network->ipv6 = str_from(address);
    else
        network->ipv4 = str_from(address);
    container->networks = networks;
}

void scene_ports(enum port_answer answer)
{
    scene.answer = answer;
    scene.discovery.port_of = port_of;
}

void scene_discover(void)
{
    discover(scene.model, &scene.discovery, &scene.diag, &scene.servers);
}

const struct http_config *scene_http(void)
{
    return scene.model->parts[scene.model->part_count - 1].http;
}

const struct tls_config *scene_tls(void)
{
    return scene.model->parts[scene.model->part_count - 1].tls;
}

const void *scene_object(const struct objects *objects, const char *name)
{
    for (size_t i = 0; i < objects->count; i++)
        if (str_equal(objects->items[i].name, str_from(name)))
            return objects->items[i].value;
    return NULL;
}

const struct router_config *scene_router(const char *name)
{
    return scene_object(&scene_http()->routers, name);
}

const struct load_balancer_config *scene_balancer(const char *name)
{
    const struct service_config *service = scene_object(&scene_http()->services, name);
    return service != NULL && service->type.type->table == &load_balancer_table ? service->type.value : NULL;
}

const struct discovered *scene_found(const char *name)
{
    for (size_t i = 0; i < scene.model->discovered_count; i++)
        if (str_equal(scene.model->discovered[i].name, str_from(name)))
            return &scene.model->discovered[i];
    return NULL;
}

struct str scene_remark(const char *name)
{
    struct str full = arena_printf(&scene.model->arena, "%s@%.*s", name, STR_ARGS(scene.discovery.provider));
    for (size_t i = 0; i < scene.model->remark_count; i++)
        if (str_equal(scene.model->remarks[i].name, full))
            return scene.model->remarks[i].reason;
    return STR_NONE;
}

const char *scene_servers(const char *name)
{
    const struct load_balancer_config *balancer = scene_balancer(name);
    struct str list = S("");
    if (balancer == NULL)
        return "-";
    for (size_t i = 0; i < balancer->servers.count; i++) {
        const struct server_config *server = balancer->servers.items[i].value;
        list = arena_printf(&scene.model->arena, "%.*s%s%.*s%s", STR_ARGS(list), i != 0 ? ", " : "", STR_ARGS(server->url),
                            server->leaving ? "!" : "");
    }
    return list.data;
}

const char *scene_diag(void)
{
    struct text text;
    text_init(&text, 1 << 20);
    diag_sort(&scene.diag);
    diag_render(&scene.diag, false, &text);
    struct str copy = arena_str(&scene.model->arena, text_str(&text));
    text_release(&text);
    return copy.data;
}
