/* Which type a file's name stands for: the system's table (/etc/mime.types), and what the web needs where that is silent.
 *
 * Text types come with "; charset=utf-8". Threading: filled once on the control thread, read-only afterwards. */
#ifndef FILES_MIME_H
#define FILES_MIME_H

#include "base/arena.h"
#include "base/map.h"

struct mime_types {
    struct map by_extension;      /* struct str, in `arena` */
    struct arena arena;
};

/* From the system's table; as the init and destroy of shared state. */
void mime_init(void *types);
void mime_release(void *types);
/* Adds what a text in the form of mime.types says; the first that names an extension counts. */
void mime_add(struct mime_types *types, struct str table);
/* "application/octet-stream" for names of which nothing is known. */
struct str mime_of(const struct mime_types *types, struct str name);

#endif
