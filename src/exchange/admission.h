/* Who is let into a site, as far as the connection tells: by the client's certificate. */
#ifndef EXCHANGE_ADMISSION_H
#define EXCHANGE_ADMISSION_H

#include "exchange/exchange.h"

struct site;

/* Of a request that came by TLS. OK; MISDIRECTED: the site asks clients for certificates, and the connection was made with other options
 * (RFC 9110 15.5.20), or the site's handshakes do not choose HTTP/2 and the request came by it; CLIENT_CERTIFICATE_BAD and _MISSING where the site's options leave that to requests (tls/policy.h). */
enum status admission_judge(const struct exchange *x, const struct site *site);

#endif
