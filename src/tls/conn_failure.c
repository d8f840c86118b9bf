/* Owns the words for a handshake that failed: what the library noted, in terms of who did what. */
#include "tls/conn_state.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

/* The library's number for an alert that was received is the alert's own and this (ssl.h). */
#define ALERT_RECEIVED SSL_AD_REASON_OFFSET

struct reason {
    int code;
    const char *client, *server;    /* who failed: the peer of a server, the peer of a client */
};

static const struct reason reasons[] = {
    {SSL_R_HTTP_REQUEST, "the client speaks plain HTTP", "the server speaks plain HTTP"},
    {SSL_R_HTTPS_PROXY_REQUEST, "the client speaks plain HTTP", "the server speaks plain HTTP"},
    {SSL_R_WRONG_VERSION_NUMBER, "the client does not speak TLS", "the server does not speak TLS"},
    {SSL_R_BAD_RECORD_TYPE, "the client does not speak TLS", "the server does not speak TLS"},
    {SSL_R_UNEXPECTED_MESSAGE, "the client sent a message out of order", "the server sent a message out of order"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the client speaks no version that is allowed",
     "the server speaks no version that is allowed"},
    {SSL_R_VERSION_TOO_LOW, "the client speaks no version that is allowed", "the server speaks no version that is allowed"},
    {SSL_R_VERSION_TOO_HIGH, "the client speaks no version that is allowed", "the server speaks no version that is allowed"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher suite in common", "no cipher suite in common"},
    {SSL_R_NO_CIPHERS_AVAILABLE, "no cipher suite in common", "no cipher suite in common"},
    {SSL_R_NO_SHARED_GROUPS, "no key exchange group in common", "no key exchange group in common"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, "no key exchange group in common", "no key exchange group in common"},
    {SSL_R_NO_SUITABLE_GROUPS, "no key exchange group in common", "no key exchange group in common"},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, "no signature algorithm in common", "no signature algorithm in common"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "no signature algorithm in common", "no signature algorithm in common"},
    {SSL_R_NO_CERTIFICATE_SET, "there is no certificate to show", "the server has no certificate"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client showed no certificate", "the server showed no certificate"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "no application protocol in common (ALPN)", "no application protocol in common (ALPN)"},
    {SSL_R_LENGTH_MISMATCH, "the client sent a malformed message", "the server sent a malformed message"},
    {SSL_R_BAD_EXTENSION, "the client sent a malformed message", "the server sent a malformed message"},
};

static const char *literal(const struct tls_conn *conn, int code)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].code == code)
            return conn->server ? reasons[i].client : reasons[i].server;
    return NULL;
}

/* "no cipher suite in common", seen from the side that was told of it by an alert. */
static const char *alert_words(int alert)
{
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
        return "handshake failure: nothing in common";
    case SSL_AD_UNKNOWN_CA:
        return "it does not trust the certificate: unknown authority";
    case SSL_AD_CERTIFICATE_EXPIRED:
        return "it does not trust the certificate: expired";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
        return "it does not trust the certificate";
    case SSL_AD_PROTOCOL_VERSION:
        return "no version in common";
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        return "no application protocol in common (ALPN)";
    case SSL_AD_UNRECOGNIZED_NAME:
        return "it does not know the name";
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "it wants a certificate";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

static const char *who(const struct tls_conn *conn)
{
    return conn->server ? "client" : "server";
}

int conn_note_untrusted(int trusted, X509_STORE_CTX *chain)
{
    if (trusted != 0)
        return trusted;
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_conn *conn = conn_of_ssl(ssl);
    struct tls_worker *worker = conn->worker->tls;
    int result = X509_STORE_CTX_get_error(chain);
    X509 *certificate = X509_STORE_CTX_get_current_cert(chain);
    conn->failure = X509_verify_cert_error_string(result);
    if ((result != X509_V_ERR_HOSTNAME_MISMATCH && result != X509_V_ERR_IP_ADDRESS_MISMATCH) || certificate == NULL)
        return trusted;
    char names[160];
    client_list_names(certificate, names, sizeof(names));
    snprintf(worker->failure, sizeof(worker->failure), "%s: the certificate is for %s",
             result == X509_V_ERR_HOSTNAME_MISMATCH ? "hostname mismatch" : "address mismatch", names);
    conn->failure = worker->failure;
    return trusted;
}

/* The verifier's word about the peer's certificate. */
static const char *untrusted(struct tls_conn *conn)
{
    struct tls_worker *worker = conn->worker->tls;
    if (!conn->server && conn->failure != NULL)
        return conn->failure;
    const char *why = X509_verify_cert_error_string(SSL_get_verify_result(conn->ssl));
    if (!conn->server)
        return why;
    snprintf(worker->failure, sizeof(worker->failure), "the client's certificate is not trusted: %s", why);
    return worker->failure;
}

static const char *from_library(struct tls_conn *conn, unsigned long error)
{
    struct tls_worker *worker = conn->worker->tls;
    int code = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    if (code == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return untrusted(conn);
    if (code >= ALERT_RECEIVED) {
        snprintf(worker->failure, sizeof(worker->failure), "the %s refused: %s", who(conn),
                 alert_words(code - ALERT_RECEIVED));
        return worker->failure;
    }
    const char *words = literal(conn, code);
    if (words == NULL)
        words = ERR_reason_error_string(error);
    return words != NULL ? words : "the library gives no reason";
}

enum status conn_note_failure(struct tls_conn *conn)
{
    /* The first error is the cause; those behind it tell what followed from it. */
    unsigned long error = ERR_peek_error();
    bool verified = error == 0 || ERR_GET_LIB(error) != ERR_LIB_SSL ||
                    ERR_GET_REASON(error) != SSL_R_CERTIFICATE_VERIFY_FAILED;
    conn->failed = true;
    if (error != 0)
        conn->failure = from_library(conn, error);
    else if (conn->broken)
        conn->failure = conn->server ? "the client reset the connection" : "the server reset the connection";
    else
        conn->failure = conn->server ? "the client closed the connection" : "the server closed the connection";
    if (conn->server)
        return STATUS_CLIENT_TLS;
    return verified ? STATUS_UPSTREAM_TLS : STATUS_UPSTREAM_UNTRUSTED;
}
