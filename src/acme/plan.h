/* Which challenge is used for which name of an order, and which are left when some have failed. Pure. */
#ifndef ACME_PLAN_H
#define ACME_PLAN_H

#include "acme/failure.h"

struct acme_plan {
    struct strs names;                      /* of the order: "*.a.example", "192.0.2.1" */
    enum acme_challenge_type types[ACME_CHALLENGE_TYPES];
    size_t type_count;
    uint8_t *next;                          /* for each name, and one more for what is none of them: where in `types` to begin */
};

/* Views of `names` and memory of `arena` are kept. */
void acme_plan_init(struct acme_plan *plan, const struct strs *names, const enum acme_challenge_type *types,
                    size_t type_count, struct arena *arena);
/* What the name may use next and the CA offers; one that the CA is validating already goes first. False: nothing. */
bool acme_plan_choose(const struct acme_plan *plan, const struct acme_authorization_message *authorization,
                      enum acme_challenge_type *ret_type);
/* `type` failed for a name (ACME_CHALLENGE_TYPES: it came to none). True: another type is left for it, and a failure of this kind leaves hope for it. */
bool acme_plan_failed(struct acme_plan *plan, const struct acme_authorization_message *authorization,
                      enum acme_challenge_type type, const struct acme_failure *failure);

#endif
