#include "provider/docker/self.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

#define ID_LENGTH 64
#define PREFIX_LENGTH 12
#define PROC_FILE_MAX ((size_t)4 << 20)

static bool is_hex(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (ascii_hex(text.data[i]) < 0)
            return false;
    return true;
}

static void add(struct self_hints *hints, struct str id)
{
    for (size_t i = 0; i < hints->count; i++)
        if (str_equal(id, str_from(hints->ids[i])))
            return;
    if (hints->count < SELF_HINTS_MAX)
        snprintf(hints->ids[hints->count++], CONTAINER_ID_SIZE, "%.*s", STR_ARGS(id));
}

/* The first stretch of exactly 64 hexadecimal digits: "/docker/containers/<id>/hostname", "libpod-<id>.scope". */
static bool find_id(struct str text, struct str *ret_id)
{
    for (size_t at = 0, start = 0; at <= text.len; at++) {
        if (at < text.len && ascii_hex(text.data[at]) >= 0)
            continue;
        if (at - start == ID_LENGTH) {
            *ret_id = str_of(text.data + start, ID_LENGTH);
            return true;
        }
        start = at + 1;
    }
    return false;
}

/* Field 4 is where the mount's root lies in its file system, field 5 where it is mounted. Outside of containers the same folders may
 * be mounted too, elsewhere. */
void self_add_mounts(struct self_hints *hints, struct str mountinfo)
{
    struct str line, field, id;
    while (str_split(&mountinfo, '\n', &line)) {
        struct str fields[5] = {STR_NONE};
        for (size_t i = 0; i < 5 && str_split(&line, ' ', &field); i++)
            fields[i] = field;
        bool engines = str_equal(fields[4], S("/etc/hostname")) || str_equal(fields[4], S("/etc/hosts")) ||
                       str_equal(fields[4], S("/etc/resolv.conf")) || str_equal(fields[4], S("/run/.containerenv"));
        if (engines && str_find(fields[3], S("containers/")) >= 0 && find_id(fields[3], &id))
            add(hints, id);
    }
}

void self_add_cgroup(struct self_hints *hints, struct str cgroup)
{
    struct str line, id;
    while (str_split(&cgroup, '\n', &line))
        if (find_id(line, &id))
            add(hints, id);
}

void self_add_hostname(struct self_hints *hints, struct str hostname)
{
    if (hostname.len == PREFIX_LENGTH && is_hex(hostname))
        add(hints, hostname);
}

void self_look(struct self_hints *ret_hints)
{
    char hostname[256] = "";
    struct arena arena;
    struct str text;
    *ret_hints = (struct self_hints){.count = 0};
    arena_init(&arena, ARENA_UNLIMITED);
    if (file_read(&arena, "/proc/self/mountinfo", PROC_FILE_MAX, &text))
        self_add_mounts(ret_hints, text);
    if (file_read(&arena, "/proc/self/cgroup", PROC_FILE_MAX, &text))
        self_add_cgroup(ret_hints, text);
    if (gethostname(hostname, sizeof(hostname) - 1) == 0)
        self_add_hostname(ret_hints, str_from(hostname));
    arena_release(&arena);
}

/* A container in another's network is where that one is. */
static const struct container *network_owner(const struct inventory *inventory, const struct container *container)
{
    struct str prefix = S("container:");
    for (unsigned i = 0; i < 8 && container != NULL && str_starts(container->network_mode, prefix); i++)
        container = inventory_find(inventory, str_from_index(container->network_mode, prefix.len));
    return container;
}

void self_apply(const struct self_hints *hints, struct inventory *inventory)
{
    const struct container *self = NULL;
    for (size_t i = 0; i < hints->count && self == NULL; i++) {
        self = inventory_find(inventory, str_from(hints->ids[i]));
        if (self != NULL && self->state != CONTAINER_RUNNING)
            self = NULL;
    }
    if (self == NULL)
        return;
    inventory->self_id = self->id;
    inventory->self_name = self->name;
    const struct container *place = network_owner(inventory, self);
    if (place == NULL)
        return;
    inventory->self_networks = place->networks;
    inventory->self_network_count = place->network_count;
    inventory->self_on_host = str_equal(place->network_mode, S("host"));
}
