/* "name:secret" lists, inline and from a file, sorted for look-up. In the snapshot's arena; const
 * once compiled. */
#ifndef MIDDLEWARE_USERS_H
#define MIDDLEWARE_USERS_H

#include "base/option.h"
#include "exchange/compile.h"

struct user {
    struct str name, secret;
};
struct users {
    struct user *items; /* by name */
    size_t count;
};

/* What is wrong with a user's secret (it is a literal), or NULL. */
typedef const char *(*users_check)(struct str secret);

/* Reads `inline_users` (the option "users" of `origin`) and `file` (its option "usersFile"; empty:
 * none; lines that are blank or begin with "#" are skipped). A name that is given twice: the last
 * counts, with a warning. False after reporting; no user at all is an error. */
bool users_compile(struct users *users, const struct strs *inline_users, struct str file,
                   const struct node *origin, users_check check, struct compile *compile);
/* NULL when there is no such user. */
const struct user *users_find(const struct users *users, struct str name);

#endif
