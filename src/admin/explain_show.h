/* A way (admin/explain_way.h) for people and for programs. */
#ifndef ADMIN_EXPLAIN_SHOW_H
#define ADMIN_EXPLAIN_SHOW_H

#include "base/text.h"
#include "admin/explain_way.h"

/* `note`: why this entrypoint, or "". */
void explain_show(const struct way *way, const char *note, bool color, struct text *out);
/* {entryPoint, tls, router, tried: [{router, matched, failed}], site, locations, middlewares, service, server, url}; `tls` only of https URLs:
 * {options, certificate, source, refused}, or null where the entrypoint speaks none. */
void explain_show_json(const struct way *way, struct text *out);

#endif
