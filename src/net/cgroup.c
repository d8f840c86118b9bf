#include "net/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define PATH_SIZE 4096

/* The first line of a file without its end; false when it cannot be read. */
static bool read_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool got = fgets(out, (int)size, file) != NULL;
    fclose(file);
    if (got)
        out[strcspn(out, "\n")] = '\0';
    return got;
}

static unsigned cpus_of(struct str quota, struct str period)
{
    uint64_t granted, of;
    /* "max" (version 2) and "-1" (version 1) are no numbers here: unlimited. */
    if (!str_to_u64(quota, &granted) || !str_to_u64(period, &of) || granted == 0 || of == 0)
        return 0;
    uint64_t cpus = granted / of + (granted % of != 0);
    return cpus > 65536 ? 65536 : (unsigned)cpus;
}

/* "max 100000" or "150000 100000". */
static unsigned limit_of_v2(const char *directory)
{
    char path[PATH_SIZE + 32], line[128];
    struct str rest, quota, period;
    snprintf(path, sizeof(path), "%s/cpu.max", directory);
    if (!read_line(path, line, sizeof(line)))
        return 0;
    rest = str_from(line);
    return str_split(&rest, ' ', &quota) && str_split(&rest, ' ', &period) ? cpus_of(quota, period) : 0;
}

static unsigned limit_of_v1(const char *directory)
{
    char path[PATH_SIZE + 32], quota[64], period[64];
    snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", directory);
    if (!read_line(path, quota, sizeof(quota)))
        return 0;
    snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", directory);
    if (!read_line(path, period, sizeof(period)))
        return 0;
    return cpus_of(str_from(quota), str_from(period));
}

/* The smallest limit from the group up to the mount. In a container the path may be the host's and not be there:
 * the walk ends at the mount all the same, which then is the container's own group. */
static unsigned smallest_limit(const char *mount, struct str group, unsigned (*limit_of)(const char *directory))
{
    char path[PATH_SIZE];
    unsigned smallest = 0;
    size_t mount_len = strlen(mount);
    if (mount_len + group.len >= sizeof(path))
        return 0;
    memcpy(path, mount, mount_len);
    memcpy(path + mount_len, group.data, group.len);
    path[mount_len + group.len] = '\0';
    for (;;) {
        unsigned limit = limit_of(path);
        if (limit != 0 && (smallest == 0 || limit < smallest))
            smallest = limit;
        char *slash = strrchr(path + mount_len, '/');
        if (slash == NULL)
            return smallest;
        *slash = '\0';
    }
}

static bool names_cpu(struct str controllers)
{
    struct str name;
    while (str_split(&controllers, ',', &name)) {
        if (str_equal(name, S("cpu")))
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup: "hierarchy:controllers:path". */
static unsigned limit_of_line(const char *root, struct str line)
{
    struct str hierarchy, controllers, group = line;
    char mount[PATH_SIZE / 2];
    if (!str_split(&group, ':', &hierarchy) || !str_split(&group, ':', &controllers))
        return 0;
    if (str_equal(hierarchy, S("0"))) {
        snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
        return smallest_limit(mount, group, limit_of_v2);
    }
    if (!names_cpu(controllers))
        return 0;
    /* Distributions link "cpu" to where the controllers are mounted together. */
    snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/cpu", root);
    return smallest_limit(mount, group, limit_of_v1);
}

unsigned cgroup_cpu_limit(const char *root)
{
    char path[PATH_SIZE], line[PATH_SIZE];
    unsigned smallest = 0;
    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        unsigned limit = limit_of_line(root, str_from(line));
        if (limit != 0 && (smallest == 0 || limit < smallest))
            smallest = limit;
    }
    fclose(file);
    return smallest;
}
