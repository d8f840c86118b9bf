#include <ares.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <yaml.h>

#include "base/version.h"
#include "cli/command.h"
#include "net/ring.h"

static int run(const struct command *command, const char *const *words, size_t count)
{
    if (count != 0)
        return command_misused(command, "'version' takes no arguments");
    printf("portico %s\n%s, c-ares %s, libyaml %s%s\n", PORTICO_VERSION, OpenSSL_version(OPENSSL_VERSION),
           ares_version(NULL), yaml_get_version_string(), RING_BUILT ? ", io_uring" : "");
    return EXIT_GOOD;
}

static const struct command version = {
    .name = "version", .usage = "version", .summary = "Says which version this is.", .run = run};
REGISTER(command, version);
