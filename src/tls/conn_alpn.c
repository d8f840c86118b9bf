/* What the library asks a connection while it shakes hands: which protocol, and where a new session goes. */
#include "tls/conn_state.h"

static const unsigned char acme[] = "\012acme-tls/1";

/* A challenge is answered to who asks for nothing else (RFC 8737 3). */
static bool offers_acme_alone(const unsigned char *offered, unsigned offered_len)
{
    return offered_len == sizeof(acme) - 1 && memcmp(offered, acme, offered_len) == 0;
}

int conn_select_protocol(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_len,
                         const unsigned char *offered, unsigned offered_len, void *policy)
{
    const struct tls_policy *of = policy;
    if (conn_of_ssl(ssl)->challenge) {
        if (!offers_acme_alone(offered, offered_len))
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        *ret_protocol = acme + 1;
        *ret_len = acme[0];
        return SSL_TLSEXT_ERR_OK;
    }
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, ret_len, of->alpn, of->alpn_len, offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_protocol = chosen;
    return SSL_TLSEXT_ERR_OK;
}

int conn_take_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_conn *conn = conn_of_ssl(ssl);
    if (conn->on_session == NULL)
        return 0;
    conn->on_session(conn->session_owner, session);
    return 1;
}
