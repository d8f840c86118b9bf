#include "provider/docker/container.h"

#include <stdlib.h>

#define PREFIX_LEAST 12

static void copy_networks(struct container *to, const struct container *from, struct arena *arena)
{
    to->networks = arena_array(arena, struct container_network, from->network_count);
    for (size_t i = 0; i < from->network_count; i++) {
        const struct container_network *network = &from->networks[i];
        to->networks[i] = (struct container_network){.name = arena_str(arena, network->name),
                                                     .id = arena_str(arena, network->id),
                                                     .ipv4 = arena_str(arena, network->ipv4),
                                                     .ipv6 = arena_str(arena, network->ipv6),
                                                     .virtual_ip = arena_str(arena, network->virtual_ip)};
    }
}

static void copy_ports(struct container *to, const struct container *from, struct arena *arena)
{
    to->ports = arena_array(arena, uint16_t, from->port_count);
    for (size_t i = 0; i < from->port_count; i++)
        to->ports[i] = from->ports[i];
    to->bindings = arena_array(arena, struct container_binding, from->binding_count);
    for (size_t i = 0; i < from->binding_count; i++) {
        to->bindings[i] = from->bindings[i];
        to->bindings[i].host_ip = arena_str(arena, from->bindings[i].host_ip);
    }
}

static void copy_labels(struct container *to, const struct container *from, struct arena *arena)
{
    to->labels = arena_array(arena, struct label, from->label_count);
    for (size_t i = 0; i < from->label_count; i++) {
        to->labels[i] = from->labels[i];
        to->labels[i].key = arena_str(arena, from->labels[i].key);
        to->labels[i].value = arena_str(arena, from->labels[i].value);
    }
}

void container_copy(struct container *to, const struct container *from, struct arena *arena)
{
    *to = *from;
    to->id = arena_str(arena, from->id);
    to->name = arena_str(arena, from->name);
    to->service = arena_str(arena, from->service);
    to->image = arena_str(arena, from->image);
    to->health_output = arena_str(arena, from->health_output);
    to->network_mode = arena_str(arena, from->network_mode);
    to->virtual_ip = arena_str(arena, from->virtual_ip);
    copy_labels(to, from, arena);
    copy_networks(to, from, arena);
    copy_ports(to, from, arena);
}

static bool labels_equal(const struct container *one, const struct container *other)
{
    if (one->label_count != other->label_count || one->labels_beyond != other->labels_beyond)
        return false;
    for (size_t i = 0; i < one->label_count; i++)
        if (!str_equal(one->labels[i].key, other->labels[i].key) || !str_equal(one->labels[i].value, other->labels[i].value))
            return false;
    return true;
}

static bool networks_equal(const struct container *one, const struct container *other)
{
    if (one->network_count != other->network_count)
        return false;
    for (size_t i = 0; i < one->network_count; i++) {
        const struct container_network *a = &one->networks[i], *b = &other->networks[i];
        if (!str_equal(a->name, b->name) || !str_equal(a->id, b->id) || !str_equal(a->ipv4, b->ipv4) || !str_equal(a->ipv6, b->ipv6) ||
            !str_equal(a->virtual_ip, b->virtual_ip))
            return false;
    }
    return true;
}

static bool ports_equal(const struct container *one, const struct container *other)
{
    if (one->port_count != other->port_count || one->binding_count != other->binding_count)
        return false;
    for (size_t i = 0; i < one->port_count; i++)
        if (one->ports[i] != other->ports[i])
            return false;
    for (size_t i = 0; i < one->binding_count; i++) {
        const struct container_binding *a = &one->bindings[i], *b = &other->bindings[i];
        if (a->port != b->port || a->host_port != b->host_port || !str_equal(a->host_ip, b->host_ip))
            return false;
    }
    return true;
}

bool container_equal(const struct container *one, const struct container *other)
{
    return str_equal(one->id, other->id) && str_equal(one->name, other->name) && str_equal(one->service, other->service) &&
           str_equal(one->image, other->image) && one->state == other->state && one->health == other->health &&
           one->stopping == other->stopping && one->exit_code == other->exit_code &&
           str_equal(one->network_mode, other->network_mode) && str_equal(one->virtual_ip, other->virtual_ip) &&
           labels_equal(one, other) && networks_equal(one, other) && ports_equal(one, other);
}

static int by_name(const void *a, const void *b)
{
    const struct container *one = a, *other = b;
    int order = str_compare(one->name, other->name);
    return order != 0 ? order : str_compare(one->id, other->id);
}

void inventory_sort(struct inventory *inventory)
{
    if (inventory->count != 0)
        qsort(inventory->containers, inventory->count, sizeof(inventory->containers[0]), by_name);
}

const struct container *inventory_find(const struct inventory *inventory, struct str id)
{
    for (size_t i = 0; id.len >= PREFIX_LEAST && i < inventory->count; i++)
        if (str_starts(inventory->containers[i].id, id))
            return &inventory->containers[i];
    return NULL;
}
