/* A question that a worker cannot answer by itself goes to the control thread; the exchange waits meanwhile.
 *
 *     return ask_control(x, answer_api);      (in a service's pick, as often as it is called)
 *
 * Threading: ask_control on the exchange's worker, the answering function on the control thread. A client that leaves does not
 * wait for the answer, which is then thrown away. Answers of some size are gzipped for clients that take it. */
#ifndef ADMIN_ASK_H
#define ADMIN_ASK_H

#include "admin/call.h"
#include "exchange/service.h"

#define ASK_GZIP_FROM 2048        /* bytes; shorter answers are not worth it */

/* May who asks change things? They have the role, and it is no other site's page that asks. */
bool ask_may_write(const struct exchange *x);
/* `answer` says true when the call is answered, false when admin_finish will be called. Its path is what `base` leaves of the
 * request's. The request's body is there, up to ADMIN_BODY_MAX. */
enum pick_result ask_control(struct exchange *x, struct str base, bool (*answer)(struct admin_call *call));

#endif
