#include "acme/chain.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/memory.h"

#define ALTERNATES_MAX 8
#define CERTIFICATES_MAX 16

struct acme_chain {
    struct acme_client *client;
    struct acme_call *call;
    struct arena arena;
    struct str preferred;
    struct str first;                       /* the CA's default chain, once it is there */
    struct str alternates[ALTERNATES_MAX];
    size_t alternate_count, asked;
    acme_on_chain *on_chain;
    void *owner;
};

static struct str issuer_of(const X509 *certificate, struct arena *arena)
{
    const X509_NAME *issuer = X509_get_issuer_name(certificate);
    int at = X509_NAME_get_index_by_NID(issuer, NID_commonName, -1);
    unsigned char *text = NULL;
    int len = at >= 0 ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, at))) : 0;
    struct str name = arena_str(arena, str_of((const char *)text, len > 0 ? (size_t)len : 0));
    OPENSSL_free(text);
    return name;
}

struct str acme_chain_root(struct str pem, struct arena *arena)
{
    BIO *bio = BIO_new_mem_buf(pem.data != NULL ? pem.data : "", (int)pem.len);
    X509 *last = NULL, *certificate;
    assert(bio != NULL);
    for (size_t i = 0; i < CERTIFICATES_MAX && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; i++) {
        X509_free(last);
        last = certificate;
    }
    struct str name = last != NULL ? issuer_of(last, arena) : STR_NONE;
    X509_free(last);
    BIO_free(bio);
    ERR_clear_error();
    return name;
}

static void chain_free(struct acme_chain *chain)
{
    acme_call_cancel(chain->call);
    arena_release(&chain->arena);
    free(chain);
}

static void finish(struct acme_chain *chain, struct str pem, const struct acme_failure *failure)
{
    chain->on_chain(chain->owner, pem, failure);
    chain_free(chain);
}

static void note_alternates(struct acme_chain *chain, const struct strs *links)
{
    for (size_t i = 0; i < links->count && chain->alternate_count < ALTERNATES_MAX; i++) {
        struct str url = acme_link_target(links->items[i], S("alternate"));
        if (url.len != 0)
            chain->alternates[chain->alternate_count++] = arena_str(&chain->arena, url);
    }
}

static void ask(struct acme_chain *chain, struct str url, acme_on_reply *on_reply)
{
    const struct acme_post post = {.url = url, .on_reply = on_reply, .owner = chain};
    chain->call = acme_client_post(chain->client, &post);
}

static bool is_preferred(struct acme_chain *chain, struct str pem)
{
    return chain->preferred.len == 0 || str_equal(acme_chain_root(pem, &chain->arena), chain->preferred);
}

static void on_alternate(void *owner, const struct acme_answer *answer, const struct acme_failure *failure);

static void ask_next(struct acme_chain *chain)
{
    if (chain->asked < chain->alternate_count)
        ask(chain, chain->alternates[chain->asked++], on_alternate);
    else
        finish(chain, chain->first, NULL);
}

/* One that cannot be had is no reason to go without a certificate. */
static void on_alternate(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_chain *chain = owner;
    chain->call = NULL;
    if (answer != NULL && is_preferred(chain, answer->body))
        finish(chain, answer->body, NULL);
    else
        ask_next(chain);
}

static void on_first(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_chain *chain = owner;
    chain->call = NULL;
    if (failure != NULL) {
        finish(chain, STR_NONE, failure);
    } else if (acme_chain_root(answer->body, &chain->arena).data == NULL) {
        finish(chain, STR_NONE,
               acme_failure_new(ACME_CA_FAILED, S("what the CA gave as the certificate is none"), &chain->arena));
    } else if (is_preferred(chain, answer->body)) {
        finish(chain, answer->body, NULL);
    } else {
        chain->first = arena_str(&chain->arena, answer->body);
        note_alternates(chain, &answer->links);
        ask_next(chain);
    }
}

struct acme_chain *acme_chain_fetch(struct acme_client *client, struct str url, struct str preferred, acme_on_chain *on_chain,
                                    void *owner)
{
    struct acme_chain *chain = memory_zalloc(sizeof(*chain));
    chain->client = client;
    chain->on_chain = on_chain;
    chain->owner = owner;
    arena_init(&chain->arena, ARENA_UNLIMITED);
    chain->preferred = arena_str(&chain->arena, preferred);
    ask(chain, url, on_first);
    return chain;
}

void acme_chain_cancel(struct acme_chain *chain)
{
    if (chain != NULL)
        chain_free(chain);
}
