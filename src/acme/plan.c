#include "acme/plan.h"

void acme_plan_init(struct acme_plan *plan, const struct strs *names, const enum acme_challenge_type *types,
                    size_t type_count, struct arena *arena)
{
    *plan = (struct acme_plan){.names = *names, .type_count = type_count, .next = arena_array(arena, uint8_t, names->count + 1)};
    memcpy(plan->types, types, type_count * sizeof(types[0]));
}

/* A CA may ask for a domain above a name instead (RFC 9444): that one is counted apart. */
static uint8_t *next_of(const struct acme_plan *plan, const struct acme_authorization_message *authorization)
{
    for (size_t i = 0; i < plan->names.count; i++) {
        struct str name = plan->names.items[i];
        bool wildcard = str_starts(name, S("*."));
        if (wildcard == authorization->wildcard &&
            str_equal_nocase(str_from_index(name, wildcard ? 2 : 0), authorization->name))
            return &plan->next[i];
    }
    return &plan->next[plan->names.count];
}

/* RFC 8555 8.3 and 8737 3 know no wildcards, RFC 8738 4 no DNS-01 for addresses. */
static bool fits(const struct acme_authorization_message *authorization, enum acme_challenge_type type)
{
    if (authorization->wildcard)
        return type == ACME_DNS_01;
    return !authorization->address || type != ACME_DNS_01;
}

static bool usable(const struct acme_authorization_message *authorization, enum acme_challenge_type type)
{
    const struct acme_challenge_message *challenge = &authorization->challenges[type];
    return fits(authorization, type) && challenge->url.len != 0 &&
           (challenge->state == ACME_STATE_PENDING || challenge->state == ACME_STATE_PROCESSING);
}

bool acme_plan_choose(const struct acme_plan *plan, const struct acme_authorization_message *authorization,
                      enum acme_challenge_type *ret_type)
{
    bool found = false;
    for (size_t i = *next_of(plan, authorization); i < plan->type_count; i++) {
        enum acme_challenge_type type = plan->types[i];
        bool running = authorization->challenges[type].state == ACME_STATE_PROCESSING;
        if (!usable(authorization, type) || (found && !running))
            continue;
        *ret_type = type;
        found = true;
        if (running)
            break;
    }
    return found;
}

/* What is wrong with the name itself is wrong for every type, and trying is what CAs limit. */
static bool another_may_help(const struct acme_failure *failure)
{
    static const struct str hopeless[] = {STR("urn:ietf:params:acme:error:caa"), STR("urn:ietf:params:acme:error:dns"),
                                          STR("urn:ietf:params:acme:error:dnssec")};
    for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++)
        if (str_equal(failure->type, hopeless[i]))
            return false;
    return failure->trouble == ACME_CHALLENGE_FAILED || failure->trouble == ACME_PRESENT_FAILED ||
           failure->trouble == ACME_TOO_SLOW;
}

bool acme_plan_failed(struct acme_plan *plan, const struct acme_authorization_message *authorization,
                      enum acme_challenge_type type, const struct acme_failure *failure)
{
    uint8_t *next = next_of(plan, authorization);
    if (type == ACME_CHALLENGE_TYPES)
        return false;
    for (size_t i = *next; i < plan->type_count; i++)
        if (plan->types[i] == type)
            *next = (uint8_t)(i + 1);
    for (size_t i = *next; i < plan->type_count; i++)
        if (fits(authorization, plan->types[i]))
            return another_may_help(failure);
    return false;
}
