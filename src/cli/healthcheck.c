/* `portico healthcheck`: asks /ping, /ping/live or /ping/ready of the Portico that runs with the same configuration. For containers and scripts.
 *
 * An image's health check does not know with which flags it was started: --process takes them from the process itself. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "net/addr.h"
#include "provider/settings.h"

#define PATIENCE_SECONDS 5
#define COMMAND_LINE_MAX ((size_t)1 << 20)
#define NOT_ASKED (-1)

/* Where /ping is answered. False after saying why there is no such place. */
static bool find_address(const struct model *model, struct addr *ret_address)
{
    const struct config *config = &model->config;
    bool udp;
    if (config->ping == NULL) {
        fputs("portico: ping is not enabled: add 'ping: {}' to the configuration, or --ping\n", stderr);
        return false;
    }
    for (size_t i = 0; i < config->entry_points.count; i++) {
        const struct entrypoint *entry = config->entry_points.items[i].value;
        if (str_equal(config->entry_points.items[i].name, config->ping->entry_point))
            return addr_parse_listen(entry->address, ret_address, &udp);
    }
    fprintf(stderr, "portico: ping: unknown entrypoint '%.*s'\n", STR_ARGS(config->ping->entry_point));
    return false;
}

/* An address that is listened on as one to connect to: "any" is this machine. */
static void make_reachable(struct addr *address)
{
    if (address->any.sa_family == AF_INET && address->v4.sin_addr.s_addr == htonl(INADDR_ANY))
        address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr))
        address->v6.sin6_addr = in6addr_loopback;
}

/* An entrypoint for all addresses listens on IPv4 alone where the kernel has no IPv6. */
static int connect_to(struct addr *address)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    make_reachable(address);
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, &address->any, address->len) == 0)
            return fd;
        close(fd);
    }
    if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr))
        return -1;
    struct addr v4 = {.v4 = {.sin_family = AF_INET, .sin_port = address->v6.sin6_port}, .len = sizeof(v4.v4)};
    v4.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *address = v4;
    return connect_to(address);
}

/* The status of the answer to `path`; -1 with errno, 0 when that was no answer. */
static int ask(struct addr *address, const char *path)
{
    char request[128], answer[64];
    size_t got = 0;
    int length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    int fd = connect_to(address), status = 0;
    if (fd < 0)
        return -1;
    bool sent = send(fd, request, (size_t)length, MSG_NOSIGNAL) == length;
    ssize_t count = sent ? 1 : -1;
    while (count > 0 && got < sizeof(answer) - 1) {
        count = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
        got += count > 0 ? (size_t)count : 0;
    }
    answer[got] = '\0';
    int error = errno;
    close(fd);
    errno = error;
    if (count < 0 && got == 0)
        return -1;
    return sscanf(answer, "HTTP/1.1 %3d", &status) == 1 ? status : 0;
}

static int check(const struct model *model, const char *path)
{
    struct addr address;
    if (!find_address(model, &address))
        return EXIT_FAILED;
    int status = ask(&address, path);
    if (status < 0)
        fprintf(stderr, "portico: no answer: %s\n", strerror(errno == EAGAIN ? ETIMEDOUT : errno));
    else if (status != 200)
        fprintf(stderr, "portico: not well: %s answers %d\n", path, status);
    else
        puts("OK");
    return status == 200 ? EXIT_GOOD : EXIT_FAILED;
}

/* Without ping: does it listen at all? */
static int check_listening(const struct model *model)
{
    for (size_t i = 0; i < model->config.entry_points.count; i++) {
        const struct object_item *item = &model->config.entry_points.items[i];
        struct addr address;
        bool udp;
        if (!addr_parse_listen(((const struct entrypoint *)item->value)->address, &address, &udp) || udp)
            continue;
        int fd = connect_to(&address);
        if (fd < 0) {
            fprintf(stderr, "portico: entrypoint '%.*s' does not answer: %m\n", STR_ARGS(item->name));
            return EXIT_FAILED;
        }
        close(fd);
        printf("OK: entrypoint '%.*s' takes connections (ping is not enabled)\n", STR_ARGS(item->name));
        return EXIT_GOOD;
    }
    puts("OK");
    return EXIT_GOOD;
}

static const struct flag flags[] = {
    SETTINGS_FLAG,
    {.name = "live", .help = "Does the process work, also while it drains? (/ping/live)"},
    {.name = "ready", .help = "Does it take new requests? (/ping/ready)"},
    {.name = "process", .argument = "PID", .help = "Ask the one that this process is, with its own flags; without ping: does it listen?"},
    {.name = NULL},
};

/* NULL after saying what is wrong. */
static const char *choose_path(const struct command *command, const struct flags *given)
{
    bool live = flags_find(given, "live") != NULL, ready = flags_find(given, "ready") != NULL;
    if (given->operand_count != 0)
        command_misused(command, "'%.*s' is no flag", STR_ARGS(given->operands[0]));
    else if (live && ready)
        command_misused(command, "--live and --ready are two questions");
    else
        return live ? "/ping/live" : ready ? "/ping/ready" : "/ping";
    return NULL;
}

static int ask_configured(const struct settings *settings, const char *path, bool of_process)
{
    struct diag diag;
    struct model *model = settings_load(settings, &diag, NULL);
    int code = command_failure(&diag);
    if (diag.errors != 0)
        command_show(&diag);
    else
        code = of_process && model->config.ping == NULL ? check_listening(model) : check(model, path);
    diag_release(&diag);
    model_free(model);
    return code;
}

/* Runs with these words behind the program's name; NULL: it is no Portico, but what starts one (an init process), or is not there. */
static const char *const *words_of_process(struct str pid, struct arena *arena, size_t *ret_count)
{
    static const char *const names[] = {"portico", "traefik", "entrypoint.sh"};
    struct str line, word;
    if (!file_read(arena, arena_printf(arena, "/proc/%.*s/cmdline", STR_ARGS(pid)).data, COMMAND_LINE_MAX, &line))
        return NULL;
    const char **words = arena_array(arena, const char *, line.len + 1);
    bool found = false;
    for (*ret_count = 0; str_split(&line, '\0', &word);) {
        const char *slash = memrchr(word.data, '/', word.len), *base = slash != NULL ? slash + 1 : word.data;
        if (found && (line.len != 0 || word.len != 0))
            words[(*ret_count)++] = word.data;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            found = found || strcmp(base, names[i]) == 0;
    }
    return found ? words : NULL;
}

/* True: `settings` are those of the process. False: *ret_code says how it went already, or there is no such process and nothing
 * is known but the command's own words. */
static bool take_words_of_process(struct str pid, struct arena *arena, struct settings *settings, int *ret_code)
{
    size_t count;
    const char *const *words = words_of_process(pid, arena, &count);
    if (words == NULL)
        return false;
    struct str name = command_name(&words, &count);
    if (!str_equal(name, S("run"))) {
        printf("OK: the process is 'portico %.*s'\n", STR_ARGS(name));
        *ret_code = EXIT_GOOD;
        return false;
    }
    settings->words = words;
    settings->word_count = count;
    settings->flags = NULL;
    return true;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags given;
    arena_init(&arena, ARENA_UNLIMITED);
    bool good = command_read_flags(command, words, count, &arena, &given);
    const char *path = good ? choose_path(command, &given) : NULL;
    int code = path != NULL ? NOT_ASKED : EXIT_USAGE;
    struct settings settings = {.words = words, .word_count = count, .flags = flags, .environment = environ};
    const struct flag_given *process = path != NULL ? flags_find(&given, "process") : NULL;
    bool of_process = process != NULL && take_words_of_process(process->value, &arena, &settings, &code);
    if (code == NOT_ASKED)
        code = ask_configured(&settings, path, of_process);
    arena_release(&arena);
    return code;
}

static const struct command healthcheck = {
    .name = "healthcheck",
    .usage = "healthcheck --config FILE [--live | --ready] [--process PID] [--OPTION=VALUE...]",
    .summary = "Asks a running Portico whether it is well: exit 0 or 1.",
    .flags = flags,
    .takes_options = true,
    .run = run,
};
REGISTER(command, healthcheck);
