/* What was agreed on a connection, for routing, logs and resumption. */
#include "tls/conn_state.h"

#include <openssl/x509.h>
#include <stdlib.h>

#include "base/memory.h"

struct tls_conn *tls_of(const struct sock *sock)
{
    return sock->layer == &conn_layer ? sock->layer_state : NULL;
}

bool tls_chose_h2(const struct tls_conn *conn)
{
    return conn->h2;
}

bool tls_resumed(const struct tls_conn *conn)
{
    return conn->ssl != NULL ? SSL_session_reused(conn->ssl) == 1 : conn->own->resumed;
}

const char *tls_version_text(const struct tls_conn *conn)
{
    switch (conn->ssl != NULL ? SSL_version(conn->ssl) : TLS1_3_VERSION) {
    case TLS1_VERSION:
        return "1.0";
    case TLS1_1_VERSION:
        return "1.1";
    case TLS1_2_VERSION:
        return "1.2";
    default:
        return "1.3";
    }
}

const char *tls_cipher_text(const struct tls_conn *conn)
{
    if (conn->ssl == NULL)
        return record_suite_name((enum record_suite)conn->own->write.suite);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(conn->ssl);
    const char *name = cipher != NULL ? SSL_CIPHER_standard_name(cipher) : NULL;
    return name != NULL ? name : "";
}

struct str tls_server_name(const struct tls_conn *conn)
{
    if (conn->ssl == NULL)
        return str_of(conn->own->name, conn->own->name_len);
    return str_from(SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name));
}

const struct tls_policy *tls_policy_of(const struct tls_conn *conn)
{
    return conn->policy;
}

struct str tls_policy_name(const struct tls_conn *conn)
{
    return conn->policy != NULL ? conn->policy->name : STR_NONE;
}

X509 *tls_peer_certificate(const struct tls_conn *conn)
{
    return conn->ssl != NULL ? SSL_get0_peer_certificate(conn->ssl) : conn->own->peer;
}

STACK_OF(X509) *tls_peer_chain(const struct tls_conn *conn)
{
    return conn->ssl != NULL ? SSL_get_peer_cert_chain(conn->ssl) : conn->own->chain;
}

static char *print_subject(const X509 *certificate)
{
    char *text = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    if (out == NULL)
        return memory_copy_text("", 0);
    if (X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        char *bytes = NULL;
        long len = BIO_get_mem_data(out, &bytes);
        text = memory_copy_text(bytes, len > 0 ? (size_t)len : 0);
    }
    BIO_free(out);
    return text != NULL ? text : memory_copy_text("", 0);
}

struct str tls_peer_subject(struct tls_conn *conn)
{
    const X509 *certificate = tls_peer_certificate(conn);
    if (certificate == NULL)
        return STR_NONE;
    if (conn->subject == NULL)
        conn->subject = print_subject(certificate);
    return str_from(conn->subject);
}

void tls_on_session(struct tls_conn *conn, void (*on_session)(void *owner, SSL_SESSION *session), void *owner)
{
    conn->on_session = on_session;
    conn->session_owner = owner;
}
