/* `portico nginx`, also under the name nginx: the same process as `run`, started, found and told as nginx is. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acme/manager.h"
#include "admin/metrics_push.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/nginx_flags.h"
#include "cli/nginx_words.h"
#include "cli/process.h"
#include "cli/take_up.h"
#include "snapshot/compile.h"

#define PID_FILE_MAX ((size_t)128)

struct nginx_order {
    struct nginx_flags flags;
    struct nginx_source source;
    const char *log_path;
    struct settings settings;
};

/* ---- -t, -T ---- */

static void dump(const struct nginx_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct nginx_file *file = &files->files[i];
        printf("# configuration file %.*s:\n", STR_ARGS(file->path));
        fwrite(file->content.data, 1, file->content.len, stdout);
        putchar('\n');
    }
}

/* Whoever is asked for a signal or a dump needs what the configuration says: the model, to be freed, or NULL. */
static struct model *load_checked(struct nginx_order *order)
{
    struct diag diag;
    struct model *model = settings_load(&order->settings, &diag, NULL);
    bool read = diag.errors == 0;
    struct graph *graph = read ? snapshot_compile(model, 1, &diag) : NULL;
    if (graph != NULL) {
        acme_check(model, &diag);
        metrics_push_check(model, &diag);
        if (order->flags.test)
            take_up_open_logs(graph, &diag);
    }
    nginx_words_show(&diag, order->log_path, order->flags.quiet);
    bool good = diag.errors == 0;
    if (order->flags.test && !order->flags.quiet && good)
        nginx_words_say("the configuration file %.*s syntax is ok", STR_ARGS(order->source.path));
    diag_release(&diag);
    if (graph != NULL)
        graph->model = NULL;
    if (graph != NULL)
        graph_unref(graph);
    if (good)
        return model;
    model_free(model);
    return NULL;
}

static int test(struct nginx_order *order)
{
    struct nginx_files files;
    order->source.files = &files;
    struct model *model = load_checked(order);
    if (model == NULL) {
        nginx_words_say("configuration file %.*s test failed", STR_ARGS(order->source.path));
        return EXIT_FAILED;
    }
    if (!order->flags.quiet)
        nginx_words_say("configuration file %.*s test is successful", STR_ARGS(order->source.path));
    if (order->flags.dump)
        dump(&files);
    model_free(model);
    return EXIT_GOOD;
}

/* ---- -s ---- */

static int number_of(const char *signal)
{
    return strcmp(signal, "stop") == 0 ? SIGTERM : strcmp(signal, "quit") == 0 ? SIGQUIT : strcmp(signal, "reopen") == 0 ? SIGUSR1 : SIGHUP;
}

static bool read_pid(const struct nginx_order *order, struct str path, struct arena *arena, pid_t *ret_pid)
{
    struct str content;
    uint64_t number;
    if (!file_read(arena, arena_str(arena, path).data, PID_FILE_MAX, &content)) {
        nginx_words_fail(order->log_path, "error", "open() \"%.*s\" failed (%d: %s)", STR_ARGS(path), errno, strerror(errno));
        return false;
    }
    struct str text = str_trim_space(content);
    if (!str_to_u64(text, &number) || number == 0 || number > INT32_MAX) {
        nginx_words_fail(order->log_path, "error", "invalid PID number \"%.*s\" in \"%.*s\"", STR_ARGS(text), STR_ARGS(path));
        return false;
    }
    *ret_pid = (pid_t)number;
    return true;
}

static int tell(struct nginx_order *order)
{
    struct model *model = load_checked(order);
    pid_t pid;
    if (model == NULL)
        return EXIT_FAILED;
    int number = number_of(order->flags.signal);
    bool good = read_pid(order, model->config.process.pid_file, &model->arena, &pid);
    if (good && kill(pid, number) != 0) {
        nginx_words_fail(order->log_path, "alert", "kill(%d, %d) failed (%d: %s)", (int)pid, number, errno, strerror(errno));
        good = false;
    }
    model_free(model);
    return good ? EXIT_GOOD : EXIT_FAILED;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct nginx_order order;
    if (count == 1 && strcmp(words[0], "--help") == 0)
        return command_help(command);
    if (!nginx_flags_read(words, count, &order.flags))
        return EXIT_FAILED;
    if (order.flags.version)
        nginx_flags_show(&order.flags);
    if (order.flags.version && !order.flags.test)
        return EXIT_GOOD;
    arena_init(&arena, ARENA_UNLIMITED);
    order.source = nginx_flags_source(&order.flags, &arena, &order.log_path);
    order.settings = (struct settings){.environment = environ, .nginx = &order.source, .nginx_log = order.log_path};
    int code = order.flags.test             ? test(&order)
               : order.flags.signal != NULL ? tell(&order)
                                            : process_run(&order.settings);
    arena_release(&arena);
    return code;
}

static const struct command nginx = {
    .name = "nginx",
    .usage = "nginx [-?hvVtTq] [-s SIGNAL] [-p PREFIX] [-e FILE] [-c FILE] [-g DIRECTIVES]",
    .summary = "Runs an nginx.conf, with nginx's own flags, signals and messages.",
    .own_help = true,
    .run = run,
};
REGISTER(command, nginx);
