/* providers.docker.constraints: which containers are looked at.
 *
 *     Label(`stage`, `production`) && !LabelRegex(`team`, `^(red|blue)$`)
 *
 * The words and strings are those of rules (route/rule_scan.h); a regex is unanchored and run under bounds (route/regex.h).
 * Ownership: a tree lives in the arena it was read into, its regexes until constraints_release. Pure; const once read. */
#ifndef PROVIDER_DOCKER_CONSTRAINTS_H
#define PROVIDER_DOCKER_CONSTRAINTS_H

#include "config/labels.h"

struct constraint;
struct constraints {
    struct constraint *root;   /* NULL: everything is looked at */
    struct constraint *all;    /* whose regexes are to be freed */
};

/* False when something is wrong with the text, which is reported at `span` (that of the text). An empty one is right. To be
 * released in either case. */
bool constraints_read(struct constraints *constraints, struct str text, struct span span, struct arena *arena, struct diag *diag);
bool constraints_match(const struct constraints *constraints, const struct label *labels, size_t count);
void constraints_release(struct constraints *constraints);

#endif
