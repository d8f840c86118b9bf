/* The functions behind the table of steps (step.h); called by exchange_run alone. */
#ifndef EXCHANGE_STEPS_H
#define EXCHANGE_STEPS_H

#include "exchange/exchange.h"

typedef enum step step_function(struct exchange *x);
extern step_function *const steps[STEP_COUNT];

#endif
