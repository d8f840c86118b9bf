/* Compose files (docker-compose.yml) as far as they say something to a proxy: services with their labels, the command and the
 * environment of whichever is the proxy, networks and ports. Several files are laid over each other as Compose does it: maps by
 * key, `command` and other single values replaced, lists (`ports`, `expose`) joined. `extends`, `include`, `env_file` and variables
 * (config/variables.h) are read, YAML's anchors and merges too.
 *
 * Not read: Compose's own tags (!reset, !override), `profiles` (every service counts), `include` from elsewhere than files.
 *
 * Ownership: all texts live in the arena; compose_release frees the lists. Calls block on files. One owner. */
#ifndef CONFIG_COMPOSE_H
#define CONFIG_COMPOSE_H

#include "base/node.h"
#include "base/vec.h"
#include "config/labels.h"

/* A word of a command with where it stands. */
struct compose_word {
    struct str text;
    struct span span;
};

struct compose_service {
    struct str name;
    struct span span;                            /* of its name, where it was last mentioned */
    struct str image, container_name, network_mode;
    VEC(struct compose_word) entrypoint, command;
    VEC(struct label) labels, deploy_labels;     /* with their places */
    VEC(struct label) environment;               /* NAME and value */
    VEC(struct str) networks;                    /* as the engine calls them */
    VEC(uint16_t) ports;                         /* TCP ports of the container */
};

struct compose_project {
    struct str name;
    VEC(struct compose_service *) services;      /* in the order of the files */
};

/* By its content: `services` at the top, and nothing of ours. */
bool compose_is_one(const struct node *root);
/* All of `paths` as one project. False when an error was reported; what could be read is there all the same. */
bool compose_read(struct compose_project *project, const char *const *paths, size_t count, char *const *environment,
                  struct arena *arena, struct diag *diag);
void compose_release(struct compose_project *project);

#endif
