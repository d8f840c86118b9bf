/* What a configuration says of TLS: certificates, options, stores, and where certificates come from by themselves.
 * Filled by the binder; lives in the model's arena; read-only. */
#ifndef MODEL_TLS_H
#define MODEL_TLS_H

#include "base/option.h"
#include "tls/client.h"
#include "tls/make.h"
#include "tls/policy.h"

struct tls_domain {
    const struct node *origin;
    struct str main;
    struct strs sans;
};

struct router_tls {                 /* routers.R.tls, entryPoints.E.http.tls */
    const struct node *origin;
    struct str options;             /* name of TLS options; empty: "default" */
    struct str cert_resolver;       /* empty: the certificates that are there */
    struct objects domains;         /* struct tls_domain; empty: the hosts of the rule */
};
extern const struct option_table router_tls_table;

struct tls_certificate_config {     /* tls.certificates[n], a store's defaultCertificate */
    const struct node *origin;
    struct str cert_file, key_file; /* paths or PEM texts */
    struct str password_file;       /* pass phrases of the key, a line for each; empty: it has none */
    struct str directory;           /* of a site's: where relative names with variables are; empty: the working directory */
    struct strs stores;
};
struct tls_certificate_cache {      /* of certificates that are read at handshakes */
    const struct node *origin;
    int64_t max;                    /* certificates */
    int64_t valid, inactive;        /* ns */
};
struct site_tls {                   /* http.sites.S.tls */
    struct router_tls router;       /* first: `origin` */
    struct objects certificates;    /* struct tls_certificate_config: shown to clients that ask for the site, whatever names they have */
    struct tls_certificate_cache *certificate_cache;    /* NULL: files are looked at in each handshake, and read when they changed */
    bool reject_handshake;          /* clients that ask for it are refused */
};
extern const struct option_table site_tls_table;

struct tls_generated_config {
    const struct node *origin;
    struct str resolver;
    struct tls_domain domain;
};
struct tls_store_config {
    const struct node *origin;
    struct tls_certificate_config *default_certificate;
    struct tls_generated_config *default_generated_cert;
};
struct tls_config {                 /* tls: */
    const struct node *origin;
    struct objects certificates;    /* struct tls_certificate_config */
    struct objects options;         /* struct tls_options */
    struct objects stores;          /* struct tls_store_config; "default" alone means something */
};
extern const struct option_table tls_config_table;
/* The options that hold where none are named. */
extern const struct option_table tls_options_table;

struct acme_http_challenge {
    const struct node *origin;
    struct str entry_point;         /* empty: every one on port 80, else every one without TLS */
    int64_t delay;                  /* ns */
};
struct acme_tls_challenge {
    const struct node *origin;
    int64_t delay;
};
struct acme_propagation {
    const struct node *origin;
    int64_t delay_before_checks;    /* ns */
    bool disable_checks;
};
struct acme_dns_challenge {
    const struct node *origin;
    int provider;                   /* "exec" alone */
    struct str command;             /* run as: COMMAND present|cleanup _acme-challenge.NAME. VALUE */
    struct strs resolvers;          /* "1.1.1.1:53": asked whether the record is there; empty: the system's */
    struct acme_propagation propagation;
};
struct acme_eab {
    const struct node *origin;
    struct str kid, hmac_encoded;
};
struct acme_fallback {              /* another CA, when the first fails */
    const struct node *origin;
    struct str ca_server;
    struct acme_eab *eab;
};
struct acme_config {
    const struct node *origin;
    struct str email;
    struct strs email_addresses;
    struct str storage;             /* a file (acme.json) or a directory (ends with '/', or is one) */
    struct str ca_server;
    struct acme_fallback *fallback;
    int key_type;                   /* enum key_type */
    int64_t certificates_duration;  /* hours: how long certificates last, where neither ARI nor they say */
    struct str preferred_chain, profile;
    struct acme_eab *eab;
    bool disable_common_name;
    struct strs ca_certificates;    /* that the CA's own server is verified with */
    bool ca_system_cert_pool;
    struct str ca_server_name;
    int64_t client_timeout, client_response_header_timeout, certificate_timeout;    /* ns */
    struct acme_http_challenge *http_challenge;
    struct acme_tls_challenge *tls_challenge;
    struct acme_dns_challenge *dns_challenge;       /* all three NULL: TLS-ALPN-01, then HTTP-01 */
};
extern const struct option_table acme_config_table;

struct local_ca_config {
    const struct node *origin;
    struct str directory;           /* empty: "ca" in the data directory (base/data_directory.h) */
    int64_t lifetime;               /* ns, of a leaf */
};

struct resolver_config {            /* certificatesResolvers.N: one of them */
    const struct node *origin;
    struct acme_config *acme;
    struct local_ca_config *local_ca;
};

struct on_demand_config {
    const struct node *origin;
    struct str ask;                 /* URL: asked with ?domain=NAME; 200 permits */
    int64_t burst, period;          /* names in ns */
};
/* HTTPS by itself: see snapshot/automatic.h for what follows from it. */
struct automatic_https {
    const struct node *origin;
    struct str entry_point;         /* the HTTPS one; empty: "websecure", "https" or the one on port 443, else a new one */
    struct str resolver;            /* for public names; empty: the only ACME resolver, else one of its own (Let's Encrypt) */
    struct str email;               /* for the one of its own */
    bool redirect;                  /* HTTP to HTTPS */
    bool local;                     /* names that are not public get a certificate of the local CA */
    struct on_demand_config *on_demand;
};
extern const struct option_table resolver_table, automatic_https_table;

/* TLS towards one server of our choice (forwardAuth's service, a collector), in Traefik's short form. */
struct peer_tls {
    const struct node *origin;
    struct str ca, cert, key;       /* PEM files or texts; empty: the system's, none */
    bool insecure_skip_verify;
};
extern const struct option_table peer_tls_table;

/* For serversTransport: certificates that we show, and the names of versions. */
extern const struct option_table tls_pair_table, tls_certificate_cache_table;
extern const struct option_name tls_version_names[];

#endif
