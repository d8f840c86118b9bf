/* The keys of session tickets (RFC 5077 4, RFC 8446 4.6.1): one set for the process, so that a session begun on one worker is
 * resumed on any, and survives every reload. Three keys: the present one, the former (still read, and such a ticket is
 * renewed), the next. Rotated by the control thread; used by all. */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#include <openssl/ssl.h>

#include "base/diag.h"
#include "base/option.h"
#include "net/loop.h"

#define TICKETS_LIFE (INT64_C(12) * 3600)      /* seconds that a key makes new tickets */

/* Makes the first keys; false without randomness. Safe to call again. */
bool tickets_init(void);
/* Rotates from time to time on this loop, until tickets_stop. */
void tickets_start(struct loop *control);
void tickets_stop(void);
void tickets_rotate(void);
/* Puts the keys to use in a context. */
void tickets_use(SSL_CTX *context);

/* Keys of a user's own, which several machines may share: files of 48 or 80 bytes. The first makes tickets, all open them. */
struct ticket_keys;
/* NULL after errors in `diag` at options.sessionTicketKeyFiles. Reads files (blocking). */
struct ticket_keys *ticket_keys_read(const struct strs *files, const struct node *origin, struct arena *scratch, struct diag *diag);
void ticket_keys_free(struct ticket_keys *keys);
/* At least one key; they must outlive the context. After tickets_init. False: the library could not. */
bool tickets_use_own(SSL_CTX *context, struct ticket_keys *keys);

#endif
