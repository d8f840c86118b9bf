/* Certificates out of PEM files or texts that a configuration names. Blocking: the control thread's. */
#ifndef TLS_CLIENT_PEM_H
#define TLS_CLIENT_PEM_H

#include <openssl/x509.h>

#include "base/diag.h"

#define PEM_BYTES_MAX ((size_t)16 << 20)

/* All of them, at least one; the caller's. NULL after an error at `span`. *ret_pem: the text, in `arena`. */
STACK_OF(X509) *client_pem_read(struct str file_or_text, struct arena *arena, struct span span, struct diag *diag,
                                struct str *ret_pem);
/* Between true and false, what a pipe has said is there again for whoever names it next. Around the compiling of a graph. */
void tls_keep_pipes(bool kept);

#endif
