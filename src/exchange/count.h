/* What is counted of an exchange, and what the kinds of a meter (base/meter.h) mean for requests.
 *
 * An exchange is counted when it has ended: in its entrypoint, its router, the service that was asked last, and the server whose
 * response it was. Attempts that failed at a server are counted there as well, with the status that they would have meant. A
 * router without a meter leaves no trace anywhere; what no router took counts for the entrypoint alone.
 *
 * Threading: counting on the worker, texts on any thread. */
#ifndef EXCHANGE_COUNT_H
#define EXCHANGE_COUNT_H

#include "base/meter.h"
#include "exchange/exchange.h"

/* The last part of a kind: Traefik's label `protocol`, and what TLS was spoken. */
enum count_protocol { COUNT_HTTP, COUNT_WEBSOCKET, COUNT_SSE, COUNT_PROTOCOLS };

/* At the end; `status` is what the client got. */
void count_exchange(const struct exchange *x, int status);
/* An attempt at x->server that failed by the server's fault, whether or not another follows. */
void count_attempt_failed(const struct exchange *x, enum status why);
/* Not what was asked for, and no middleware's ordinary answer either. */
static inline bool count_is_failure(enum status reason)
{
    return reason != STATUS_OK && reason != STATUS_MIDDLEWARE_ANSWERED;
}

/* ---- kinds of an entrypoint, a router, a service, a server ---- */

/* 0 for METER_KIND_OTHER. */
int count_kind_status(uint32_t kind);
/* "GET"; "EXTENSION_METHOD" for one that is not known. */
struct str count_kind_method(uint32_t kind);
/* "http", "websocket" or "sse". */
struct str count_kind_protocol(uint32_t kind);

/* What TLS the client spoke, as tls_agreed told: tls_agreed_version and tls_agreed_cipher (tls/conn.h) are its texts. 0: none. */
uint32_t count_kind_agreed(uint32_t kind);
/* The kind without it. */
uint32_t count_kind_plain(uint32_t kind);

#endif
