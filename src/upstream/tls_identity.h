/* Which TLS options a connection was made by, as a number: what was made by others is neither used nor resumed, since it was
 * verified otherwise. The same options give the same number in every snapshot of a process, so connections survive a reload. */
#ifndef UPSTREAM_TLS_IDENTITY_H
#define UPSTREAM_TLS_IDENTITY_H

#include "tls/client.h"

/* Never 0. Files that options name are read, into `arena`: a renewed client certificate is another identity. Blocking. */
uint64_t tls_identity(const struct tls_client_options *options, bool h2, struct arena *arena);

#endif
