/* What was agreed on a connection, for routing, logs and resumption. */
#include "tls/conn_state.h"

#include <openssl/x509.h>
#include <pthread.h>
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

static const char *version_text(int version)
{
    switch (version) {
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

const char *tls_version_text(const struct tls_conn *conn)
{
    return version_text(conn->ssl != NULL ? SSL_version(conn->ssl) : TLS1_3_VERSION);
}

const char *tls_cipher_text(const struct tls_conn *conn)
{
    if (conn->ssl == NULL)
        return record_suite_name((enum record_suite)conn->own->write.suite);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(conn->ssl);
    const char *name = cipher != NULL ? SSL_CIPHER_standard_name(cipher) : NULL;
    return name != NULL ? name : "";
}

const char *tls_cipher_name(const struct tls_conn *conn)
{
    return conn->ssl != NULL ? SSL_get_cipher_name(conn->ssl) : record_suite_name((enum record_suite)conn->own->write.suite);
}

const char *tls_alpn_text(const struct tls_conn *conn)
{
    return conn->h2 ? "h2" : conn->alpn ? "http/1.1" : "";
}

/* The version's low byte above the cipher's number in the registry of TLS: 0x041301. */
uint32_t tls_agreed(const struct tls_conn *conn)
{
    if (conn->ssl == NULL)
        return (uint32_t)(TLS1_3_VERSION & 0xff) << 16 | record_suite_number((enum record_suite)conn->own->write.suite);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(conn->ssl);
    uint32_t number = cipher != NULL ? SSL_CIPHER_get_protocol_id(cipher) : 0;
    return (uint32_t)(SSL_version(conn->ssl) & 0xff) << 16 | number;
}

const char *tls_agreed_version(uint32_t agreed)
{
    return version_text((int)(TLS1_VERSION & 0xff00) | (int)(agreed >> 16 & 0xff));
}

/* The library finds ciphers by number only on behalf of a connection, so it has one that is never used. */
static pthread_once_t dictionary_once = PTHREAD_ONCE_INIT;
static SSL *dictionary;

static void make_dictionary(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context != NULL)
        dictionary = SSL_new(context);
    SSL_CTX_free(context);
}

const char *tls_agreed_cipher(uint32_t agreed)
{
    unsigned char number[2] = {(unsigned char)(agreed >> 8), (unsigned char)agreed};
    pthread_once(&dictionary_once, make_dictionary);
    const SSL_CIPHER *cipher = dictionary != NULL ? SSL_CIPHER_find(dictionary, number) : NULL;
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

const char *tls_group_text(const struct tls_conn *conn)
{
    int group = conn->ssl != NULL ? (int)SSL_get_negotiated_group(conn->ssl) : conn->own->group;
    const char *name = group > 0 && group < TLSEXT_nid_unknown ? OBJ_nid2sn(group) : NULL;
    return name != NULL ? name : "";
}

long tls_verify_result(const struct tls_conn *conn)
{
    return conn->ssl != NULL ? SSL_get_verify_result(conn->ssl) : conn->own->verify_result;
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
