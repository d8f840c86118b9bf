/* Names of cipher suites and key exchange groups as users write them (Go's, the IANA's, RFC 8422's), and the library's.
 * Pure; const tables. */
#ifndef TLS_POLICY_NAMES_H
#define TLS_POLICY_NAMES_H

#include <openssl/ssl.h>

#include "base/diag.h"
#include "base/option.h"

#define SUITES_DEFAULT \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES_TLS13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS_DEFAULT "X25519:P-256:P-384"

/* NULL: not known. Empty: one of TLS 1.3, whose suites are fixed. */
const char *suite_library_name(struct str name);
const char *group_library_name(struct str name);

/* The library's cipher list of `names`; a default for none; NULL after errors in `diag`, at the items of options.KEY. What
 * is known but not in the library is left out with a warning. *ret_tls13_alone: only suites of TLS 1.3 are named. */
const char *suites_of(const struct strs *names, const struct node *options, struct str key, struct diag *diag,
                      bool *ret_tls13_alone);
/* The same for groups. */
const char *groups_of(const struct strs *names, const struct node *options, struct str key, struct diag *diag);
/* False: the library does not have all of the list. */
bool groups_set(SSL_CTX *context, const char *list);
/* Where item `index` of options.KEY stands. */
struct span item_span(const struct node *options, struct str key, size_t index);

#endif
