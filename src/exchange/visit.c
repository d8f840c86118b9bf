#include "exchange/visit.h"

enum status visit_leave(struct exchange *x)
{
    return STATUS_LOOP_DETECTED;
}
