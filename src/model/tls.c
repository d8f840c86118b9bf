#include "model/tls.h"

const struct option_name tls_version_names[] = {
    {"VersionTLS10", TLS1_VERSION}, {"VersionTLS11", TLS1_1_VERSION}, {"VersionTLS12", TLS1_2_VERSION},
    {"VersionTLS13", TLS1_3_VERSION}, {"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION}, {"1.2", TLS1_2_VERSION},
    {"1.3", TLS1_3_VERSION}, {NULL, 0}};

/* ---- routers ---- */

static const struct option domain_options[] = {
    OPTION(STR, struct tls_domain, main, .required = true, .help = "The certificate's first name."),
    OPTION(STRS, struct tls_domain, sans, .help = "Its further names."),
};
static const struct option_table domain_table =
    OPTION_TABLE(struct tls_domain, domain_options, .summary = "The names of one certificate.");

static const struct option router_options[] = {
    OPTION(STR, struct router_tls, options, .help = "TLS options by name; none: default."),
    OPTION_NAMED(STR, struct router_tls, cert_resolver, "certResolver",
                 .help = "The certificatesResolver that gets the certificate; none: those that are there."),
    OPTION(LIST, struct router_tls, domains, .table = &domain_table,
           .help = "The certificates to get; none: one for the hosts of the rule."),
};
const struct option_table router_tls_table =
    OPTION_TABLE(struct router_tls, router_options, .summary = "The router takes HTTPS, and only HTTPS.");

/* ---- certificates ---- */

static const struct option certificate_options[] = {
    OPTION_NAMED(STR, struct tls_certificate_config, cert_file, "certFile", .required = true,
                 .help = "The certificate and its chain: a PEM file, or the PEM text itself."),
    OPTION_NAMED(STR, struct tls_certificate_config, key_file, "keyFile", .required = true, .secret = true,
                 .help = "Its key: a PEM file, or the PEM text itself."),
    OPTION_NAMED(STR, struct tls_certificate_config, password_file, "passwordFile",
                 .help = "A file with pass phrases for the key, one a line, which are tried in turn."),
    OPTION(STR, struct tls_certificate_config, directory,
           .help = "Sites: the folder of files that are named with variables (${ssl_server_name}) and not from the root."),
    OPTION(STRS, struct tls_certificate_config, stores, .accepted = "there is one store, as in Traefik"),
};
static const struct option_table certificate_table =
    OPTION_TABLE(struct tls_certificate_config, certificate_options, .summary = "A certificate from files.");

static const struct option certificate_cache_options[] = {
    OPTION(INT, struct tls_certificate_cache, max, .fallback = "100", .min = 0, .max = 1000000, .help = "Certificates that are kept."),
    OPTION(DURATION, struct tls_certificate_cache, valid, .fallback = "60s", .help = "How long one is used before its files are looked at."),
    OPTION(DURATION, struct tls_certificate_cache, inactive, .fallback = "10s", .help = "One that nobody asks for so long is dropped."),
};
const struct option_table tls_certificate_cache_table =
    OPTION_TABLE(struct tls_certificate_cache, certificate_cache_options, .summary = "Certificates whose files are named with variables.");

static const struct option site_options[] = {
    OPTION_NAMED(STR, struct site_tls, router.options, "options", .help = "TLS options by name; none: default."),
    OPTION_NAMED(STR, struct site_tls, router.cert_resolver, "certResolver",
                 .help = "The certificatesResolver that gets the certificate; none: those that are there."),
    OPTION_NAMED(LIST, struct site_tls, router.domains, "domains", .table = &domain_table,
                 .help = "The certificates to get; none: one for the site's names."),
    OPTION(LIST, struct site_tls, certificates, .table = &certificate_table,
           .help = "The certificates of this site, whatever names they have: one for each kind of key. Files may be named with variables."),
    OPTION_NAMED(OBJECT, struct site_tls, certificate_cache, "certificateCache", .table = &tls_certificate_cache_table,
                 .help = "How files named with variables are kept; none: looked at in each handshake, and read when they changed."),
    OPTION_NAMED(BOOL, struct site_tls, reject_handshake, "rejectHandshake",
                 .help = "Clients that ask for one of its names are refused (unrecognized_name)."),
};
const struct option_table site_tls_table = {.options = site_options,
                                            .count = sizeof(site_options) / sizeof(site_options[0]),
                                            .size = sizeof(struct site_tls),
                                            .origin_offset = offsetof(struct site_tls, router.origin),
                                            .summary = "The site takes HTTPS."};

static const struct option pair_options[] = {
    OPTION_NAMED(STR, struct tls_pair, password_file, "passwordFile",
                 .help = "A file with pass phrases for the key, one a line, which are tried in turn."),
    OPTION_NAMED(STR, struct tls_pair, cert_file, "certFile", .required = true, .help = "A PEM file, or the PEM text itself."),
    OPTION_NAMED(STR, struct tls_pair, key_file, "keyFile", .required = true, .secret = true,
                 .help = "Its key: a PEM file, or the PEM text itself."),
    OPTION(STR, struct tls_pair, directory, .help = "The folder of files that are named with variables and not from the root."),
};
const struct option_table tls_pair_table =
    OPTION_TABLE(struct tls_pair, pair_options, .summary = "A certificate that is shown to servers.");

static const struct option generated_options[] = {
    OPTION(STR, struct tls_generated_config, resolver, .required = true, .help = "The certificatesResolver."),
    OPTION(STRUCT, struct tls_generated_config, domain, .table = &domain_table, .help = "Its names."),
};
static const struct option_table generated_table =
    OPTION_TABLE(struct tls_generated_config, generated_options, .summary = "A default certificate from a resolver.");

static const struct option store_options[] = {
    OPTION_NAMED(OBJECT, struct tls_store_config, default_certificate, "defaultCertificate", .table = &certificate_table,
                 .help = "Served where no other fits the name."),
    OPTION_NAMED(OBJECT, struct tls_store_config, default_generated_cert, "defaultGeneratedCert",
                 .table = &generated_table, .help = "The same, from a resolver."),
};
static const struct option_table store_table =
    OPTION_TABLE(struct tls_store_config, store_options, .summary = "A store of certificates.");

/* ---- options ---- */

static const struct option_name auth_names[] = {{"NoClientCert", CLIENT_AUTH_NONE},
                                                {"RequestClientCert", CLIENT_AUTH_REQUEST},
                                                {"RequireAnyClientCert", CLIENT_AUTH_REQUIRE_ANY},
                                                {"VerifyClientCertIfGiven", CLIENT_AUTH_VERIFY_IF_GIVEN},
                                                {"RequireAndVerifyClientCert", CLIENT_AUTH_REQUIRE},
                                                {NULL, 0}};
static const struct option auth_options[] = {
    OPTION_NAMED(STRS, struct tls_client_auth, ca_files, "caFiles",
                 .help = "Authorities of clients' certificates: PEM files, or the PEM texts themselves."),
    OPTION_NAMED(ENUM, struct tls_client_auth, type, "clientAuthType", .names = auth_names, .fallback = "NoClientCert",
                 .help = "Whether clients must show a certificate."),
    OPTION_NAMED(STRS, struct tls_client_auth, hidden_ca_files, "hiddenCaFiles",
                 .help = "Authorities that are trusted as well, but of which clients are not told."),
    OPTION_NAMED(STRS, struct tls_client_auth, crl_files, "crlFiles", .help = "Lists of revoked certificates: PEM files or texts."),
    OPTION(INT, struct tls_client_auth, depth, .fallback = "-1", .min = -1, .max = 100,
           .help = "Certificates that may stand between a client's and its authority; -1: as the library says."),
    OPTION(BOOL, struct tls_client_auth, answer,
           .help = "Sites: who is not let in gets 400 as an answer (495 and 496 for error pages) instead of an alert in the handshake."),
    OPTION_NAMED(BOOL, struct tls_client_auth, any_authority, "anyAuthority",
                 .help = "With answer: a certificate counts although nobody who is trusted has signed it."),
};
static const struct option_table auth_table =
    OPTION_TABLE(struct tls_client_auth, auth_options, .summary = "Certificates of clients (mutual TLS).");

static const struct option stapling_table_options[] = {
    OPTION(STR, struct stapling_options, file, .help = "A response (DER) to show instead of asking."),
    OPTION(STR, struct stapling_options, responder, .help = "Whom to ask, a URL; none: as the certificate says."),
    OPTION(BOOL, struct stapling_options, verify, .help = "The signer of the response must lead to caFiles, too."),
    OPTION_NAMED(STRS, struct stapling_options, ca_files, "caFiles",
                 .help = "Authorities, PEM files or texts: issuers that a certificate's file lacks, and whom verify trusts."),
};
static const struct option_table stapling_table =
    OPTION_TABLE(struct stapling_options, stapling_table_options, .summary = "OCSP responses shown with our certificates.");

static const struct option cache_options[] = {
    OPTION(STR, struct tls_session_cache, name, .help = "TLS options that name the same share it; none: these have it to themselves."),
    OPTION(SIZE, struct tls_session_cache, size, .fallback = "1MiB", .min = 4096, .max = INT64_C(1) << 40,
           .help = "Its memory: about 4,000 sessions a MiB. The oldest give way."),
};
static const struct option_table cache_table =
    OPTION_TABLE(struct tls_session_cache, cache_options, .summary = "Sessions kept here, for clients that are given no tickets.");

static const struct option tls_options_options[] = {
    OPTION_NAMED(ENUM, struct tls_options, min_version, "minVersion", .names = tls_version_names, .fallback = "VersionTLS12",
                 .help = "The oldest version that is spoken."),
    OPTION_NAMED(ENUM, struct tls_options, max_version, "maxVersion", .names = tls_version_names, .fallback = "VersionTLS13",
                 .help = "The newest version that is spoken."),
    OPTION_NAMED(STRS, struct tls_options, cipher_suites, "cipherSuites", .check = policy_check_cipher,
                 .help = "Cipher suites of TLS 1.2 and before; none: a good choice. Those of TLS 1.3 are fixed."),
    OPTION_NAMED(STRS, struct tls_options, curve_preferences, "curvePreferences", .check = policy_check_curve,
                 .help = "Key exchange groups, the preferred first; none: X25519, P-256, P-384."),
    OPTION_NAMED(STR, struct tls_options, cipher_list, "cipherList",
                 .help = "The same in OpenSSL's words (\"HIGH:!aNULL:!MD5\"), instead of cipherSuites."),
    OPTION_NAMED(STR, struct tls_options, group_list, "groupList",
                 .help = "The same as curvePreferences in OpenSSL's words (\"X25519:prime256v1\"), instead of them."),
    OPTION_NAMED(STR, struct tls_options, dh_file, "dhFile", .help = "Parameters for DHE of TLS 1.2 and before: a PEM file or text; none: no DHE."),
    OPTION(STRS, struct tls_options, commands,
           .help = "What OpenSSL's configuration files can say, each with its name and its value (SSL_CONF_cmd(3))."),
    OPTION_NAMED(DURATION, struct tls_options, session_timeout, "sessionTimeout",
                 .help = "How long a session may be resumed; 0: 12 hours."),
    OPTION_NAMED(OBJECT, struct tls_options, session_cache, "sessionCache", .table = &cache_table,
                 .help = "Keep sessions for clients without tickets, and for all with disableSessionTickets; all workers share them."),
    OPTION_NAMED(OBJECT, struct tls_options, stapling, "ocspStapling", .table = &stapling_table,
                 .help = "Show OCSP responses with certificates: got from the responder when clients ask, and renewed."),
    OPTION_NAMED(STRS, struct tls_options, ticket_key_files, "sessionTicketKeyFiles",
                 .help = "Files of 48 or 80 bytes: the first makes tickets, all open them; none: keys of our own, renewed every 12 hours."),
    OPTION_NAMED(BOOL, struct tls_options, client_order, "preferClientCipherSuites",
                 .help = "The client's order of cipher suites counts, not the server's."),
    OPTION_NAMED(BOOL, struct tls_options, sni_strict, "sniStrict",
                 .help = "Refuse clients whose name has no certificate instead of showing the default one."),
    OPTION_NAMED(STRS, struct tls_options, alpn_protocols, "alpnProtocols", .fallback = "h2,http/1.1,acme-tls/1",
                 .help = "What is offered, the preferred first."),
    OPTION_NAMED(STRUCT, struct tls_options, client_auth, "clientAuth", .table = &auth_table,
                 .help = "Certificates of clients (mutual TLS)."),
    OPTION_NAMED(BOOL, struct tls_options, disable_session_tickets, "disableSessionTickets",
                 .help = "Clients are given no tickets: without sessionCache every connection makes a full handshake."),
    OPTION_NAMED(BOOL, struct tls_options, library_records, "libraryRecords",
                 .help = "Leave TLS 1.3 connections to OpenSSL behind the handshake too: 14 KB each instead of 1."),
    OPTION_NAMED(BOOL, struct tls_options, sni_strict, "preferServerCipherSuites",
                 .accepted = "the server's preference always holds"),
};
const struct option_table tls_options_table =
    OPTION_TABLE(struct tls_options, tls_options_options, .summary = "How TLS is spoken.");

static const struct option config_options[] = {
    OPTION(LIST, struct tls_config, certificates, .table = &certificate_table, .help = "Certificates from files."),
    OPTION(MAP, struct tls_config, options, .table = &tls_options_table,
           .help = "TLS options by name; those named default hold where none are named."),
    OPTION(MAP, struct tls_config, stores, .table = &store_table, .help = "Stores of certificates; default is the one."),
};
const struct option_table tls_config_table = OPTION_TABLE(struct tls_config, config_options, .summary = "TLS.");

static const struct option peer_options[] = {
    OPTION(STR, struct peer_tls, ca, .help = "The authority of the server's certificate, a PEM file or text; none: the system's."),
    OPTION_NAMED(STR, struct peer_tls, ca, "caOptional", .removed = "a server's certificate is always verified"),
    OPTION(STR, struct peer_tls, cert, .help = "The certificate that is shown to it, a PEM file or text."),
    OPTION(STR, struct peer_tls, key, .secret = true, .help = "Its key."),
    OPTION_NAMED(BOOL, struct peer_tls, insecure_skip_verify, "insecureSkipVerify",
                 .help = "Take any certificate. Only where the network is trusted."),
};

static void validate_peer(void *value, const struct node *node, struct diag *diag)
{
    const struct peer_tls *tls = value;
    if ((tls->cert.len != 0) != (tls->key.len != 0))
        diag_error(diag, node_span(node), "'cert' and 'key' go together");
}

const struct option_table peer_tls_table =
    OPTION_TABLE(struct peer_tls, peer_options, .validate = validate_peer, .summary = "TLS towards the server.");
