/* HTTP dates (RFC 9110 5.6.7). Pure. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "base/str.h"

#define HTTP_DATE_LEN 29
/* "Sun, 06 Nov 1994 08:49:37 GMT"; `out` has 29 bytes, no NUL. */
void http_date_format(int64_t unix_seconds, char *out);
/* IMF-fixdate, RFC 850 and asctime forms; false when it is none of them. */
bool http_date_parse(struct str text, int64_t *ret_unix_seconds);

#endif
