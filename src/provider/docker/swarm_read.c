#include "provider/docker/swarm_read.h"

#include <stdlib.h>

#include "base/map.h"
#include "provider/docker/inspect.h"
#include "provider/docker/member.h"

#define TASKS_MAX 20000
#define ATTACHMENTS_MAX 64
#define PORTS_MAX 256

struct reader {
    struct arena *arena;
    struct map services;      /* id -> its JSON */
};

static bool read_state(struct str state, enum container_state *ret_state)
{
    static const struct str early[] = {STR("new"),      STR("allocated"), STR("pending"), STR("assigned"),
                                       STR("accepted"), STR("preparing"), STR("ready"),   STR("starting")};
    *ret_state = CONTAINER_RUNNING;
    if (str_equal(state, S("running")))
        return true;
    *ret_state = CONTAINER_CREATED;
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++)
        if (str_equal(state, early[i]))
            return true;
    return false;
}

/* "10.0.1.5/24" -> "10.0.1.5". */
static struct str without_mask(struct str address, struct arena *arena)
{
    ptrdiff_t slash = str_find_char(address, '/', 0);
    return arena_str(arena, slash < 0 ? address : str_first(address, (size_t)slash));
}

static struct str find_virtual_ip(const json_t *service, struct str network, struct arena *arena)
{
    const json_t *all = member_at(service, "Endpoint", "VirtualIPs", NULL);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        if (str_equal(member_text(json_object_get(one, "NetworkID")), network))
            return without_mask(member_text(json_object_get(one, "Addr")), arena);
    }
    return STR_NONE;
}

static void add_address(struct container_network *network, struct str address, struct arena *arena)
{
    bool six = str_find_char(address, ':', 0) >= 0;
    struct str *place = six ? &network->ipv6 : &network->ipv4;
    if (str_empty(*place))
        *place = without_mask(address, arena);
}

static int by_network_name(const void *a, const void *b)
{
    return str_compare(((const struct container_network *)a)->name, ((const struct container_network *)b)->name);
}

/* The ingress network belongs to the mesh of published ports: nobody reaches a task in it. */
static void read_networks(const json_t *task, const json_t *service, struct arena *arena, struct container *container)
{
    const json_t *attachments = json_object_get(task, "NetworksAttachments");
    size_t count = json_array_size(attachments);
    container->networks = arena_array(arena, struct container_network, count);
    for (size_t i = 0; i < count && container->network_count < ATTACHMENTS_MAX; i++) {
        const json_t *attachment = json_array_get(attachments, i), *addresses = json_object_get(attachment, "Addresses");
        if (json_is_true(member_at(attachment, "Network", "Spec", "Ingress", NULL)))
            continue;
        struct container_network *network = &container->networks[container->network_count++];
        network->name = member_copy(member_at(attachment, "Network", "Spec", "Name", NULL), arena);
        network->id = member_copy(member_at(attachment, "Network", "ID", NULL), arena);
        for (size_t k = 0; k < json_array_size(addresses); k++)
            add_address(network, member_text(json_array_get(addresses, k)), arena);
        network->virtual_ip = find_virtual_ip(service, network->id, arena);
        if (str_empty(container->virtual_ip))
            container->virtual_ip = network->virtual_ip;
        if (str_equal(network->name, S("host")))
            container->network_mode = S("host");
    }
    if (container->network_count != 0)
        qsort(container->networks, container->network_count, sizeof(container->networks[0]), by_network_name);
}

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* A service says no more of its ports than what it publishes. */
static void read_ports(const json_t *service, struct arena *arena, struct container *container)
{
    const json_t *ports = member_at(service, "Endpoint", "Ports", NULL);
    size_t count = json_array_size(ports) < PORTS_MAX ? json_array_size(ports) : PORTS_MAX;
    container->ports = arena_array(arena, uint16_t, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *port = json_array_get(ports, i);
        json_int_t number = json_integer_value(json_object_get(port, "TargetPort"));
        if (number > 0 && number <= UINT16_MAX && str_equal(member_text(json_object_get(port, "Protocol")), S("tcp")))
            container->ports[container->port_count++] = (uint16_t)number;
    }
    if (container->port_count != 0)
        qsort(container->ports, container->port_count, sizeof(container->ports[0]), by_number);
}

/* "web.1.<task>", and of a global service "web.<node>.<task>": as Docker names the container. */
static struct str name_of(const json_t *task, struct str service, struct arena *arena)
{
    struct str id = member_text(json_object_get(task, "ID")), node = member_text(json_object_get(task, "NodeID"));
    json_int_t slot = json_integer_value(json_object_get(task, "Slot"));
    return slot > 0 ? arena_printf(arena, "%.*s.%lld.%.*s", STR_ARGS(service), (long long)slot, STR_ARGS(id))
                    : arena_printf(arena, "%.*s.%.*s.%.*s", STR_ARGS(service), STR_ARGS(node), STR_ARGS(id));
}

static struct str image_of(const json_t *task, struct arena *arena)
{
    struct str image = member_text(member_at(task, "Spec", "ContainerSpec", "Image", NULL));
    ptrdiff_t digest = str_find(image, S("@sha256:"));
    return arena_str(arena, digest < 0 ? image : str_first(image, (size_t)digest));
}

/* False: the task is over, or its service is gone. */
static bool read_task(struct reader *reader, const json_t *task, struct swarm_task *ret_task)
{
    struct container *container = &ret_task->container;
    const json_t *service = map_get(&reader->services, member_text(json_object_get(task, "ServiceID")));
    *ret_task = (struct swarm_task){.container = {.id = member_copy(json_object_get(task, "ID"), reader->arena)}};
    if (service == NULL || str_empty(container->id) ||
        !read_state(member_text(member_at(task, "Status", "State", NULL)), &container->state))
        return false;
    container->service = member_copy(member_at(service, "Spec", "Name", NULL), reader->arena);
    container->name = name_of(task, container->service, reader->arena);
    container->image = image_of(task, reader->arena);
    container->created = member_moment(json_object_get(task, "CreatedAt"));
    container->stopping = container->state == CONTAINER_RUNNING && !str_equal(member_text(json_object_get(task, "DesiredState")), S("running"));
    ret_task->container_id = member_copy(member_at(task, "Status", "ContainerStatus", "ContainerID", NULL), reader->arena);
    inspect_read_labels(member_at(service, "Spec", "Labels", NULL), reader->arena, container);
    read_networks(task, service, reader->arena, container);
    read_ports(service, reader->arena, container);
    return true;
}

static void note_services(struct reader *reader, json_t *services)
{
    for (size_t i = 0; i < json_array_size(services); i++) {
        json_t *service = json_array_get(services, i);
        struct str id = member_text(json_object_get(service, "ID"));
        if (!str_empty(id))
            map_put(&reader->services, id, service);
    }
}

bool swarm_read(struct str services, struct str tasks, struct arena *arena, struct swarm_tasks *ret_tasks)
{
    struct reader reader = {.arena = arena};
    json_t *all_services = member_parse(services), *all_tasks = member_parse(tasks);
    bool good = json_is_array(all_services) && json_is_array(all_tasks);
    size_t count = json_array_size(all_tasks) < TASKS_MAX ? json_array_size(all_tasks) : TASKS_MAX;
    map_init(&reader.services, false);
    note_services(&reader, all_services);
    *ret_tasks = (struct swarm_tasks){.items = arena_array(arena, struct swarm_task, count)};
    for (size_t i = 0; i < count; i++)
        if (read_task(&reader, json_array_get(all_tasks, i), &ret_tasks->items[ret_tasks->count]))
            ret_tasks->count++;
    map_release(&reader.services);
    json_decref(all_services);
    json_decref(all_tasks);
    return good;
}
