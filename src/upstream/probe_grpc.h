/* The question and the answer of gRPC's health protocol (grpc.health.v1.Health/Check), for upstream/probe.c: the state of the
 * server as a whole, which is what an empty service name asks for. Pure. */
#ifndef UPSTREAM_PROBE_GRPC_H
#define UPSTREAM_PROBE_GRPC_H

#include "upstream/fetch.h"

/* Makes the fetch's request, whose authority and further fields the caller sets, such a question. */
void probe_grpc_ask(struct fetch *fetch);
/* NULL: the server says that it serves; else a literal. */
const char *probe_grpc_judge(const struct response *response, struct str body);

#endif
