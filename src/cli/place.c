#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/background.h"
#include "cli/pid_file.h"

static struct span span_of(const struct process_config *config, const char *option)
{
    return node_span(node_get(config->origin, str_from(option)));
}

/* Who may raise the hard limit does; others get what it allows. */
static void limit_files(const struct process_config *config, struct diag *diag)
{
    struct rlimit now;
    rlim_t wanted = (rlim_t)config->open_files;
    if (wanted == 0 || getrlimit(RLIMIT_NOFILE, &now) != 0)
        return;
    struct rlimit both = {.rlim_cur = wanted, .rlim_max = now.rlim_max > wanted ? now.rlim_max : wanted};
    if (setrlimit(RLIMIT_NOFILE, &both) == 0)
        return;
    now.rlim_cur = wanted < now.rlim_max ? wanted : now.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur != wanted)
        diag_warning(diag, span_of(config, "openFiles"), "%llu open files are allowed, not %lld: what starts the process limits them",
                     (unsigned long long)now.rlim_cur, (long long)config->open_files);
}

#define FILES_READY 65536

/* The kernel doubles a process's table of descriptors whenever it is full. Where there are threads, whoever opens that descriptor then
 * waits until all cores have seen the change: a worker would stand still for 10 ms and more with all of its clients. While there is one
 * thread nobody waits, so the table is made large here (8 bytes for each). */
static void make_room_for_files(void)
{
    struct rlimit limit;
    int any = eventfd(0, EFD_CLOEXEC);
    if (any < 0)
        return;
    rlim_t count = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_READY ? limit.rlim_cur : FILES_READY;
    int last = fcntl(any, F_DUPFD_CLOEXEC, (int)count - 1);
    if (last >= 0)
        close(last);
    close(any);
}

bool place_begin(const struct model *model, struct diag *diag)
{
    const struct process_config *config = &model->config.process;
    if (config->daemon && !background_begin()) {
        diag_error(diag, span_of(config, "daemon"), "fork() failed (%d: %s)", errno, strerror(errno));
        return false;
    }
    limit_files(config, diag);
    make_room_for_files();
    return true;
}

bool place_settle(const struct model *model, struct diag *diag)
{
    const struct process_config *config = &model->config.process;
    const char *folder = arena_str(diag->arena, config->working_directory).data;
    if (!pid_file_set(config->pid_file, geteuid() == 0 && !str_empty(model->config.user))) {
        diag_error(diag, span_of(config, "pidFile"), "open() \"%.*s\" failed (%d: %s)", STR_ARGS(config->pid_file), errno, strerror(errno));
        return false;
    }
    if (!str_empty(config->working_directory) && chdir(folder) != 0) {
        diag_error(diag, span_of(config, "workingDirectory"), "chdir(\"%s\") failed (%d: %s)", folder, errno, strerror(errno));
        return false;
    }
    return true;
}

void place_settled(const struct model *model)
{
    const struct log_config *log = &model->config.log;
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    background_settled(str_empty(log->file_path) ? NULL : arena_str(&arena, log->file_path).data);
    arena_release(&arena);
}

void place_review(const struct model *model, struct diag *diag)
{
    const struct process_config *config = &model->config.process;
    if (!pid_file_set(config->pid_file, false))
        diag_warning(diag, span_of(config, "pidFile"), "open() \"%.*s\" failed (%d: %s)", STR_ARGS(config->pid_file), errno,
                     strerror(errno));
}

void place_leave(void)
{
    pid_file_remove();
}
