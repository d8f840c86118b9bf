/* What a client offered in its handshake, for logs and headers: written when it is asked for, or, where the library is let go of behind
 * the handshake, before that; but only once somebody has said that it will be asked for. */
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/text.h"
#include "tls/conn_state.h"

#define TEXT_MAX 16384
#define GROUPS_MAX 256
#define SESSION_ID_TEXT ((size_t)2 * SSL_MAX_SSL_SESSION_ID_LENGTH)

static atomic_bool kept;

void tls_keep_offers(void)
{
    atomic_store_explicit(&kept, true, memory_order_relaxed);
}

static struct str take(struct text *text, struct arena *arena)
{
    struct str taken = text->len != 0 ? arena_str(arena, text_str(text)) : S("");
    text_release(text);
    return taken;
}

static struct str write_suites(SSL *ssl, struct arena *arena)
{
    unsigned char *suites = NULL;
    struct text text;
    long size = SSL_get0_raw_cipherlist(ssl, NULL), bytes = SSL_get0_raw_cipherlist(ssl, &suites);
    text_init(&text, TEXT_MAX);
    for (long at = 0; size == 2 && at + size <= bytes && !text.overflow; at += size) {
        const SSL_CIPHER *suite = SSL_CIPHER_find(ssl, suites + at);
        const char *colon = at != 0 ? ":" : "";
        if (suite != NULL)
            text_addf(&text, "%s%s", colon, SSL_CIPHER_get_name(suite));
        else
            text_addf(&text, "%s0x%02x%02x", colon, suites[at], suites[at + 1]);
    }
    return take(&text, arena);
}

static struct str write_groups(SSL *ssl, struct arena *arena)
{
    int groups[GROUPS_MAX];
    struct text text;
    int count = SSL_get1_groups(ssl, NULL);
    if (count <= 0 || count > GROUPS_MAX)
        return S("");
    SSL_get1_groups(ssl, groups);
    text_init(&text, TEXT_MAX);
    for (int i = 0; i < count; i++) {
        const char *colon = i != 0 ? ":" : "";
        if ((groups[i] & TLSEXT_nid_unknown) != 0)
            text_addf(&text, "%s0x%04x", colon, (unsigned)groups[i] & 0xffff);
        else
            text_addf(&text, "%s%s", colon, OBJ_nid2sn(groups[i]));
    }
    return take(&text, arena);
}

static struct str write_session_id(SSL *ssl, struct arena *arena)
{
    unsigned len = 0;
    const SSL_SESSION *session = SSL_get_session(ssl);
    const unsigned char *id = session != NULL ? SSL_SESSION_get_id(session, &len) : NULL;
    char *text = id != NULL && len != 0 ? arena_alloc(arena, SESSION_ID_TEXT) : NULL;
    return text != NULL ? str_of(text, hex_encode(str_of((const char *)id, len), text)) : S("");
}

static struct str keep(char **at, struct str text)
{
    struct str kept_text = str_of(*at, text.len);
    memcpy(*at, text.data, text.len);
    *at += text.len;
    return kept_text;
}

struct tls_offer *conn_keep_offer(SSL *ssl)
{
    struct arena arena;
    if (!atomic_load_explicit(&kept, memory_order_relaxed))
        return NULL;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str suites = write_suites(ssl, &arena), groups = write_groups(ssl, &arena), id = write_session_id(ssl, &arena);
    struct tls_offer *offer = malloc(sizeof(*offer) + suites.len + groups.len + id.len);
    if (offer != NULL) {
        char *at = offer->texts;
        offer->suites = keep(&at, suites);
        offer->groups = keep(&at, groups);
        offer->session_id = keep(&at, id);
    }
    arena_release(&arena);
    return offer;
}

static const struct tls_offer *kept_offer(const struct tls_conn *conn)
{
    static const struct tls_offer nothing;
    return conn->own->offer != NULL ? conn->own->offer : &nothing;
}

struct str tls_offered_suites(const struct tls_conn *conn, struct arena *arena)
{
    return conn->ssl != NULL ? write_suites(conn->ssl, arena) : kept_offer(conn)->suites;
}

struct str tls_offered_groups(const struct tls_conn *conn, struct arena *arena)
{
    return conn->ssl != NULL ? write_groups(conn->ssl, arena) : kept_offer(conn)->groups;
}

struct str tls_session_id(const struct tls_conn *conn, struct arena *arena)
{
    return conn->ssl != NULL ? write_session_id(conn->ssl, arena) : kept_offer(conn)->session_id;
}
