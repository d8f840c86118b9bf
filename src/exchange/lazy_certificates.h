/* Certificates whose files are named with variables ("/etc/certs/${ssl_server_name}.pem"): read when they are asked for, and kept for a
 * while. A site's are asked for by handshakes of clients, a transport's by requests whose servers are to be shown one.
 *
 * At a client's handshake there is no request: variables that speak of one have no value. Files are read on the worker's thread, as they
 * are small and local; a file that is missing fails that handshake or request alone, with a line in the error log.
 * Ownership: in the graph's arena but for what is kept: lazy_certificates_release. Threading: shared by all workers. */
#ifndef EXCHANGE_LAZY_CERTIFICATES_H
#define EXCHANGE_LAZY_CERTIFICATES_H

#include "exchange/compile.h"
#include "exchange/graph.h"
#include "tls/hello.h"

struct port;
struct client;
struct exchange;

#define LAZY_PAIRS_MAX 8            /* of a site: one for each kind of key */

struct lazy_certificates;

/* Are its files known at a handshake alone? */
bool lazy_certificate_is(const struct tls_certificate_config *config);
bool lazy_certificate_is_pair(const struct tls_pair *pair);
/* Of those among a site's certificates that have variables in their names; NULL: none has, or that was reported. */
struct lazy_certificates *lazy_certificates_new(const struct site_tls *config, struct str site, struct compile *compile);
/* Of a pair that is shown to servers by the transport of this name. NULL: that was reported. */
struct lazy_certificates *lazy_certificates_new_pair(const struct tls_pair *pair, const struct tls_certificate_cache *cache,
                                                     struct str transport, struct compile *compile);
void lazy_certificates_release(struct lazy_certificates *lazy);

/* What there is for a client that says `hello`: references, at most LAZY_PAIRS_MAX. */
unsigned lazy_certificates_get(const struct site *site, struct port *port, const struct client *client, const struct hello *hello,
                               struct certificate **ret_certificates);
/* What the servers of this request are shown: a reference; NULL: nothing, as the certificate's name is empty. False: there is none to be
 * had, which was told. */
bool lazy_certificates_show(struct lazy_certificates *lazy, struct exchange *x, struct certificate **ret_certificate);

#endif
