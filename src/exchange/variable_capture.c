/* $1 to $9: what the groups of the last regular expression took. */
#include "exchange/variable.h"
#include "exchange/visit.h"

static struct str group(const struct exchange *x, unsigned number)
{
    const struct visit *visit = x->visit;
    return visit != NULL && number < visit->captures.count ? visit->captures.groups[number] : STR_NONE;
}

#define GROUP(number) \
    static struct str group_##number(struct exchange *x, struct str argument) \
    { \
        return group(x, number); \
    } \
    static const struct variable_type type_##number = {.name = #number, \
                                                       .alias = "match." #number, \
                                                       .help = "What group " #number " of the last regular expression took.", \
                                                       .is_volatile = true, \
                                                       .get = group_##number}; \
    REGISTER(variable_type, type_##number)

GROUP(1);
GROUP(2);
GROUP(3);
GROUP(4);
GROUP(5);
GROUP(6);
GROUP(7);
GROUP(8);
GROUP(9);
