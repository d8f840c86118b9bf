/* The files of web/, which are part of the binary (tools/embed puts them there at build time), and their serving.
 *
 * Threading: const. */
#ifndef ADMIN_ASSETS_H
#define ADMIN_ASSETS_H

#include "exchange/service.h"

/* A record of the table that tools/embed writes; the last has name NULL. The layout is known there. */
struct asset {
    const char *name;                 /* below web/: "index.html", "charts/line.js" */
    const char *tag;                  /* entity tag without quotes: changes with the content */
    const char *plain, *plain_end;
    const char *gzip, *gzip_end;      /* the same bytes, gzipped */
};
extern const struct asset web_assets[];

/* NULL: there is none. */
const struct asset *asset_find(struct str name);
struct str asset_content(const struct asset *asset);

/* Answers GET and HEAD with a file of web/, under a content security policy that lets nothing in from elsewhere; 404 when there is
 * none. `name` empty: index.html. */
void asset_answer(struct exchange *x, struct str name);

#endif
