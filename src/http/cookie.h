/* Cookies (RFC 6265). Pure. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/fields.h"

/* The value of the first cookie with this name over all Cookie fields; data NULL when absent. */
struct str cookie_value(const struct fields *fields, struct str name);
/* Takes one cookie out of the Cookie fields (rewritten in `arena`). */
void cookie_remove(struct fields *fields, struct str name, struct arena *arena);

#endif
