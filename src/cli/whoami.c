#include "cli/whoami.h"

#include <errno.h>
#include <ifaddrs.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "proto/h2/server.h"

#define GRACE (5 * TIME_S)
#define BACKLOG 4096
#define HEAD_TIMEOUT (30 * TIME_S)
#define IDLE_TIMEOUT (180 * TIME_S)

static const struct flag flags_of_whoami[] = {
    {.name = "port", .letter = 'p', .argument = "N", .help = "The port to listen on (80)."},
    {.name = "name", .letter = 'n', .argument = "NAME", .help = "What it calls itself in its answers."},
    {.name = "address", .letter = 'a', .argument = "ADDRESS",
     .help = "The address to listen on (all of them), or unix:/path instead of a port."},
    {.name = NULL},
};

/* ---- the process ---- */

static void on_accept(struct listener *listener, int fd, const struct addr *peer)
{
    struct whoami *whoami = listener->owner;
    struct client client = {.peer = addr_ip(peer), .peer_port = addr_port(peer), .unix_socket = listener->unix_socket};
    h1_server_new(&whoami->worker, fd, &client, &whoami->settings, &whoami->connections);
}

/* HTTP/2 by prior knowledge. */
static bool on_foreign(void *context, enum foreign_kind kind, const struct foreign *foreign)
{
    struct whoami *whoami = context;
    if (kind != FOREIGN_H2)
        return false;
    h2_server_adopt(&whoami->worker, foreign->sock, foreign->input, foreign->input_at, foreign->client, &whoami->settings,
                    &whoami->connections);
    return true;
}

static void cut(struct whoami *whoami)
{
    connections_close(&whoami->connections, STATUS_STOPPING);
}

static void on_grace_over(struct timer *timer)
{
    cut(container_of(timer, struct whoami, grace));
}

static void on_signal(struct signals *signals, int number)
{
    struct whoami *whoami = signals->owner;
    if (number == SIGHUP || number == SIGUSR1 || number == SIGUSR2)
        return;
    if (whoami->stopping) {
        cut(whoami);
        return;
    }
    whoami->stopping = true;
    listener_stop(&whoami->listener);
    timer_after(&whoami->worker.loop, &whoami->grace, GRACE);
}

/* At the top of each turn: while it stops, connections that have become idle are closed, and the last one ends the loop. */
static void before_wait(struct loop *loop)
{
    struct whoami *whoami = container_of(container_of(loop, struct worker, loop), struct whoami, worker);
    if (!whoami->stopping)
        return;
    connections_drain(&whoami->connections);
    if (list_empty(&whoami->connections)) {
        loop_stop(loop);
        loop_wake(loop);
    }
}

static void note_addresses(struct whoami *whoami)
{
    struct ifaddrs *found;
    if (getifaddrs(&found) != 0)
        return;
    for (const struct ifaddrs *it = found; it != NULL; it = it->ifa_next) {
        if (it->ifa_addr == NULL || (it->ifa_addr->sa_family != AF_INET && it->ifa_addr->sa_family != AF_INET6))
            continue;
        struct addr addr = {.len = it->ifa_addr->sa_family == AF_INET ? sizeof(addr.v4) : sizeof(addr.v6)};
        memcpy(&addr.any, it->ifa_addr, addr.len);
        struct ip ip = addr_ip(&addr);
        char text[IP_TEXT_SIZE];
        VEC_PUSH(&whoami->addresses, memory_copy_text(text, ip_format(&ip, text)));
    }
    freeifaddrs(found);
}

static bool start(struct whoami *whoami, int fd)
{
    signals_block();
    if (!worker_init(&whoami->worker, 0))
        return false;
    worker_self = &whoami->worker;
    list_init(&whoami->connections);
    timer_init(&whoami->grace, on_grace_over);
    note_addresses(whoami);
    gethostname(whoami->host_name, sizeof(whoami->host_name) - 1);
    whoami->health = 200;
    whoami->settings =
        (struct server_settings){.limits = {.line_bytes = 65536, .head_bytes = 1 << 20, .field_count = 1000},
                                    .head_timeout = HEAD_TIMEOUT, .idle_timeout = IDLE_TIMEOUT,
                                    .h2 = {.max_streams = 1000, .max_running = 2000, .stream_window = 1 << 20,
                                           .connection_window = 16 << 20},
                                    .handler = &whoami_handler, .context = whoami, .on_foreign = on_foreign};
    whoami->worker.loop.before_wait = before_wait;
    whoami->listener = (struct listener){.on_accept = on_accept, .owner = whoami};
    return signals_start(&whoami->signals, &whoami->worker.loop, on_signal, whoami) &&
           listener_start(&whoami->listener, &whoami->worker.loop, fd);
}

static int serve(struct str name, int fd, struct str address)
{
    struct whoami whoami = {.name = name};
    if (!start(&whoami, fd)) {
        fprintf(stderr, "portico: whoami cannot start: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    fprintf(stderr, "whoami%s%.*s listens on %.*s\n", name.len != 0 ? " " : "", STR_ARGS(name), STR_ARGS(address));
    loop_run(&whoami.worker.loop);
    timer_cancel(&whoami.grace);
    signals_stop(&whoami.signals);
    worker_release(&whoami.worker);
    for (size_t i = 0; i < whoami.addresses.count; i++)
        free(whoami.addresses.items[i]);
    VEC_RELEASE(&whoami.addresses);
    return EXIT_GOOD;
}

/* ---- the command ---- */

/* What --address and --port name together; false when that is no address. */
static bool choose_address(const struct flags *flags, struct arena *arena, struct str *ret_text, struct addr *ret_addr)
{
    const struct flag_given *port = flags_find(flags, "port"), *address = flags_find(flags, "address");
    struct str host = address != NULL ? address->value : STR_NONE;
    uint64_t number;
    bool udp = false;
    if (port != NULL && !str_to_u64(port->value, &number))
        return false;
    if (str_starts(host, S("unix:")))
        *ret_text = host;
    else
        *ret_text = arena_printf(arena, str_find_char(host, ':', 0) >= 0 && !str_starts(host, S("[")) ? "[%.*s]:%.*s" : "%.*s:%.*s",
                                 STR_ARGS(host), STR_ARGS(port != NULL ? port->value : S("80")));
    return addr_parse_listen(*ret_text, ret_addr, &udp) && !udp;
}

static int run_with(const struct command *command, const struct flags *flags, struct arena *arena)
{
    struct str text;
    struct addr address;
    int error;
    if (flags->operand_count != 0)
        return command_misused(command, "'%.*s' is no flag", STR_ARGS(flags->operands[0]));
    if (!choose_address(flags, arena, &text, &address))
        return command_misused(command, "--port and --address do not name a place to listen");
    int fd = listener_bind(&address, BACKLOG, &error);
    if (fd < 0) {
        fprintf(stderr, "portico: whoami cannot listen on %.*s: %s\n", STR_ARGS(text), strerror(error));
        return EXIT_FAILED;
    }
    const struct flag_given *name = flags_find(flags, "name");
    return serve(name != NULL ? name->value : STR_NONE, fd, text);
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    return command_run_with_flags(command, words, count, run_with);
}

static const struct command whoami_command = {
    .name = "whoami",
    .usage = "whoami --port N [--name NAME] [--address ADDRESS]",
    .summary = "A small server that tells what it was sent.",
    .flags = flags_of_whoami,
    .run = run,
};
REGISTER(command, whoami_command);
