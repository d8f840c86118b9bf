/* Apache's variant of the MD5-based crypt: "$apr1$salt$22 characters". Pure. */
#ifndef MIDDLEWARE_APR1_H
#define MIDDLEWARE_APR1_H

#include "base/str.h"

#define APR1_SIZE 37 /* "$apr1$", 8 of salt, "$", 22 */

/* Has salt and sum in their places. */
bool apr1_is_whole(struct str hash);
/* The hash of a password with the salt of `setting` ("$apr1$salt$..."); gives its length, 0 when
 * there is none. */
size_t apr1_hash(struct str password, struct str setting, char out[APR1_SIZE]);

#endif
