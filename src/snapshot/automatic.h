/* Automatic HTTPS: what `automaticHTTPS` makes of a model before it is compiled.
 *
 * A router is taken up when it names no entryPoints of its own and has no `tls`. Then:
 * - with a host in its rule for which there is a resolver, it becomes a router of the HTTPS entrypoint, with `tls`. On the
 *   other default entrypoints (those without a `tls` of their own) a twin "R-redirect" with the same rule and priority
 *   redirects to HTTPS: 301 for GET, 308 otherwise. It is on the HTTPS entrypoint as well, for plain requests that
 *   come there. With `redirect: false` the twin "R-http" serves what the router serves instead, and not there;
 * - without a host it stays plain and keeps away from the HTTPS entrypoint; with `onDemand` a twin "R-https" serves the same
 *   there with `tls`.
 * Names and places of twins are such that a mistake in a router is reported once, where the user wrote it.
 *
 * The HTTPS entrypoint is the one that is configured, else "websecure", "https" or one on port 443, else a new "websecure" on
 * ":443", which is made only when a router needs it.
 *
 * A router that is taken up asks for certificates: its public names for one of the resolver (the configured one, else the
 * only ACME one, else RESOLVER_AUTOMATIC), its other names for one of RESOLVER_LOCAL. Its `tls.cert_resolver` stays empty:
 * what it asks for is in the list. A wildcard is left out, with a warning, where its resolver has no
 * DNS challenge or where it stands for a whole top-level domain.
 *
 * ACME's HTTP-01 path is not looked at here: its router has the highest priority there is.
 *
 * Ownership: all that is made lives in the model's arena. Control thread. */
#ifndef SNAPSHOT_AUTOMATIC_H
#define SNAPSHOT_AUTOMATIC_H

#include "base/vec.h"
#include "exchange/graph.h"

struct certificate_wants {
    VEC(struct certificate_want) list;
};

/* Does nothing without `automaticHTTPS`. Before names are collected; once for a model. Wants are added to `wants`, which the
 * caller releases; their texts live in the model's arena. Mistakes go to `diag`. */
void automatic_prepare(struct model *model, struct certificate_wants *wants, struct diag *diag);
/* Name of the resolver for a name under automatic HTTPS (lower case); empty: none is to be asked. Without
 * `automaticHTTPS`: empty. For names that come up while running (on demand). */
struct str automatic_resolver(const struct model *model, struct str name);

#endif
