/* What the parts of the Compose reader share while the files of one project are read. */
#ifndef CONFIG_COMPOSE_READER_H
#define CONFIG_COMPOSE_READER_H

#include "config/compose.h"
#include "config/variables.h"

#define COMPOSE_DEPTH_MAX 8          /* of services that extend others */

struct compose_reader {
    struct compose_project *project;
    struct variables variables;
    struct map services;             /* name -> struct compose_service */
    struct map files;                /* path -> root: each is parsed once */
    struct map read;                 /* paths whose services are in the project */
    struct map networks;             /* name in the files -> struct str of the engine's */
    struct arena *arena;
    struct diag *diag;
    unsigned depth;
};

/* A scalar with its variables filled in; STR_NONE for anything else. *ret_span is narrowed to what is still as it was written,
 * so that no caret goes astray behind a variable. */
struct str compose_text(struct compose_reader *reader, const struct node *node, struct span *ret_span);
/* Lays what `node` says over `service`. `path`: the file that it stands in. `section`: all `services` of that file. */
void compose_apply(struct compose_reader *reader, struct compose_service *service, const struct node *node,
                   const struct node *section, const char *path);
/* The root of a file; NULL when it cannot be read or is no Compose file, which is reported. */
const struct node *compose_load(struct compose_reader *reader, const char *path);
/* `name` beside the file `path`, unless it is absolute. */
const char *compose_beside(struct compose_reader *reader, const char *path, struct str name);

/* compose_words.c: a command as a shell would split it. */
void compose_split(struct str text, struct span span, bool as_written, struct arena *arena, struct compose_service *service,
                   bool is_entrypoint);

#endif
