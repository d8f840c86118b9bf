#include "route/condition.h"

/* A rule that names more alternatives than this is tried for every request. */
#define ALTERNATIVES_MAX 4096

/* How many matchers stand for the term; 0: it can match without any of the aspect. Of the operands
 * of && the one with the fewest serves; of || all are needed. */
static size_t alternatives(const struct term *term, enum aspect aspect)
{
    size_t count = 0;
    switch ((enum term_kind)term->kind) {
    case TERM_MATCHER:
        return aspect == ASPECT_HOST
                   ? term->matcher == MATCH_HOST || term->matcher == MATCH_HOST_BELOW
                   : term->matcher == MATCH_PATH || term->matcher == MATCH_PATH_PREFIX;
    case TERM_NOT:
        return 0;
    case TERM_AND:
        for (const struct term *it = term->first; it != NULL; it = it->next) {
            size_t operand = alternatives(it, aspect);
            if (operand > 0 && (count == 0 || operand < count))
                count = operand;
        }
        return count;
    case TERM_OR:
        for (const struct term *it = term->first; it != NULL; it = it->next) {
            size_t operand = alternatives(it, aspect);
            if (operand == 0)
                return 0;
            count += operand;
        }
        return count;
    }
    return 0;
}

static void collect(struct conditions *conditions, const struct term *term, enum aspect aspect)
{
    size_t fewest = term->kind == TERM_AND ? alternatives(term, aspect) : 0;
    if (term->kind == TERM_MATCHER)
        VEC_PUSH(&conditions->any_of, term);
    for (const struct term *it = term->first; it != NULL; it = it->next) {
        if (term->kind == TERM_AND && alternatives(it, aspect) != fewest)
            continue;
        collect(conditions, it, aspect);
        if (term->kind == TERM_AND)
            return;
    }
}

bool conditions_find(struct conditions *conditions, const struct rule *rule, enum aspect aspect)
{
    conditions->any_of.count = 0;
    size_t count = alternatives(rule->root, aspect);
    if (count == 0 || count > ALTERNATIVES_MAX)
        return false;
    collect(conditions, rule->root, aspect);
    return true;
}

void conditions_release(struct conditions *conditions)
{
    VEC_RELEASE(&conditions->any_of);
}
