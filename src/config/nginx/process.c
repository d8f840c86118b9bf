/* The main level: how the process lives among others, and its log. */
#include "base/option.h"
#include "config/nginx/compile.h"

#define FOREVER_MS (INT64_C(10) * 365 * 24 * 3600 * 1000)

static const struct nginx_syntax rows[] = {
    {"daemon", NGINX_MAIN, .flag = true, .help = "Whether the process goes on in the background."},
    {"master_process", NGINX_MAIN, .flag = true, .noted = "there is one process, whose workers are threads"},
    {"pid", NGINX_MAIN, .min = 1, .max = 1, .help = "The file with the number of the process."},
    {"user", NGINX_MAIN, .min = 1, .max = 2, .help = "Who the process goes on as when root started it."},
    {"worker_processes", NGINX_MAIN, .min = 1, .max = 1, .help = "Worker threads."},
    {"worker_rlimit_nofile", NGINX_MAIN, .min = 1, .max = 1, .help = "Files and connections that may be open."},
    {"worker_rlimit_core", NGINX_MAIN, .min = 1, .max = 1, .noted = "the size of a core is what starts the process to say"},
    {"worker_shutdown_timeout", NGINX_MAIN, .min = 1, .max = 1, .help = "How long requests may take to end when the process stops."},
    {"worker_priority", NGINX_MAIN, .min = 1, .max = 1, .noted = "the priority is what starts the process to say (nice)"},
    {"worker_cpu_affinity", NGINX_MAIN, .min = 1, .max = NGINX_MANY, .noted = "the system places threads well"},
    {"working_directory", NGINX_MAIN, .min = 1, .max = 1, .help = "Where the process goes."},
    {"lock_file", NGINX_MAIN, .min = 1, .max = 1, .noted = "workers need no file to take turns"},
    {"env", NGINX_MAIN, .min = 1, .max = 1, .repeats = true, .noted = "the environment stays as it is"},
    {"debug_points", NGINX_MAIN, .min = 1, .max = 1, .noted = "what cannot be always stops the process"},
    {"timer_resolution", NGINX_MAIN, .min = 1, .max = 1, .noted = "the time is read once each turn of a worker's loop"},
    {"thread_pool", NGINX_MAIN, .min = 2, .max = 3, .repeats = true, .noted = "files are read without waiting threads"},
    {"load_module", NGINX_MAIN, .min = 1, .max = 1, .repeats = true, .noted = "what Portico can do is part of it"},
    {"pcre_jit", NGINX_MAIN, .flag = true, .noted = "regular expressions are always compiled"},
    {"worker_connections", NGINX_EVENTS, .min = 1, .max = 1, .noted = "connections are limited by open files alone"},
    {"use", NGINX_EVENTS, .min = 1, .max = 1, .noted = "events come from epoll"},
    {"multi_accept", NGINX_EVENTS, .flag = true, .noted = "all that wait are accepted, up to 128 a turn"},
    {"accept_mutex", NGINX_EVENTS, .flag = true, .noted = "each worker has a socket of its own"},
    {"accept_mutex_delay", NGINX_EVENTS, .min = 1, .max = 1, .noted = "each worker has a socket of its own"},
    {"worker_aio_requests", NGINX_EVENTS, .min = 1, .max = 1, .noted = "files are not read by aio"},
    {"debug_connection", NGINX_EVENTS, .min = 1, .max = 1, .repeats = true, .noted = "messages for debugging are those of the whole process"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void put_text(struct nginx_compile *compile, const char *name, struct node *map, const char *key)
{
    const struct nginx_directive *directive = nginx_here(compile->main, name);
    if (directive != NULL)
        nginx_put(compile, map, key, directive->words[0].text, directive->words[0].span);
}

static void put_path(struct nginx_compile *compile, const char *name, struct node *map, const char *key)
{
    const struct nginx_directive *directive = nginx_here(compile->main, name);
    if (directive != NULL)
        nginx_put(compile, map, key, nginx_prefix_path(compile, directive->words[0].text), directive->words[0].span);
}

static void put_count(struct nginx_compile *compile, const char *name, struct node *map, const char *key, int64_t usual)
{
    const struct nginx_directive *directive = nginx_here(compile->main, name);
    uint64_t number;
    if (directive == NULL && usual != 0)
        nginx_put_number(compile, map, key, usual, SPAN_NONE);
    if (directive == NULL || str_equal(directive->words[0].text, S("auto")))
        return;
    if (!str_to_u64(directive->words[0].text, &number) || number == 0)
        nginx_invalid(compile, directive, &directive->words[0]);
    else
        nginx_put_number(compile, map, key, (int64_t)number, directive->words[0].span);
}

static void put_user(struct nginx_compile *compile)
{
    const struct nginx_directive *directive = nginx_here(compile->main, "user");
    if (directive == NULL)
        return;
    struct str user = directive->words[0].text;
    if (directive->count > 1)
        user = arena_printf(compile->arena, "%.*s:%.*s", STR_ARGS(user), STR_ARGS(directive->words[1].text));
    nginx_put(compile, compile->root, "user", user, directive->words[0].span);
}

static void put_process(struct nginx_compile *compile)
{
    struct node *process = nginx_put_map(compile, compile->root, "process", SPAN_NONE);
    nginx_put_flag(compile, process, "quickStop", true, SPAN_NONE);
    nginx_put_flag(compile, process, "exclusivePorts", true, SPAN_NONE);
    const struct nginx_directive *daemon = nginx_here(compile->main, "daemon");
    if (daemon != NULL && str_equal_nocase(daemon->words[0].text, S("on")))
        nginx_put_flag(compile, process, "daemon", true, daemon->words[0].span);
    put_path(compile, "pid", process, "pidFile");
    put_text(compile, "working_directory", process, "workingDirectory");
    put_count(compile, "worker_rlimit_nofile", process, "openFiles", 0);
    put_count(compile, "worker_processes", compile->root, "workers", 1);
    put_user(compile);
}

static void global(struct nginx_compile *compile)
{
    put_process(compile);
}

/* Whoever stops waits for requests as long as they take, unless told otherwise. */
static void server(struct nginx_server *server)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *directive = nginx_here(compile->main, "worker_shutdown_timeout");
    int64_t ms = FOREVER_MS;
    if (directive != NULL && !nginx_time(directive->words[0].text, &ms))
        nginx_invalid(compile, directive, &directive->words[0]);
    struct node *entries = nginx_section(compile, "entryPoints");
    for (size_t i = 0; i < server->entry_points->count; i++) {
        struct node *entry = node_get(entries, server->entry_points->items[i]);
        if (entry == NULL)
            continue;
        struct node *transport = nginx_put_map(compile, entry, "transport", SPAN_NONE);
        struct node *life = nginx_put_map(compile, transport, "lifeCycle", SPAN_NONE);
        if (node_get(life, S("graceTimeOut")) == NULL)
            nginx_put_time(compile, life, "graceTimeOut", ms, directive != NULL ? directive->words[0].span : SPAN_NONE);
    }
}

static const struct nginx_part part = {.name = "process", .order = 10, .global = global, .server = server};
REGISTER(nginx_part, part);
