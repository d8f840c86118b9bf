/* The trace of an exchange as spans in its worker's batch. Private to exchange/tracing. */
#ifndef EXCHANGE_TRACING_WRITE_H
#define EXCHANGE_TRACING_WRITE_H

#include "exchange/tracing.h"

/* At the end of an exchange whose trace is sampled. */
void tracing_write(struct exchange *x);

#endif
