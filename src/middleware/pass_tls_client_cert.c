/* Tells servers which certificate a client has shown: all of it (X-Forwarded-Tls-Client-Cert), or what it says
 * (X-Forwarded-Tls-Client-Cert-Info). What a client sends under these
 * names never passes; what a trusted peer sends stays where there is nothing to say instead. */
#include "middleware/answer.h"
#include "middleware/client_certificate.h"
#include "net/client.h"
#include "tls/conn.h"

#define VALUE_MAX ((size_t)256 << 10)      /* of a field: a long chain of certificates with large keys */

static const struct str whole = STR("X-Forwarded-Tls-Client-Cert");
static const struct str told = STR("X-Forwarded-Tls-Client-Cert-Info");

struct pass_tls_client_cert {
    const struct node *origin;
    bool pem;
    struct certificate_info *info;
};

#define PART(member, key, what) OPTION_NAMED(BOOL, struct name_parts, member, key, .help = "Tell the " what ".")
#define COMMON_PARTS \
    PART(country, "country", "country (C)"), PART(province, "province", "state or province (ST)"), \
        PART(locality, "locality", "locality (L)"), PART(organization, "organization", "organization (O)"), \
        PART(common_name, "commonName", "common name (CN)"), PART(serial_number, "serialNumber", "serial number (SN)"), \
        PART(domain_component, "domainComponent", "domain components (DC)")

static const struct option issuer_options[] = {COMMON_PARTS};
static const struct option subject_options[] = {
    COMMON_PARTS, PART(organizational_unit, "organizationalUnit", "organizational unit (OU)")};
static const struct option_table issuer_table =
    OPTION_TABLE(struct name_parts, issuer_options, .summary = "What is told of who signed the certificate.");
static const struct option_table subject_table =
    OPTION_TABLE(struct name_parts, subject_options, .summary = "What is told of whom the certificate is for.");

static const struct option info_options[] = {
    OPTION_NAMED(BOOL, struct certificate_info, not_after, "notAfter", .help = "Tell when it ends (NA, Unix seconds)."),
    OPTION_NAMED(BOOL, struct certificate_info, not_before, "notBefore", .help = "Tell when it began (NB, Unix seconds)."),
    OPTION(BOOL, struct certificate_info, sans, .help = "Tell its subject alternative names (SAN)."),
    OPTION_NAMED(BOOL, struct certificate_info, serial_number, "serialNumber", .help = "Tell its serial number, in decimal."),
    OPTION(OBJECT, struct certificate_info, subject, .table = &subject_table, .help = "Tell whom it is for."),
    OPTION(OBJECT, struct certificate_info, issuer, .table = &issuer_table, .help = "Tell who signed it."),
};
static const struct option_table info_table =
    OPTION_TABLE(struct certificate_info, info_options, .summary = "What is told of the client's certificate.");

static const struct option pass_options[] = {
    OPTION(BOOL, struct pass_tls_client_cert, pem,
           .help = "Send the certificate and its chain, base 64 of DER, joined by commas, in X-Forwarded-Tls-Client-Cert."),
    OPTION(OBJECT, struct pass_tls_client_cert, info, .table = &info_table,
           .help = "Send what it says, URL-encoded, in X-Forwarded-Tls-Client-Cert-Info."),
};
static const struct option_table pass_table =
    OPTION_TABLE(struct pass_tls_client_cert, pass_options, .summary = "Tells servers about the client's certificate.");

/* The certificates that the client has shown, its own first; NULL behind the last. */
static X509 *shown(const struct tls_conn *conn, int index)
{
    X509 *leaf = tls_peer_certificate(conn);
    STACK_OF(X509) *chain = tls_peer_chain(conn);
    if (index == 0 || leaf == NULL)
        return leaf;
    bool has_leaf = sk_X509_num(chain) > 0 && X509_cmp(sk_X509_value(chain, 0), leaf) == 0;
    index -= has_leaf ? 0 : 1;
    return index < sk_X509_num(chain) ? sk_X509_value(chain, index) : NULL;
}

static bool write_whole(const struct tls_conn *conn, struct text *out)
{
    bool good = true;
    X509 *certificate;
    for (int i = 0; good && (certificate = shown(conn, i)) != NULL; i++) {
        if (i != 0)
            text_add_char(out, ',');
        good = client_certificate_der(certificate, out);
    }
    return good && !out->overflow;
}

static bool write_told(const struct tls_conn *conn, const struct certificate_info *info, struct text *out)
{
    struct text plain;
    X509 *certificate;
    text_init(&plain, VALUE_MAX);
    for (int i = 0; (certificate = shown(conn, i)) != NULL; i++) {
        if (i != 0)
            text_add_char(&plain, ',');
        client_certificate_info(certificate, info, &plain);
    }
    client_certificate_escape(text_str(&plain), out);
    bool good = !plain.overflow && !out->overflow;
    text_release(&plain);
    return good;
}

/* A value that is too long is left out rather than cut. */
static bool set_field(struct exchange *x, struct str name, bool good, const struct text *value)
{
    if (!good)
        return true;
    struct str copy = arena_str(&x->arena, text_str(value));
    return copy.data != NULL && fields_add(&exchange_request(x)->fields, name, copy);
}

static bool tell(struct exchange *x, const struct pass_tls_client_cert *options, const struct tls_conn *conn)
{
    struct text text;
    bool good = true;
    text_init(&text, VALUE_MAX);
    if (options->pem)
        good = set_field(x, whole, write_whole(conn, &text), &text);
    text_clear(&text);
    if (good && options->info != NULL)
        good = set_field(x, told, write_told(conn, options->info, &text), &text);
    text_release(&text);
    return good;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct pass_tls_client_cert *options = m->options;
    const struct tls_conn *conn = x->stream.client->secure;
    struct fields *fields = &exchange_request(x)->fields;
    bool has_certificate = conn != NULL && tls_peer_certificate(conn) != NULL;
    if (has_certificate || !x->forwarded_trusted) {
        fields_remove_name(fields, whole);
        fields_remove_name(fields, told);
    }
    return !has_certificate || tell(x, options, conn) ? VERDICT_NEXT : answer_out_of_memory(x);
}

static const struct middleware_type pass_tls_client_cert = {
    .choice = {.name = "passTLSClientCert",
               .summary = "Tells servers about the client's certificate.",
               .table = &pass_table},
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, pass_tls_client_cert);
