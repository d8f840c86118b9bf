/* `portico proxy`: HTTPS for an application, by names and addresses alone. What it runs is the configuration that --print
 * shows, by way of the same process as `run`. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

#include "acme/local_ca.h"
#include "cli/command.h"
#include "cli/process.h"
#include "cli/proxy_plan.h"
#include "net/listener.h"
#include "route/host_kind.h"

#define CONFIGURATION_MAX ((size_t)1 << 20)
#define HTTP_PORT_OF_USERS 8080
#define HTTPS_PORT_OF_USERS 8443

/* Only what the system forbids counts: that a port is taken is said when it is bound. */
static bool is_forbidden(uint16_t port)
{
    struct arena arena;
    struct addr addr;
    bool udp = false;
    int error = 0;
    arena_init(&arena, ARENA_UNLIMITED);
    addr_parse_listen(arena_printf(&arena, ":%u", port), &addr, &udp);
    arena_release(&arena);
    int fd = listener_bind(&addr, 1, &error);
    if (fd >= 0)
        close(fd);
    return fd < 0 && error == EACCES;
}

static void choose_ports(struct proxy_plan *plan)
{
    bool http = !plan->http_port_given && plan->https_port != HTTP_PORT_OF_USERS && is_forbidden(plan->http_port);
    bool https = !plan->https_port_given && plan->http_port != HTTPS_PORT_OF_USERS && is_forbidden(plan->https_port);
    if (http)
        plan->http_port = HTTP_PORT_OF_USERS;
    if (https)
        plan->https_port = HTTPS_PORT_OF_USERS;
    if (http || https)
        fprintf(stderr, "portico: ports below 1024 are for root: %s%s%s (CAP_NET_BIND_SERVICE, or --https-port and --http-port, "
                        "would change that)\n",
                https ? "HTTPS is on 8443" : "", http && https ? ", " : "", http ? "HTTP on 8080" : "");
}

static void announce_route(const struct proxy_plan *plan, const struct proxy_route *route, bool *has_local)
{
    for (size_t i = 0; i < route->names.count; i++) {
        struct str name = route->names.items[i];
        bool local = host_kind(name) != HOST_PUBLIC;
        *has_local = *has_local || local;
        char port[8] = "";
        if (plan->https_port != 443)
            snprintf(port, sizeof(port), ":%u", plan->https_port);
        fprintf(stderr, "https://%.*s%s -> %.*s%s (certificate: %s)\n", STR_ARGS(name), port,
                STR_ARGS(route->targets.items[0]), route->targets.count > 1 ? " and others" : "",
                local ? "the CA of this machine" : "a public CA");
    }
}

/* By the system's own store, which curl and most programs use; browsers with stores of their own may think otherwise. */
static bool is_trusted(X509 *root)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    ERR_clear_error();
    bool good = store != NULL && verification != NULL && X509_STORE_set_default_paths(store) == 1 &&
                X509_STORE_CTX_init(verification, store, root, NULL) == 1 && X509_verify_cert(verification) == 1;
    X509_STORE_CTX_free(verification);
    X509_STORE_free(store);
    ERR_clear_error();
    return good;
}

static bool local_root_is_trusted(void)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    FILE *file = fopen(arena_printf(&arena, "%.*s/root.crt", STR_ARGS(local_ca_directory(STR_NONE, &arena))).data, "re");
    X509 *root = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    bool trusted = root != NULL && is_trusted(root);
    X509_free(root);
    if (file != NULL)
        fclose(file);
    arena_release(&arena);
    return trusted;
}

static void announce(const struct proxy_plan *plan)
{
    bool has_local = false;
    for (size_t i = 0; i < plan->route_count; i++)
        announce_route(plan, &plan->routes[i], &has_local);
    if (has_local && !local_root_is_trusted())
        fputs("Browsers and curl do not know the CA of this machine yet: 'portico trust' tells them, once.\n", stderr);
}

static int print(const struct text *configuration)
{
    bool whole = fwrite(configuration->data, 1, configuration->len, stdout) == configuration->len && fflush(stdout) == 0;
    return whole ? EXIT_GOOD : EXIT_FAILED;
}

static int run_plan(struct proxy_plan *plan, const struct settings *asked, bool only_print)
{
    struct text configuration;
    struct settings settings = *asked;
    text_init(&configuration, CONFIGURATION_MAX);
    if (!only_print)
        choose_ports(plan);
    proxy_plan_write(plan, &configuration);
    settings.text = text_str(&configuration);
    if (!only_print)
        announce(plan);
    int code = only_print ? print(&configuration) : process_run(&settings);
    text_release(&configuration);
    return code;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags flags;
    struct proxy_plan plan;
    struct settings settings = {.words = words, .word_count = count, .flags = proxy_flags, .environment = environ};
    arena_init(&arena, ARENA_UNLIMITED);
    int code = EXIT_USAGE;
    if (command_read_flags(command, words, count, &arena, &flags)) {
        const char *why = proxy_plan_read(&flags, &arena, &plan);
        if (flags.operand_count != 0)
            code = command_misused(command, "'%.*s' is no flag", STR_ARGS(flags.operands[0]));
        else if (why != NULL)
            code = command_misused(command, "%s", why);
        else
            code = run_plan(&plan, &settings, flags_find(&flags, "print") != NULL);
    }
    arena_release(&arena);
    return code;
}

static const struct command proxy = {
    .name = "proxy",
    .usage = "proxy [--from NAME[:PORT]]... --to ADDRESS[:PORT]... [--from ... --to ...]",
    .summary = "Runs HTTPS for an application, with certificates by themselves.",
    .flags = proxy_flags,
    .takes_options = true,
    .run = run,
};
REGISTER(command, proxy);
