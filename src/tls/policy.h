/* TLS options compiled into what handshakes use: one SSL_CTX for each set of options, whatever the number of certificates
 * (the certificate is given to each connection).
 *
 * Ownership: counted by reference. The graph that it was made with holds one, and each connection of a client one until it
 * ends, which may be long after its graph.
 * Threading: const once made, shared by all workers. */
#ifndef TLS_POLICY_H
#define TLS_POLICY_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/option.h"
#include "tls/stapling.h"

enum client_auth {
    CLIENT_AUTH_NONE,               /* NoClientCert */
    CLIENT_AUTH_REQUEST,            /* RequestClientCert: asked for, never verified */
    CLIENT_AUTH_REQUIRE_ANY,        /* RequireAnyClientCert: must be there, not verified */
    CLIENT_AUTH_VERIFY_IF_GIVEN,    /* VerifyClientCertIfGiven */
    CLIENT_AUTH_REQUIRE             /* RequireAndVerifyClientCert */
};

/* Options as users give them (model/tls.c binds them). */
struct tls_client_auth {
    const struct node *origin;
    struct strs ca_files;           /* paths or PEM texts */
    struct strs hidden_ca_files;    /* trusted as well, but clients are not told of them */
    struct strs crl_files;
    int type;                       /* enum client_auth */
    int64_t depth;                  /* of chains; -1: the library's */
    bool answer;                    /* who is not let in gets an answer by HTTP, not an alert */
    bool any_authority;             /* with `answer`: a certificate counts though nobody who is trusted has signed it */
};
struct tls_session_cache {          /* sessions that are resumed without tickets */
    const struct node *origin;
    struct str name;                /* options that name the same share it; empty: these have it to themselves */
    int64_t size;                   /* bytes */
};
struct tls_options {
    const struct node *origin;
    int min_version, max_version;   /* TLS1_2_VERSION...; 0: the library's */
    struct strs cipher_suites;      /* Go's or the IANA's names; empty: a good default */
    struct strs curve_preferences;  /* CurveP256, X25519, ... */
    struct strs alpn_protocols;
    struct tls_client_auth client_auth;
    struct str cipher_list;         /* OpenSSL's own words, instead of cipher_suites; empty: none */
    struct str group_list;          /* the same instead of curve_preferences */
    struct str dh_file;             /* a PEM file or text: parameters of DHE; empty: none */
    struct strs commands;           /* "Name value": SSL_CONF_cmd(3) */
    int64_t session_timeout;        /* ns; 0: as long as a key makes tickets (tls/tickets.h) */
    struct tls_session_cache *session_cache;    /* NULL: tickets alone */
    struct stapling_options *stapling;  /* NULL: OCSP responses are not shown */
    struct strs ticket_key_files;   /* none: the process's own keys, which are renewed */
    bool client_order;              /* the client's order of suites counts */
    bool sni_strict, disable_session_tickets;
    bool library_records;           /* TLS 1.3 too stays with OpenSSL behind the handshake (else: tls/record.h) */
};

struct tls_policy {
    struct str name;                /* "default", "mtls@file" */
    SSL_CTX *context;               /* goes with the policy */
    unsigned char session_context[32];      /* sessions of other contexts are not resumed; a connection's certificate is mixed in */
    struct sessions *sessions;      /* a reference; NULL: none are kept */
    struct stapling *stapling;      /* NULL: none */
    struct ticket_keys *ticket_keys;    /* of the user's own; NULL: the process's */
    bool sni_strict;
    enum client_auth client_auth;
    bool judged_later, any_authority;       /* handshakes let certificates of all kinds in; requests are judged by policy_accepts */
    bool verifies_clients;          /* a certificate that a client showed was verified */
    bool h2, http1;                 /* what ALPN may choose */
    unsigned char alpn[12];         /* the same as RFC 7301 3.1 writes it, the preferred first */
    unsigned alpn_len;
    _Atomic unsigned refs;
};

/* Errors go to `diag` at the places of options->origin; NULL then. `name` is copied; tickets of one policy are of no use with
 * another. Reads files (blocking). The reference is the caller's. */
struct tls_policy *policy_new(const struct tls_options *options, struct str name, struct diag *diag);
/* From any thread; who takes a reference has one, or a graph that has. */
const struct tls_policy *policy_ref(const struct tls_policy *policy);
void policy_unref(const struct tls_policy *policy); /* NULL: nothing */

/* Is a client let in whose certificate was verified with this result (X509_V_OK, ...)? */
bool policy_accepts(const struct tls_policy *policy, long result);

/* For tls/client.h too: false, mostly after errors in `diag` at options.minVersion and options.cipherSuites. */
bool policy_set_versions(SSL_CTX *context, int min, int max, const struct node *options, struct diag *diag);
bool policy_set_suites(SSL_CTX *context, const struct strs *names, const struct node *options, struct diag *diag);

/* The name of a suite, curve or version that is known; for the option table's checks. NULL when good. */
const char *policy_check_cipher(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);
const char *policy_check_curve(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);

#endif
