/* The answer of redirectScheme and redirectRegex. Threading: the worker's. */
#ifndef MIDDLEWARE_REDIRECT_H
#define MIDDLEWARE_REDIRECT_H

#include "exchange/middleware.h"

/* `parts` one behind the other; data NULL when the memory is used up. */
struct str redirect_join(struct arena *arena, const struct str *parts, size_t count);
/* GET: 302, or 301 when permanent. Other methods keep method and body: 307, or 308. Bytes that no URL has (spaces,
 * controls, bytes over 126) are percent-encoded. Gives ANSWER. */
enum verdict redirect_answer(struct exchange *x, struct str location, bool permanent);

#endif
