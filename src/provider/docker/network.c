#include "provider/docker/network.h"

#include "provider/docker/naming.h"

#define SHARING_MAX 8   /* containers that use the network of one that uses the network of one ... */

struct search {
    const struct discovery *discovery;
    struct arena *arena;
    struct reach *reach;
};

static struct str address_in(const struct container_network *network)
{
    return str_empty(network->ipv4) ? network->ipv6 : network->ipv4;
}

static const struct container_network *find_network(const struct container *container, struct str name)
{
    for (size_t i = 0; i < container->network_count; i++)
        if (str_equal(container->networks[i].name, name) && !str_empty(address_in(&container->networks[i])))
            return &container->networks[i];
    return NULL;
}

/* By what a Compose file calls it: "front" is "shop_front" to the engine. */
static const struct container_network *find_in_project(const struct search *s, const struct container *container, struct str name)
{
    struct str project = naming_label(container, S("com.docker.compose.project"));
    if (str_empty(project))
        return NULL;
    return find_network(container, arena_printf(s->arena, "%.*s_%.*s", STR_ARGS(project), STR_ARGS(name)));
}

/* We are in no network of the engine, or in all of them. */
static bool reaches_all(const struct inventory *inventory)
{
    return str_empty(inventory->self_id) || inventory->self_on_host;
}

static bool is_shared(const struct inventory *inventory, const struct container_network *network)
{
    for (size_t i = 0; i < inventory->self_network_count; i++) {
        const struct container_network *own = &inventory->self_networks[i];
        bool by_id = !str_empty(own->id) && !str_empty(network->id);
        if (by_id ? str_equal(own->id, network->id) : str_equal(own->name, network->name))
            return true;
    }
    return false;
}

/* Swarm's ingress network leads from outside in, not from task to task. */
static bool is_ingress(const struct container_network *network)
{
    return str_equal(network->name, S("ingress"));
}

static const struct container_network *first_network(const struct search *s, const struct container *container, bool shared)
{
    const struct container_network *last_resort = NULL;
    for (size_t i = 0; i < container->network_count; i++) {
        const struct container_network *network = &container->networks[i];
        if (str_empty(address_in(network)) || (shared && !is_shared(s->discovery->inventory, network)))
            continue;
        if (!is_ingress(network))
            return network;
        last_resort = network;
    }
    return shared ? NULL : last_resort;
}

static struct str networks_of(const struct container *container, struct arena *arena)
{
    struct str list = STR_NONE;
    for (size_t i = 0; i < container->network_count; i++)
        list = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(list), i != 0 ? ", " : "", STR_ARGS(container->networks[i].name));
    return str_empty(list) ? S("none") : list;
}

static struct str self_name(const struct inventory *inventory)
{
    return str_empty(inventory->self_name) ? str_first(inventory->self_id, 12) : inventory->self_name;
}

static void doubt_unshared(const struct search *s, const struct container *container, const struct container_network *network)
{
    const struct inventory *inventory = s->discovery->inventory;
    if (reaches_all(inventory) || is_shared(inventory, network) || !str_empty(s->reach->reason))
        return;
    s->reach->reason = arena_printf(s->arena, "it shares no network with Portico (it is in: %.*s)",
                                    STR_ARGS(networks_of(container, s->arena)));
    s->reach->hint = arena_printf(s->arena, "docker network connect %.*s %.*s", STR_ARGS(network->name), STR_ARGS(self_name(inventory)));
}

/* The network that labels name. */
static const struct container_network *labelled_network(const struct search *s, const struct container *container, struct str name)
{
    if (str_empty(name))
        return NULL;
    const struct container_network *network = find_network(container, name);
    if (network != NULL)
        return network;
    s->reach->told = true;
    network = find_in_project(s, container, name);
    if (network != NULL) {
        s->reach->reason = arena_printf(s->arena, "the network '%.*s' of its labels is '%.*s' to the engine", STR_ARGS(name),
                                        STR_ARGS(network->name));
        return network;
    }
    s->reach->mistake = true;
    s->reach->reason = arena_printf(s->arena, "it is not in the network '%.*s' that its labels name (it is in: %.*s)", STR_ARGS(name),
                                    STR_ARGS(networks_of(container, s->arena)));
    s->reach->hint = S("Compose puts the project's name in front of a network's, unless the network has a 'name:' or is external");
    return NULL;
}

static void choose(const struct search *s, const struct container *container, struct str label)
{
    const struct container_network *network = labelled_network(s, container, label);
    if (network == NULL && !str_empty(s->discovery->config->network))
        network = find_network(container, s->discovery->config->network);
    if (network == NULL)
        network = first_network(s, container, true);
    if (network == NULL)
        network = first_network(s, container, false);
    if (network == NULL)
        return;
    s->reach->host = address_in(network);
    doubt_unshared(s, container, network);
}

/* It has no network of its own: its ports are the host's. */
static void reach_host(const struct search *s)
{
    struct reach *reach = s->reach;
    reach->by_name = !reaches_all(s->discovery->inventory);
    reach->host = reach->by_name ? S("host.docker.internal") : S("127.0.0.1");
    if (!reach->by_name)
        return;
    reach->reason = S("it uses the host's network, and Portico runs in a container");
    reach->hint = S("start Portico's container with --add-host host.docker.internal:host-gateway");
}

static void reach_container(const struct search *s, const struct container *container, struct str label)
{
    for (unsigned depth = 0; str_starts(container->network_mode, S("container:")); depth++) {
        struct str id = str_from_index(container->network_mode, sizeof("container:") - 1);
        const struct container *other = inventory_find(s->discovery->inventory, id);
        if (other == NULL || depth == SHARING_MAX) {
            s->reach->reason =
                arena_printf(s->arena, "it uses the network of container %.*s, which is not there", STR_ARGS(str_first(id, 12)));
            return;
        }
        struct str named = candidate_network_label(other);
        label = str_empty(named) ? label : named;
        container = other;
    }
    if (str_equal(container->network_mode, S("host")))
        reach_host(s);
    else
        choose(s, container, label);
}

static bool is_certain(struct str host_ip)
{
    return !str_empty(host_ip) && !str_equal(host_ip, S("0.0.0.0")) && !str_equal(host_ip, S("::"));
}

static const struct container_binding *find_binding(const struct container *container, uint16_t port)
{
    for (size_t i = 0; i < container->binding_count; i++)
        if (container->bindings[i].port == port && container->bindings[i].host_port != 0)
            return &container->bindings[i];
    return NULL;
}

/* A container without an address of its own (rootless engines make such) can be reached where the host publishes its port. */
static void reach_published(const struct search *s, const struct container *container)
{
    const struct container_binding *binding = find_binding(container, s->reach->port);
    if (binding == NULL || !reaches_all(s->discovery->inventory)) {
        if (str_empty(s->reach->reason))
            s->reach->reason = S("it has no address in any network");
        return;
    }
    s->reach->host = is_certain(binding->host_ip) ? binding->host_ip : S("127.0.0.1");
    s->reach->port = binding->host_port;
}

struct reach network_reach(const struct discovery *discovery, const struct candidate *candidate, uint16_t port, struct arena *arena)
{
    const struct container *container = candidate->container;
    struct reach reach = {.port = port};
    const struct search s = {discovery, arena, &reach};
    const struct container_binding *binding = find_binding(container, port);
    if (discovery->config->use_bind_port_ip && binding != NULL && is_certain(binding->host_ip)) {
        reach.host = binding->host_ip;
        reach.port = binding->host_port;
        return reach;
    }
    if (candidate->lb_swarm && !str_empty(container->virtual_ip)) {
        reach.host = container->virtual_ip;
        return reach;
    }
    reach_container(&s, container, candidate->network);
    if (str_empty(reach.host))
        reach_published(&s, container);
    return reach;
}

struct str network_authority(const struct reach *reach, struct arena *arena)
{
    bool is_v6 = str_find_char(reach->host, ':', 0) >= 0;
    return arena_printf(arena, is_v6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARGS(reach->host), reach->port);
}
