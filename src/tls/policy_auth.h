/* Certificates of clients, as a server's SSL_CTX asks for them and judges them: the five ways that Go has. */
#ifndef TLS_POLICY_AUTH_H
#define TLS_POLICY_AUTH_H

#include "tls/policy.h"

/* What holds: authorities without a type mean that a certificate is required. enum client_auth. */
int policy_auth_type(const struct tls_client_auth *auth);
/* Sets it up; *ret_authorities: the PEM texts of all authorities, in `scratch`. False after errors in `diag`. */
bool policy_set_auth(SSL_CTX *context, const struct tls_client_auth *auth, struct arena *scratch,
                     struct str *ret_authorities, struct diag *diag);

/* Revocation lists, PEM files or texts: certificates of whole chains are looked up in them. False after errors at options.crlFiles. */
bool policy_add_crls(X509_STORE *store, const struct strs *files, const struct node *origin, struct arena *scratch, struct diag *diag);

#endif
