/* Certificates of a site whose files are named with variables ("/etc/certs/${ssl_server_name}.pem"): read when a handshake asks for
 * them, and kept for a while.
 *
 * At a handshake there is no request: variables that speak of one have no value. Files are read on the worker's thread, as they are
 * small and local; a file that is missing fails that handshake alone, with a line in the site's error log.
 * Ownership: in the graph's arena but for what is kept: lazy_certificates_release. Threading: shared by all workers. */
#ifndef EXCHANGE_LAZY_CERTIFICATES_H
#define EXCHANGE_LAZY_CERTIFICATES_H

#include "exchange/compile.h"
#include "exchange/graph.h"
#include "tls/hello.h"

struct port;
struct client;

#define LAZY_PAIRS_MAX 8            /* of a site: one for each kind of key */

struct lazy_certificates;

/* Are its files known at a handshake alone? */
bool lazy_certificate_is(const struct tls_certificate_config *config);
/* Of those among a site's certificates that have variables in their names; NULL: none has, or that was reported. */
struct lazy_certificates *lazy_certificates_new(const struct site_tls *config, struct compile *compile);
void lazy_certificates_release(struct lazy_certificates *lazy);

/* What there is for a client that says `hello`: references, at most LAZY_PAIRS_MAX. */
unsigned lazy_certificates_get(const struct site *site, struct port *port, const struct client *client, const struct hello *hello,
                               struct certificate **ret_certificates);

#endif
