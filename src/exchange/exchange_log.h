/* What middlewares and services say of one request in the application log: with who asked, and for what. Worker's thread. */
#ifndef EXCHANGE_EXCHANGE_LOG_H
#define EXCHANGE_EXCHANGE_LOG_H

#include "base/log.h"
#include "exchange/exchange.h"

void exchange_log(struct exchange *x, enum log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
