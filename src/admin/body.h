/* The body of a request that changes something: a JSON object (RFC 8259) of members that are known, read strictly. */
#ifndef ADMIN_BODY_H
#define ADMIN_BODY_H

#include <jansson.h>

#include "admin/call.h"

enum body_type { BODY_BOOL, BODY_INT, BODY_TEXT };

struct body_member {
    const char *name;
    enum body_type type;
    bool required, nullable;
    int64_t min, max;                     /* of a number */
    const char *const *words;             /* a text is one of them, up to NULL; NULL: any but the empty one */
};

/* The object, which the caller gives back (json_decref). NULL: the call was answered with 422, in words, with a suggestion where
 * something is misspelt. */
json_t *body_read(struct admin_call *call, const struct body_member *members, size_t count);

#endif
