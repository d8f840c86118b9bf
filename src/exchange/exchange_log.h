/* What middlewares and services say of one request, with who asked and for what: in the error logs that its router names
 * (exchange/error_log.h), else in the application log. Worker's thread. */
#ifndef EXCHANGE_EXCHANGE_LOG_H
#define EXCHANGE_EXCHANGE_LOG_H

#include "exchange/exchange.h"
#include "net/syslog.h"

void exchange_log(struct exchange *x, enum syslog_severity level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
