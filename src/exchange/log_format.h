/* The form of a line of a log: a text with variables whose values are escaped, so that nobody can end a line or a quotation by what he
 * sends. Read once; const and shared by all workers. */
#ifndef EXCHANGE_LOG_FORMAT_H
#define EXCHANGE_LOG_FORMAT_H

#include "base/text.h"
#include "exchange/compile.h"
#include "model/request_log.h"

struct exchange;
struct line_format;

/* "${remote_addr} ${status}" (exchange/text_template.h); NULL after an error, which is reported at `span`. In compile->arena. */
const struct line_format *log_format_new(struct str text, enum log_escape escape, struct compile *compile, struct span span);
/* Adds the line without its end. A value that is missing is "-" by the default escaping, else nothing. */
void log_format_write(const struct line_format *format, struct exchange *x, struct text *out);

/* Adds `value` escaped: default: quotes, backslashes and what is not printable ASCII as \xHH; json: the inside of a JSON string. */
void log_escape_value(enum log_escape escape, struct str value, struct text *out);

#endif
