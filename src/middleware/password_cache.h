/* Passwords that were found good a short time ago, so that a client which sends them with every
 * request costs a slow hash once. What is kept is an HMAC-SHA256 of hash and password under a key
 * that is drawn when the process starts: the memory gives no password away, and a changed hash
 * forgets by itself. Bad passwords are not remembered.
 *
 * Bounded: the oldest entries go. Threading: any thread. */
#ifndef MIDDLEWARE_PASSWORD_CACHE_H
#define MIDDLEWARE_PASSWORD_CACHE_H

#include "base/str.h"

#define PASSWORD_CACHE_LIFE (INT64_C(300) * 1000000000) /* ns; not prolonged by use */

/* `now`: monotonic ns. */
bool password_cache_has(struct str hash, struct str password, int64_t now);
void password_cache_add(struct str hash, struct str password, int64_t now);

#endif
