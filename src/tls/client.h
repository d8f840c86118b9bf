/* TLS towards servers: options compiled into an SSL_CTX. Made with a graph, const, shared by all workers. */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <openssl/ssl.h>

#include "base/diag.h"
#include "base/option.h"

struct tls_pair {                   /* a certificate that we show */
    const struct node *origin;
    struct str cert_file, key_file; /* paths or PEM texts */
    struct str password_file;       /* pass phrases of the key, a line for each; empty: it has none */
    struct str directory;           /* of files that are named with variables, and not from the root; empty: where we are */
};
struct tls_client_options {
    const struct node *origin;      /* of the object that holds the options below */
    struct str server_name;         /* for SNI and verification; empty: the server's host */
    bool insecure_skip_verify;
    struct strs root_cas;           /* paths or PEM texts; empty: the system's */
    struct objects certificates;    /* struct tls_pair */
    struct strs cipher_suites;
    int min_version, max_version;
    struct strs peer_cert_sans;     /* one of them must be in the server's certificate: DNS names, addresses, URIs */
    struct str cipher_list;         /* OpenSSL's own words, instead of cipher_suites; empty: none */
    struct strs crl_files;
    struct strs commands;           /* SSL_CONF_cmd(3) */
    int64_t depth;                  /* of chains; 0: the library's */
    bool no_sni, no_resumption;
    bool no_alpn;                   /* nothing is offered where HTTP/1.1 alone is spoken */
};

struct tls_client {
    SSL_CTX *context;
    struct str server_name;
    struct strs peer_cert_sans;
    bool verify, sni, alpn;
};

/* Lives in `arena` but for its SSL_CTX: tls_client_free. NULL after errors in `diag`. Reads files (blocking). */
struct tls_client *tls_client_new(const struct tls_client_options *options, struct arena *arena, struct diag *diag);
void tls_client_free(struct tls_client *client);
/* Text of a file, or the PEM text itself where `file_or_text` holds one. False: unreadable, errno. */
bool tls_read_pem(struct str file_or_text, struct arena *arena, struct str *ret_pem);
bool tls_is_pem_text(struct str file_or_text);

#endif
