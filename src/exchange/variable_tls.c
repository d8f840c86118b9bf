/* What TLS has agreed on with the client, and the certificate that it showed. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "http/uri.h"
#include "exchange/variable.h"
#include "tls/conn.h"

static struct tls_conn *connection(const struct exchange *x)
{
    return x->stream.client->tls ? x->stream.client->secure : NULL;
}

static X509 *certificate(const struct exchange *x)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? tls_peer_certificate(conn) : NULL;
}

static struct str ssl_protocol(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    if (conn == NULL)
        return STR_NONE;
    const char *version = tls_version_text(conn);
    return arena_printf(&x->arena, "TLSv%s", strcmp(version, "1.0") == 0 ? "1" : version);
}

static struct str ssl_cipher(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? str_from(tls_cipher_name(conn)) : STR_NONE;
}

static struct str ssl_server_name(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    if (conn == NULL)
        return x->stream.client->asked_name != NULL ? *x->stream.client->asked_name : STR_NONE;
    return tls_server_name(conn);
}

static struct str ssl_session_reused(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    if (conn == NULL)
        return STR_NONE;
    return tls_resumed(conn) ? S("r") : S(".");
}

static struct str ssl_alpn_protocol(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? str_from(tls_alpn_text(conn)) : STR_NONE;
}

static struct str ssl_ciphers(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? tls_offered_suites(conn, &x->arena) : STR_NONE;
}

static struct str ssl_curves(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? tls_offered_groups(conn, &x->arena) : STR_NONE;
}

static struct str ssl_session_id(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? tls_session_id(conn, &x->arena) : STR_NONE;
}

/* It is not taken: clients send it again. */
static struct str ssl_early_data(struct exchange *x, struct str argument)
{
    return STR_NONE;
}

static struct str ssl_client_verify(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    if (conn == NULL)
        return STR_NONE;
    const struct tls_policy *policy = tls_policy_of(conn);
    if (certificate(x) == NULL)
        return S("NONE");
    long result = tls_verify_result(conn);
    if (policy == NULL || !policy->verifies_clients)
        return S("FAILED:not verified");
    return result == X509_V_OK ? S("SUCCESS") : arena_printf(&x->arena, "FAILED:%s", X509_verify_cert_error_string(result));
}

/* What was written to `memory`, in the arena; `memory` is freed. */
static struct str take_text(struct exchange *x, BIO *memory, bool good)
{
    char *data = NULL;
    long len = memory != NULL ? BIO_get_mem_data(memory, &data) : 0;
    struct str text = good && len > 0 ? arena_str(&x->arena, str_of(data, (size_t)len)) : STR_NONE;
    BIO_free(memory);
    return text;
}

/* What a certificate that was `shown` says. */
#define OF_CERTIFICATE(function, text) \
    static struct str function(struct exchange *x, struct str argument) \
    { \
        const X509 *shown = certificate(x); \
        return shown != NULL ? text : STR_NONE; \
    }

static struct str name_text(struct exchange *x, const X509_NAME *name)
{
    BIO *memory = BIO_new(BIO_s_mem());
    return take_text(x, memory, memory != NULL && X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253) >= 0);
}

OF_CERTIFICATE(ssl_client_s_dn, name_text(x, X509_get_subject_name(shown)))
OF_CERTIFICATE(ssl_client_i_dn, name_text(x, X509_get_issuer_name(shown)))

/* The form of old: "/C=GB/CN=client". */
static struct str oneline(struct exchange *x, const X509_NAME *name)
{
    char *text = X509_NAME_oneline(name, NULL, 0);
    struct str kept = text != NULL ? arena_str(&x->arena, str_from(text)) : STR_NONE;
    OPENSSL_free(text);
    return kept;
}

OF_CERTIFICATE(ssl_client_s_dn_legacy, oneline(x, X509_get_subject_name(shown)))
OF_CERTIFICATE(ssl_client_i_dn_legacy, oneline(x, X509_get_issuer_name(shown)))

static struct str ssl_curve(struct exchange *x, struct str argument)
{
    const struct tls_conn *conn = connection(x);
    return conn != NULL ? str_from(tls_group_text(conn)) : STR_NONE;
}

static struct str ssl_client_serial(struct exchange *x, struct str argument)
{
    const X509 *shown = certificate(x);
    BIO *memory = shown != NULL ? BIO_new(BIO_s_mem()) : NULL;
    return take_text(x, memory, memory != NULL && i2a_ASN1_INTEGER(memory, X509_get0_serialNumber(shown)) > 0);
}

static struct str ssl_client_fingerprint(struct exchange *x, struct str argument)
{
    const X509 *shown = certificate(x);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (shown == NULL || X509_digest(shown, EVP_sha1(), digest, &len) != 1)
        return STR_NONE;
    char *text = arena_alloc(&x->arena, 2 * (size_t)len);
    if (text == NULL)
        return STR_NONE;
    hex_encode(str_of((const char *)digest, len), text);
    return str_of(text, 2 * (size_t)len);
}

static struct str pem_of(struct exchange *x)
{
    X509 *shown = certificate(x);
    BIO *memory = shown != NULL ? BIO_new(BIO_s_mem()) : NULL;
    return take_text(x, memory, memory != NULL && PEM_write_bio_X509(memory, shown) == 1);
}

static struct str ssl_client_raw_cert(struct exchange *x, struct str argument)
{
    return pem_of(x);
}

/* On one line, so that it may stand in a field: a tab for each line's end. That is what is left of nginx's form, whose lines go on
 * behind a tab, when a receiver has joined them (RFC 9112 5.2: folding is not to be sent any more). */
static struct str ssl_client_cert(struct exchange *x, struct str argument)
{
    struct str pem = pem_of(x);
    char *text = (char *)(uintptr_t)pem.data;     /* the arena's, made just now */
    if (str_ends(pem, S("\n")))
        pem.len--;
    for (size_t i = 0; i < pem.len; i++)
        if (text[i] == '\n')
            text[i] = '\t';
    return pem;
}

static struct str ssl_client_escaped_cert(struct exchange *x, struct str argument)
{
    struct str pem = pem_of(x);
    return pem.len != 0 ? uri_encode_component(&x->arena, pem) : STR_NONE;
}

static struct str time_text(struct exchange *x, const ASN1_TIME *time)
{
    BIO *memory = BIO_new(BIO_s_mem());
    return take_text(x, memory, memory != NULL && ASN1_TIME_print(memory, time) == 1);
}

OF_CERTIFICATE(ssl_client_v_start, time_text(x, X509_get0_notBefore(shown)))
OF_CERTIFICATE(ssl_client_v_end, time_text(x, X509_get0_notAfter(shown)))

static struct str ssl_client_v_remain(struct exchange *x, struct str argument)
{
    const X509 *shown = certificate(x);
    int days = 0, seconds = 0;
    if (shown == NULL || ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(shown)) != 1)
        return STR_NONE;
    return arena_printf(&x->arena, "%d", days > 0 ? days : 0);
}

#define KEEPS(function, dotted, words) \
    static const struct variable_type function##_type = {.name = #function, .alias = dotted, .help = words, .get = function}; \
    REGISTER(variable_type, function##_type)

#define OFFERED(function, dotted, words) \
    static const struct variable_type function##_type = { \
        .name = #function, .alias = dotted, .help = words, .get = function, .used = tls_keep_offers}; \
    REGISTER(variable_type, function##_type)

OFFERED(ssl_ciphers, "tls.offered.ciphers", "The cipher suites that the client offered, with ':' between; unknown ones as \"0x1301\".");
OFFERED(ssl_curves, "tls.offered.curves", "The groups for the key exchange that the client offered, in the same form.");
OFFERED(ssl_session_id, "tls.session", "The session's id, in hexadecimal digits.");
KEEPS(ssl_early_data, "tls.earlyData", "\"1\" for a request in early data: nothing, because it is not taken.");
KEEPS(ssl_protocol, "tls.protocol", "The version of TLS: \"TLSv1.3\".");
KEEPS(ssl_cipher, "tls.cipher", "The cipher suite.");
KEEPS(ssl_server_name, "tls.serverName", "The name that the client asked for in its handshake (SNI).");
KEEPS(ssl_session_reused, "tls.resumed", "\"r\" where a session was resumed, else \".\".");
KEEPS(ssl_alpn_protocol, "tls.alpn", "The protocol that the handshake chose: \"h2\" or \"http/1.1\".");
KEEPS(ssl_client_verify, "tls.client.verify", "\"SUCCESS\", \"FAILED:reason\", or \"NONE\" where the client showed no certificate.");
KEEPS(ssl_client_s_dn, "tls.client.subject", "The subject of the client's certificate (RFC 2253).");
KEEPS(ssl_client_i_dn, "tls.client.issuer", "The issuer of the client's certificate (RFC 2253).");
KEEPS(ssl_client_s_dn_legacy, "tls.client.subject.legacy", "The same as \"/C=GB/CN=client\".");
KEEPS(ssl_client_i_dn_legacy, "tls.client.issuer.legacy", "The same of its issuer.");
KEEPS(ssl_curve, "tls.curve", "The group of the key exchange: \"X25519\".");
KEEPS(ssl_client_serial, "tls.client.serial", "The serial number of the client's certificate.");
KEEPS(ssl_client_fingerprint, "tls.client.fingerprint", "The SHA-1 of the client's certificate, in hexadecimal digits.");
KEEPS(ssl_client_cert, "tls.client.certificate", "The client's certificate as PEM on one line, with a tab for each line's end.");
KEEPS(ssl_client_raw_cert, "tls.client.certificate.raw", "The client's certificate as PEM.");
KEEPS(ssl_client_escaped_cert, "tls.client.certificate.escaped", "The client's certificate as PEM, URL-encoded.");
KEEPS(ssl_client_v_start, "tls.client.notBefore", "When the client's certificate begins to be valid.");
KEEPS(ssl_client_v_end, "tls.client.notAfter", "When the client's certificate ends to be valid.");
KEEPS(ssl_client_v_remain, "tls.client.daysLeft", "Days until the client's certificate ends.");
