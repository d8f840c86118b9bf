/* The answer of a hook whose exchange has used up its memory. */
#ifndef MIDDLEWARE_ANSWER_H
#define MIDDLEWARE_ANSWER_H

#include "exchange/middleware.h"

static inline enum verdict answer_out_of_memory(struct exchange *x)
{
    exchange_answer_status(x, status_http(STATUS_OUT_OF_MEMORY), STATUS_OUT_OF_MEMORY);
    return VERDICT_ANSWER;
}

#endif
