/* The process as the system sees it (proc(5), getrusage), under the names that client libraries of Prometheus gave these numbers,
 * and what is known of its configuration. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/metrics_read.h"
#include "base/version.h"
#include "observe/otlp.h"

/* Linux tells the number as the directory's size since 6.2; before, they are counted. */
static double count_descriptors(void)
{
    struct stat stat;
    int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    bool told = fstat(fd, &stat) == 0 && stat.st_size > 0;
    DIR *directory = told ? NULL : fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return told ? (double)stat.st_size - 1 : -1;
    }
    double count = -3;                /* ".", "..", and the one that is read */
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void read_memory(struct metrics *metrics)
{
    unsigned long long size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%llu %llu", &size, &resident) == 2) {
        double page = (double)sysconf(_SC_PAGESIZE);
        metrics_add(metrics, METRIC_PROCESS_RESIDENT, NULL, (double)resident * page);
        metrics_add(metrics, METRIC_PROCESS_VIRTUAL, NULL, (double)size * page);
    }
    fclose(file);
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void read_system(struct metrics *metrics)
{
    struct rusage usage;
    struct rlimit limit;
    double descriptors = count_descriptors();
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metrics_add(metrics, METRIC_PROCESS_CPU, NULL, seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
    if (descriptors >= 0)
        metrics_add(metrics, METRIC_PROCESS_OPEN_FDS, NULL, descriptors);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_add(metrics, METRIC_PROCESS_MAX_FDS, NULL, (double)limit.rlim_cur);
    read_memory(metrics);
}

/* Traefik counts each configuration that it takes up, the first one too. */
static void read_configuration(struct metrics *metrics)
{
    const struct admin *admin = admin_self;
    const struct str *version = METRICS_KEEP(metrics, S(PORTICO_VERSION));
    metrics_add(metrics, METRIC_BUILD_INFO, version, 1);
    metrics_add(metrics, METRIC_PROCESS_START, NULL, (double)admin->started_wall / 1e9);
    metrics_add(metrics, METRIC_CONFIG_RELOADS, NULL, (double)(1 + admin->reloads - admin->reloads_failed));
    metrics_add(metrics, METRIC_CONFIG_LAST_SUCCESS, NULL, (double)(admin->configured_wall / 1000000000));
    metrics_add(metrics, METRIC_CONFIG_FAILURES, NULL, (double)admin->reloads_failed);
    metrics_add(metrics, METRIC_CONFIG_GOOD, NULL, admin->last_load.good);
    metrics_add(metrics, METRIC_CONFIG_GENERATION, NULL, (double)admin->graph->generation);
}

void metrics_read_process(struct metrics *metrics)
{
    read_configuration(metrics);
    read_system(metrics);
    metrics_add(metrics, METRIC_SPANS_DROPPED, NULL, (double)otlp_counts(OTLP_TRACES).dropped);
}
