/* What OpenSSL can be told in its own words: lists of suites and groups, commands, parameters of DHE. */
#ifndef TLS_POLICY_EXTRAS_H
#define TLS_POLICY_EXTRAS_H

#include "tls/policy.h"

/* False after errors in `diag`, at the options. */
bool policy_extras_set(SSL_CTX *context, const struct tls_options *options, struct arena *scratch, struct diag *diag);
/* For clients too. `commands`: "Name value"; those of options.commands. */
bool policy_set_commands(SSL_CTX *context, bool server, const struct strs *commands, const struct node *origin, struct arena *scratch,
                         struct diag *diag);
bool policy_set_cipher_list(SSL_CTX *context, struct str list, const struct node *origin, struct arena *scratch, struct diag *diag);

#endif
