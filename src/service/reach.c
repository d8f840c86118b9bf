#include "service/reach.h"

#define DEPTH_MAX 16      /* as many hops as a request may take */

static bool reaches(const struct service *from, const struct service *to, unsigned depth)
{
    if (from == to)
        return true;
    if (depth == DEPTH_MAX)
        return false;
    struct service *child;
    for (unsigned i = 0; (child = service_child(from, i)) != NULL; i++)
        if (reaches(child, to, depth + 1))
            return true;
    return false;
}

bool service_reaches(const struct service *from, const struct service *to)
{
    return reaches(from, to, 0);
}
