/* HTTP-01 (RFC 8555 8.3): the service "acme-http@internal" answers GET /.well-known/acme-challenge/TOKEN from a table that all
 * workers read; 404 for what is not in it.
 *
 * Threading: any thread; a short mutex, taken only while there are challenges at all. */
#ifndef ACME_CHALLENGE_HTTP_H
#define ACME_CHALLENGE_HTTP_H

#include "base/str.h"

#define ACME_HTTP_PATH "/.well-known/acme-challenge/"

/* From now on the token is answered with the key authorization; both are copied. */
void challenge_http_set(struct str token, struct str key_authorization);
void challenge_http_clear(struct str token);
/* Is `path` one of a token that is answered now? For entrypoints that leave other tokens to their routers. */
bool challenge_http_knows(struct str path);

#endif
