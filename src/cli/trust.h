/* What `portico trust` and `portico untrust` do to the stores of roots: the system's, and those of a person's browsers.
 *
 * A root is known by the eight digits of local_ca_id: in the system's store as "portico-ID.crt", in a browser's as "Portico
 * local CA ID". Whatever bears no such name is never touched. Each store tells what became of it in a result. */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include <openssl/x509.h>

#include "acme/local_ca.h"
#include "base/vec.h"
#include "cli/program.h"

enum trust_state {
    TRUST_INSTALLED,
    TRUST_REMOVED,
    TRUST_ABSENT,       /* there is nothing to do */
    TRUST_SKIPPED,      /* something is missing that would be needed; the text says what to do by hand */
    TRUST_FAILED
};

struct trust_result {
    const char *store;              /* "system", "browser" */
    struct str path;
    enum trust_state state;
    struct str text;                /* a sentence for people */
};

struct trust {
    struct arena *arena;
    bool install;                   /* else: remove */
    struct str prefix;              /* the system's store lies below; empty: this machine's */
    char id[LOCAL_CA_ID_SIZE];      /* empty: all of ours (removing only) */
    struct str pem;                 /* of the root; installing only */
    struct str root_path;
    struct str again;               /* the command that does it for the system's store as root */
    VEC(struct trust_result) results;
};

void trust_note(struct trust *trust, const char *store, struct str path, enum trust_state state, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Is `name` `before` + an id + `after`, and one that is meant? */
bool trust_is_ours(const struct trust *trust, struct str name, struct str before, struct str after);
/* The last line of what a program said. */
struct str trust_last_line(const struct text *output);

void trust_system(struct trust *trust);
/* `user` NULL: who we are, at home in $HOME. */
void trust_browsers(struct trust *trust, const struct program_user *user);

#endif
