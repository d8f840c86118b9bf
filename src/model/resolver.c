/* Where certificates come from by themselves: the tables of certificatesResolvers and automaticHTTPS. */
#include "model/tls.h"

#include "net/addr.h"

static const char *check_url(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return str_starts_nocase(text, S("https://")) || str_starts_nocase(text, S("http://")) ? NULL : "is not an http or https URL";
}

static const char *check_email(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    ptrdiff_t at = str_find_char(text, '@', 0);
    return at > 0 && (size_t)at + 1 < text.len && str_find_char(text, ' ', 0) < 0 ? NULL : "is not an e-mail address";
}

static const struct option http_options[] = {
    OPTION_NAMED(STR, struct acme_http_challenge, entry_point, "entryPoint",
                 .help = "Where the CA's requests come in; none: the entrypoints on port 80, else those without TLS."),
    OPTION(DURATION, struct acme_http_challenge, delay, .help = "Time before the CA is told to look."),
};
static const struct option_table http_table =
    OPTION_TABLE(struct acme_http_challenge, http_options, .summary = "HTTP-01: a file under /.well-known/acme-challenge/.");

static const struct option tls_options[] = {
    OPTION(DURATION, struct acme_tls_challenge, delay, .help = "Time before the CA is told to look."),
};
static const struct option_table tls_table =
    OPTION_TABLE(struct acme_tls_challenge, tls_options, .summary = "TLS-ALPN-01: a certificate shown on port 443.");

static const struct option propagation_options[] = {
    OPTION_NAMED(DURATION, struct acme_propagation, delay_before_checks, "delayBeforeChecks",
                 .help = "Time between writing a record and looking for it."),
    OPTION_NAMED(BOOL, struct acme_propagation, disable_checks, "disableChecks",
                 .help = "Do not look whether the record is there before the CA does."),
    OPTION_NAMED(BOOL, struct acme_propagation, disable_checks, "disableANSChecks",
                 .accepted = "the resolvers are asked, not the authoritative servers"),
    OPTION_NAMED(BOOL, struct acme_propagation, disable_checks, "requireAllRNS", .accepted = "every resolver must see the record"),
};
static const struct option_table propagation_table =
    OPTION_TABLE(struct acme_propagation, propagation_options, .summary = "Waiting for DNS records to be seen.");

static const struct option_name provider_names[] = {{"exec", 0}, {NULL, 0}};
static const struct option dns_options[] = {
    OPTION(ENUM, struct acme_dns_challenge, provider, .names = provider_names, .fallback = "exec",
           .help = "How records are written: a command of yours."),
    OPTION(STR, struct acme_dns_challenge, command,
           .help = "Run as COMMAND present|cleanup _acme-challenge.NAME. VALUE; none: $EXEC_PATH."),
    OPTION(STRS, struct acme_dns_challenge, resolvers,
           .help = "DNS servers (ADDRESS:PORT) that must see the record first; none: the system's."),
    OPTION(STRUCT, struct acme_dns_challenge, propagation, .table = &propagation_table,
           .help = "Waiting for records to be seen."),
    OPTION_NAMED(DURATION, struct acme_dns_challenge, propagation.delay_before_checks, "delayBeforeCheck",
                 .help = "The former name of propagation.delayBeforeChecks."),
    OPTION_NAMED(BOOL, struct acme_dns_challenge, propagation.disable_checks, "disablePropagationCheck",
                 .help = "The former name of propagation.disableChecks."),
};
static const struct option_table dns_table =
    OPTION_TABLE(struct acme_dns_challenge, dns_options, .summary = "DNS-01: a TXT record; the only one for wildcards.");

static const struct option eab_options[] = {
    OPTION(STR, struct acme_eab, kid, .required = true, .help = "The key's identifier."),
    OPTION_NAMED(STR, struct acme_eab, hmac_encoded, "hmacEncoded", .required = true, .secret = true,
                 .help = "The key, base64url."),
};
static const struct option_table eab_table =
    OPTION_TABLE(struct acme_eab, eab_options, .summary = "External account binding: what the CA gave you to register with.");

static const struct option fallback_options[] = {
    OPTION_NAMED(STR, struct acme_fallback, ca_server, "caServer", .required = true, .check = check_url,
                 .help = "The directory of the other CA."),
    OPTION(OBJECT, struct acme_fallback, eab, .table = &eab_table, .help = "External account binding there."),
};
static const struct option_table fallback_table =
    OPTION_TABLE(struct acme_fallback, fallback_options, .summary = "Another CA, for when the first fails.");

static const struct option_name key_names[] = {{"EC256", KEY_TYPE_EC256},     {"EC384", KEY_TYPE_EC384},
                                               {"RSA2048", KEY_TYPE_RSA2048}, {"RSA4096", KEY_TYPE_RSA4096},
                                               {"RSA8192", KEY_TYPE_RSA8192}, {NULL, 0}};

static const struct option acme_options[] = {
    OPTION(STR, struct acme_config, email, .check = check_email, .help = "Where the CA writes to."),
    OPTION_NAMED(STRS, struct acme_config, email_addresses, "emailAddresses", .check = check_email,
                 .help = "Further ones."),
    OPTION(STR, struct acme_config, storage, .fallback = "acme.json",
           .help = "A file in Traefik's format, or a directory: account, keys, certificates."),
    OPTION_NAMED(STR, struct acme_config, ca_server, "caServer", .check = check_url,
                 .fallback = "https://acme-v02.api.letsencrypt.org/directory", .help = "The CA's directory."),
    OPTION(OBJECT, struct acme_config, fallback, .table = &fallback_table, .help = "Another CA, for when the first fails."),
    OPTION_NAMED(ENUM, struct acme_config, key_type, "keyType", .names = key_names, .fallback = "EC256",
                 .help = "The type of the certificates' keys."),
    OPTION_NAMED(INT, struct acme_config, certificates_duration, "certificatesDuration", .fallback = "2160", .min = 1,
                 .max = 87600, .help = "Hours that the CA's certificates last, where they do not say it."),
    OPTION_NAMED(STR, struct acme_config, preferred_chain, "preferredChain",
                 .help = "Common name of the root whose chain is taken, if the CA offers several."),
    OPTION(STR, struct acme_config, profile, .help = "The profile that the CA is asked for (\"shortlived\")."),
    OPTION(OBJECT, struct acme_config, eab, .table = &eab_table, .help = "External account binding."),
    OPTION_NAMED(BOOL, struct acme_config, disable_common_name, "disableCommonName",
                 .help = "Leave the common name out of requests."),
    OPTION_NAMED(STRS, struct acme_config, ca_certificates, "caCertificates",
                 .help = "What the CA's own server is verified with: PEM files or texts."),
    OPTION_NAMED(BOOL, struct acme_config, ca_system_cert_pool, "caSystemCertPool",
                 .help = "Beside caCertificates, the system's authorities too."),
    OPTION_NAMED(STR, struct acme_config, ca_server_name, "caServerName",
                 .help = "The name that the CA's own server must prove."),
    OPTION_NAMED(DURATION, struct acme_config, client_timeout, "clientTimeout", .fallback = "2m", .min = 1000000,
                 .max = INT64_MAX, .help = "Time for one request to the CA."),
    OPTION_NAMED(DURATION, struct acme_config, client_response_header_timeout, "clientResponseHeaderTimeout",
                 .fallback = "30s", .min = 1000000, .max = INT64_MAX, .help = "Time for the CA to begin its answer."),
    OPTION_NAMED(DURATION, struct acme_config, certificate_timeout, "certificateTimeout", .fallback = "30s",
                 .min = 1000000, .max = INT64_MAX, .help = "Time for the CA to issue once all challenges are met."),
    OPTION_NAMED(OBJECT, struct acme_config, http_challenge, "httpChallenge", .table = &http_table, .help = "HTTP-01."),
    OPTION_NAMED(OBJECT, struct acme_config, tls_challenge, "tlsChallenge", .table = &tls_table, .help = "TLS-ALPN-01."),
    OPTION_NAMED(OBJECT, struct acme_config, dns_challenge, "dnsChallenge", .table = &dns_table, .help = "DNS-01."),
};
const struct option_table acme_config_table =
    OPTION_TABLE(struct acme_config, acme_options, .summary = "Certificates from a public CA (ACME, RFC 8555).");

static const struct option local_options[] = {
    OPTION(STR, struct local_ca_config, directory, .help = "Where its keys live; none: the data directory."),
    OPTION(DURATION, struct local_ca_config, lifetime, .fallback = "168h", .min = 60000000000, .max = INT64_MAX,
           .help = "How long its certificates last."),
};
static const struct option_table local_table =
    OPTION_TABLE(struct local_ca_config, local_options, .summary = "Certificates from a CA of this machine's own.");

static void validate_resolver(void *value, const struct node *node, struct diag *diag)
{
    const struct resolver_config *resolver = value;
    if ((resolver->acme != NULL) == (resolver->local_ca != NULL))
        diag_error(diag, node_span(node), "a resolver is either acme or localCA");
}

static const struct option resolver_options[] = {
    OPTION(OBJECT, struct resolver_config, acme, .table = &acme_config_table, .help = "A public CA."),
    OPTION_NAMED(OBJECT, struct resolver_config, local_ca, "localCA", .table = &local_table,
                 .help = "The CA of this machine."),
};
const struct option_table resolver_table =
    OPTION_TABLE(struct resolver_config, resolver_options, .validate = validate_resolver, .summary = "Where certificates come from.");

static const struct option on_demand_options[] = {
    OPTION(STR, struct on_demand_config, ask, .required = true, .check = check_url,
           .help = "Asked with ?domain=NAME before a certificate is got; only status 200 permits."),
    OPTION(INT, struct on_demand_config, burst, .fallback = "10", .min = 1, .max = 100000,
           .help = "Names for which certificates may be got within the period."),
    OPTION(DURATION, struct on_demand_config, period, .fallback = "1m", .min = 1000000000, .max = INT64_MAX,
           .help = "The period."),
};
static const struct option_table on_demand_table =
    OPTION_TABLE(struct on_demand_config, on_demand_options, .summary = "Certificates at the first handshake for a name.");

static const struct option automatic_options[] = {
    OPTION_NAMED(STR, struct automatic_https, entry_point, "entryPoint",
                 .help = "Where HTTPS is spoken; none: websecure, https, the one on port 443, or a new one there."),
    OPTION(STR, struct automatic_https, resolver,
           .help = "The certificatesResolver for public names; none: the only ACME one, or Let's Encrypt."),
    OPTION(STR, struct automatic_https, email, .check = check_email, .help = "Where the CA writes to."),
    OPTION(BOOL, struct automatic_https, redirect, .fallback = "true", .help = "Redirect HTTP to HTTPS."),
    OPTION(BOOL, struct automatic_https, local, .fallback = "true",
           .help = "Give localhost and private names a certificate of the local CA."),
    OPTION_NAMED(OBJECT, struct automatic_https, on_demand, "onDemand", .table = &on_demand_table,
                 .help = "Certificates for names that no rule has, at their first handshake."),
};
const struct option_table automatic_https_table =
    OPTION_TABLE(struct automatic_https, automatic_options, .summary = "HTTPS for every router that names a host.");
