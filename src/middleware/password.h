/* Verifying passwords against the hashes of htpasswd files: $2a$ $2b$ $2y$ (bcrypt), $apr1$, {SHA}, {SSHA} (with salt), {PLAIN}
 * (the password itself), $5$ and $6$ (SHA-crypt), $y$ (yescrypt), and what else of crypt(3) begins with "$". Files that are looked
 * at live may also have its oldest kind, without "$".
 *
 * Threading: any thread. password_verify may take 150 ms and more: never call it on a loop unless password_is_cheap. */
#ifndef MIDDLEWARE_PASSWORD_H
#define MIDDLEWARE_PASSWORD_H

#include "base/str.h"

#define PASSWORD_HASH_MAX 384

/* Whether it is a hash of a kind that can be verified here; else *ret_why says what it is not. */
bool password_hash_is_known(struct str hash, const char **ret_why);
/* Verifying takes microseconds ({SHA}, {SSHA}, {PLAIN}). */
bool password_is_cheap(struct str hash);
/* Hashes are compared in constant time. A password with a NUL never fits: crypt(3) would end there. */
bool password_verify(struct str hash, struct str password);

#endif
