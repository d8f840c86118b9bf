#include "provider/docker/inspect.h"

#include <signal.h>
#include <stdlib.h>

#include "provider/docker/member.h"
#include "provider/docker/question.h"

#define LABELS_MAX 1000
#define LABEL_BYTES_MAX ((size_t)1 << 20)      /* of all of a container's */
#define NETWORKS_MAX 200
#define PORTS_MAX 1000
#define BINDINGS_MAX 1000
#define LIST_MAX 20000
#define HEALTH_OUTPUT_MAX 200

int inspect_signal(struct str name)
{
    static const struct {
        struct str name;
        int number;
    } signals[] = {{STR("TERM"), SIGTERM}, {STR("KILL"), SIGKILL}, {STR("INT"), SIGINT},     {STR("QUIT"), SIGQUIT},
                   {STR("HUP"), SIGHUP},   {STR("USR1"), SIGUSR1}, {STR("USR2"), SIGUSR2},   {STR("ABRT"), SIGABRT},
                   {STR("PWR"), SIGPWR},   {STR("ALRM"), SIGALRM}, {STR("WINCH"), SIGWINCH}, {STR("STOP"), SIGSTOP}};
    uint64_t number = 0;
    if (str_to_u64(name, &number))
        return number <= 64 ? (int)number : 0;
    if (str_starts_nocase(name, S("SIG")))
        name = str_from_index(name, 3);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (str_equal_nocase(name, signals[i].name))
            return signals[i].number;
    /* "RTMIN+3", what systemd in a container wants. */
    if (str_starts_nocase(name, S("RTMIN+")) && str_to_u64(str_from_index(name, 6), &number) && number <= 30)
        return 34 + (int)number;
    return 0;
}

static enum container_state read_state(const json_t *state)
{
    static const struct {
        struct str name;
        enum container_state state;
    } states[] = {{STR("created"), CONTAINER_CREATED},       {STR("configured"), CONTAINER_CREATED},
                  {STR("initialized"), CONTAINER_CREATED},   {STR("running"), CONTAINER_RUNNING},
                  {STR("stopping"), CONTAINER_RUNNING},      {STR("paused"), CONTAINER_PAUSED},
                  {STR("restarting"), CONTAINER_RESTARTING}, {STR("removing"), CONTAINER_STOPPED}};
    struct str status = member_text(json_object_get(state, "Status"));
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (str_equal_nocase(status, states[i].name))
            return states[i].state;
    if (str_empty(status) && json_is_true(json_object_get(state, "Running")))
        return json_is_true(json_object_get(state, "Paused")) ? CONTAINER_PAUSED : CONTAINER_RUNNING;
    return CONTAINER_STOPPED;
}

/* Podman 4 says "Healthcheck" where Docker says "Health"; an empty status is none. */
static enum container_health read_health(const json_t *health)
{
    struct str status = member_text(json_object_get(health, "Status"));
    if (str_equal(status, S("starting")))
        return HEALTH_STARTING;
    if (str_equal(status, S("healthy")))
        return HEALTH_GOOD;
    return str_equal(status, S("unhealthy")) ? HEALTH_BAD : HEALTH_NONE;
}

/* The last check's, if it failed: one line, its beginning, nothing that moves a cursor. */
static struct str read_health_output(const json_t *health, struct arena *arena)
{
    const json_t *log = json_object_get(health, "Log");
    size_t count = json_array_size(log);
    const json_t *last = count != 0 ? json_array_get(log, count - 1) : NULL;
    if (json_integer_value(json_object_get(last, "ExitCode")) == 0)
        return STR_NONE;
    struct str output = str_trim_space(member_text(json_object_get(last, "Output")));
    if (output.len > HEALTH_OUTPUT_MAX)
        for (output.len = HEALTH_OUTPUT_MAX; output.len > 0 && ((unsigned char)output.data[output.len] & 0xc0) == 0x80;)
            output.len--;
    char *copy = arena_alloc(arena, output.len + 1);
    for (size_t i = 0; i < output.len; i++)
        copy[i] = (unsigned char)output.data[i] < ' ' || output.data[i] == 0x7f ? ' ' : output.data[i];
    return str_of(copy, output.len);
}

static bool is_beyond(const json_t *labels)
{
    size_t bytes = 0;
    for (void *item = json_object_iter((json_t *)(uintptr_t)labels); item != NULL && bytes <= LABEL_BYTES_MAX;
         item = json_object_iter_next((json_t *)(uintptr_t)labels, item))
        bytes += strlen(json_object_iter_key(item)) + json_string_length(json_object_iter_value(item));
    return json_object_size(labels) > LABELS_MAX || bytes > LABEL_BYTES_MAX;
}

void inspect_read_labels(const json_t *json, struct arena *arena, struct container *container)
{
    container->labels_beyond = is_beyond(json);
    container->label_count = 0;
    if (container->labels_beyond)
        return;
    container->labels = arena_array(arena, struct label, json_object_size(json));
    for (void *item = json_object_iter((json_t *)(uintptr_t)json); item != NULL;
         item = json_object_iter_next((json_t *)(uintptr_t)json, item))
        container->labels[container->label_count++] = (struct label){.key = arena_str(arena, str_from(json_object_iter_key(item))),
                                                                     .value = member_copy(json_object_iter_value(item), arena)};
}

/* ---- networks ---- */

static int by_network_name(const void *a, const void *b)
{
    return str_compare(((const struct container_network *)a)->name, ((const struct container_network *)b)->name);
}

static void read_networks(json_t *json, struct arena *arena, struct container *container)
{
    const char *name;
    json_t *network;
    container->networks = arena_array(arena, struct container_network, json_object_size(json));
    json_object_foreach(json, name, network) {
        if (container->network_count == NETWORKS_MAX)
            break;
        struct container_network *at = &container->networks[container->network_count++];
        at->name = arena_str(arena, str_from(name));
        at->id = member_copy(json_object_get(network, "NetworkID"), arena);
        at->ipv4 = member_copy(json_object_get(network, "IPAddress"), arena);
        at->ipv6 = member_copy(json_object_get(network, "GlobalIPv6Address"), arena);
    }
    if (container->network_count != 0)
        qsort(container->networks, container->network_count, sizeof(container->networks[0]), by_network_name);
}

/* ---- ports ---- */

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Those that run say their ports in NetworkSettings, those that do not only in their configuration. */
static void read_ports(json_t *ports, json_t *exposed, struct arena *arena, struct container *container)
{
    const char *key;
    json_t *value;
    size_t count = 0;
    uint16_t *all = arena_array(arena, uint16_t, json_object_size(ports) + json_object_size(exposed));
    json_object_foreach(ports, key, value)
        if (member_tcp_port(key) != 0)
            all[count++] = member_tcp_port(key);
    json_object_foreach(exposed, key, value)
        if (member_tcp_port(key) != 0)
            all[count++] = member_tcp_port(key);
    if (count != 0)
        qsort(all, count, sizeof(all[0]), by_number);
    for (size_t i = 0; i < count && container->port_count < PORTS_MAX; i++)
        if (container->port_count == 0 || all[container->port_count - 1] != all[i])
            all[container->port_count++] = all[i];
    container->ports = all;
}

static size_t count_bindings(json_t *ports)
{
    const char *key;
    json_t *hosts;
    size_t count = 0;
    json_object_foreach(ports, key, hosts)
        count += json_array_size(hosts);
    return count < BINDINGS_MAX ? count : BINDINGS_MAX;
}

static void add_bindings(uint16_t port, const json_t *hosts, size_t room, struct arena *arena, struct container *container)
{
    uint64_t number;
    for (size_t i = 0; i < json_array_size(hosts) && container->binding_count < room; i++) {
        const json_t *host = json_array_get(hosts, i);
        if (str_to_u64(member_text(json_object_get(host, "HostPort")), &number) && number != 0 && number <= UINT16_MAX)
            container->bindings[container->binding_count++] = (struct container_binding){
                .port = port, .host_port = (uint16_t)number, .host_ip = member_copy(json_object_get(host, "HostIp"), arena)};
    }
}

static int by_port(const void *a, const void *b)
{
    const struct container_binding *one = a, *other = b;
    return one->port != other->port ? one->port - other->port : one->host_port - other->host_port;
}

static void read_bindings(json_t *ports, struct arena *arena, struct container *container)
{
    const char *key;
    json_t *hosts;
    size_t room = count_bindings(ports);
    container->bindings = arena_array(arena, struct container_binding, room);
    json_object_foreach(ports, key, hosts)
        if (member_tcp_port(key) != 0)
            add_bindings(member_tcp_port(key), hosts, room, arena, container);
    if (container->binding_count != 0)
        qsort(container->bindings, container->binding_count, sizeof(container->bindings[0]), by_port);
}

/* ---- the whole ---- */

static void read_container(json_t *json, struct arena *arena, struct container *container)
{
    const json_t *state = json_object_get(json, "State"), *health = json_object_get(state, "Health");
    struct str name = member_text(json_object_get(json, "Name"));
    if (health == NULL)
        health = json_object_get(state, "Healthcheck");
    container->name = arena_str(arena, str_starts(name, S("/")) ? str_from_index(name, 1) : name);
    container->image = member_copy(member_at(json, "Config", "Image", NULL), arena);
    container->state = read_state(state);
    container->health = read_health(health);
    container->health_output = read_health_output(health, arena);
    container->created = member_moment(json_object_get(json, "Created"));
    container->exit_code = (int)json_integer_value(json_object_get(state, "ExitCode"));
    inspect_read_labels(member_at(json, "Config", "Labels", NULL), arena, container);
    container->network_mode = member_copy(member_at(json, "HostConfig", "NetworkMode", NULL), arena);
    if (str_equal(container->network_mode, S("default")))
        container->network_mode = S("bridge");
    json_t *ports = member_at(json, "NetworkSettings", "Ports", NULL);
    read_networks(member_at(json, "NetworkSettings", "Networks", NULL), arena, container);
    read_ports(ports, member_at(json, "Config", "ExposedPorts", NULL), arena, container);
    read_bindings(ports, arena, container);
}

/* Docker says a name, Podman a number. */
static int read_stop_signal(const json_t *value)
{
    int number = json_is_integer(value) ? (int)json_integer_value(value) : inspect_signal(member_text(value));
    return number > 0 && number <= 64 ? number : SIGTERM;
}

bool inspect_read(struct str text, struct arena *arena, struct inspected *ret_inspected)
{
    json_t *json = member_parse(text);
    *ret_inspected = (struct inspected){.container = {.id = member_copy(json_object_get(json, "Id"), arena)}};
    bool good = !str_empty(ret_inspected->container.id) && json_is_object(json_object_get(json, "State"));
    if (good) {
        read_container(json, arena, &ret_inspected->container);
        ret_inspected->started = member_moment(member_at(json, "State", "StartedAt", NULL));
        ret_inspected->stop_signal = read_stop_signal(member_at(json, "Config", "StopSignal", NULL));
    }
    json_decref(json);
    return good;
}

bool inspect_read_list(struct str text, struct arena *arena, struct strs *ret_ids)
{
    json_t *json = member_parse(text);
    size_t count = json_array_size(json);
    bool good = json_is_array(json);
    *ret_ids = (struct strs){.items = arena_array(arena, struct str, count)};
    for (size_t i = 0; i < count && ret_ids->count < LIST_MAX; i++) {
        struct str id = member_copy(json_object_get(json_array_get(json, i), "Id"), arena);
        if (question_id_is_good(id))
            ret_ids->items[ret_ids->count++] = id;
    }
    json_decref(json);
    return good;
}
