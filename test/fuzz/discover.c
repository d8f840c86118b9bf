/* Containers from bytes: the first line is the default rule, the second the constraints, then one label a line ("key=value"); an
 * empty line begins the next container, a line "!xy" sets its state (letters, see below). Whatever is written, the configuration is
 * not refused, every container is told of, and what is kept can be looked up. */
#include <assert.h>

#include "config/bind.h"
#include "provider/docker/discover.h"

#define CONTAINERS_MAX 16
#define LABELS_MAX 64

struct scene {
    struct arena arena;
    struct container containers[CONTAINERS_MAX];
    struct label labels[CONTAINERS_MAX][LABELS_MAX];
    struct container_network networks[2], own[1];
    uint16_t ports[2];
    struct container_binding bindings[1];
};

static enum port_answer port_of(const void *owner, struct str container_id, struct str address)
{
    assert(!str_empty(address));
    return (enum port_answer)(str_hash(address) % 2 == 0 ? PORT_OPEN : PORT_REFUSED);
}

static void set_state(struct container *container, struct str letters)
{
    for (size_t i = 0; i < letters.len; i++) {
        char c = letters.data[i];
        if (c >= '0' && c <= '5')
            container->state = (enum container_state)(c - '0');
        else if (c >= 'a' && c <= 'd')
            container->health = (enum container_health)(c - 'a');
        else if (c == 's')
            container->stopping = true;
        else if (c == 'p')
            container->port_count = 0;
        else if (c == 'n')
            container->network_count = 0;
        else if (c == 'h')
            container->network_mode = S("host");
        else if (c == 'x')
            container->network_mode = S("container:id-of-container-0");
        else if (c == 't')
            container->service = S("task");
    }
}

static void begin_container(struct scene *scene, struct inventory *inventory)
{
    size_t i = inventory->count++;
    scene->containers[i] = (struct container){.id = arena_printf(&scene->arena, "id-of-container-%zu", i),
                                              .name = arena_printf(&scene->arena, "c-%zu", i),
                                              .state = CONTAINER_RUNNING,
                                              .created = (int64_t)i,
                                              .labels = scene->labels[i],
                                              .network_mode = S("bridge"),
                                              .networks = scene->networks,
                                              .network_count = 2,
                                              .ports = scene->ports,
                                              .port_count = 2,
                                              .bindings = scene->bindings,
                                              .binding_count = 1};
}

static void read_line(struct scene *scene, struct inventory *inventory, struct str line)
{
    struct container *container = &scene->containers[inventory->count - 1];
    ptrdiff_t equals = str_find_char(line, '=', 0);
    if (str_empty(line) && inventory->count < CONTAINERS_MAX)
        begin_container(scene, inventory);
    else if (str_starts(line, S("!")))
        set_state(container, line);
    else if (equals > 0 && container->label_count < LABELS_MAX)
        container->labels[container->label_count++] =
            (struct label){.key = str_first(line, (size_t)equals), .value = str_from_index(line, (size_t)equals + 1)};
}

static void check(const struct model *model, const struct inventory *inventory)
{
    assert(model->part_count == 1 && model->parts[0].lenient);
    assert(model->discovered_count == inventory->count);
    for (size_t i = 0; i < model->discovered_count; i++) {
        const struct discovered *found = &model->discovered[i];
        assert(found->state != DISCOVERY_LEFT_OUT || !str_empty(found->reason));
        assert(!found->mistake || !str_empty(found->reason));
    }
    const struct objects *routers = &model->parts[0].http->routers;
    for (size_t i = 0; i < routers->count; i++) {
        const struct router_config *router = routers->items[i].value;
        assert(!routers->items[i].broken && !str_empty(router->rule) && !str_empty(router->service));
    }
}

static void run(struct scene *scene, struct str text)
{
    struct inventory inventory = {.containers = scene->containers, .self_networks = scene->own, .self_network_count = 1};
    struct model *model = model_new();
    struct diag diag;
    struct docker_config config;
    struct str rest = text, line = STR_NONE;
    diag_init(&diag, &model->arena);
    bind_object(&docker_table, NULL, &config, NULL, &model->arena, &diag);
    str_split(&rest, '\n', &config.default_rule);
    str_split(&rest, '\n', &config.constraints);
    config.use_bind_port_ip = text.len % 2 == 0;
    inventory.self_id = text.len % 3 == 0 ? S("id-of-container-1") : STR_NONE;
    begin_container(scene, &inventory);
    while (str_split(&rest, '\n', &line))
        read_line(scene, &inventory, line);
    const struct discovery discovery = {
        .config = &config, .provider = S("docker"), .inventory = &inventory, .port_of = text.len % 5 == 0 ? NULL : port_of};
    discover(model, &discovery, &diag, NULL);
    check(model, &inventory);
    diag_release(&diag);
    model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scene scene;
    scene = (struct scene){.networks = {{.name = STR("alpha"), .ipv4 = STR("10.0.0.2")}, {.name = STR("beta"), .ipv6 = STR("fd00::2")}},
                           .own = {{.name = STR("beta")}},
                           .ports = {80, 8000},
                           .bindings = {{.port = 80, .host_port = 8080, .host_ip = STR("192.0.2.1")}}};
    arena_init(&scene.arena, ARENA_UNLIMITED);
    run(&scene, str_of((const char *)data, size));
    arena_release(&scene.arena);
    return 0;
}
