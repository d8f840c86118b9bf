/* Block by block, each by its label. The library's own readers of keys try one format after the other and would ask the
 * terminal for a pass phrase. */
#include "tls/pem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

void pem_parts_init(struct pem_parts *parts)
{
    *parts = (struct pem_parts){.certificates = sk_X509_new_null()};
}

void pem_parts_release(struct pem_parts *parts)
{
    sk_X509_pop_free(parts->certificates, X509_free);
    EVP_PKEY_free(parts->key);
    *parts = (struct pem_parts){0};
}

/* One with `trust` says what it is trusted for, too. */
static void add_certificate(struct pem_parts *parts, bool trust, const unsigned char *der, long length)
{
    X509 *certificate = trust ? d2i_X509_AUX(NULL, &der, length) : d2i_X509(NULL, &der, length);
    if (certificate == NULL)
        parts->why = "holds a certificate that cannot be read";
    else
        sk_X509_push(parts->certificates, certificate);
}

/* The algorithm that a PKCS #8 key says it is of; EVP_PKEY_NONE: it is no such key. */
static int algorithm_of(const unsigned char *der, long length)
{
    const ASN1_OBJECT *algorithm = NULL;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, length);
    int type = EVP_PKEY_NONE;
    if (info != NULL && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1)
        type = OBJ_obj2nid(algorithm);
    PKCS8_PRIV_KEY_INFO_free(info);
    return type;
}

/* Told what to expect, the library reads a key three times as fast as when it has to find out. */
static EVP_PKEY *read_key(struct str label, const unsigned char *der, long length)
{
    int type = str_starts(label, S("EC ")) ? EVP_PKEY_EC : EVP_PKEY_RSA;
    if (str_equal(label, S("PRIVATE KEY")))
        type = algorithm_of(der, length);
    return type != EVP_PKEY_NONE ? d2i_PrivateKey(type, NULL, &der, length) : NULL;
}

static void add_key(struct pem_parts *parts, struct str label, const unsigned char *der, long length)
{
    EVP_PKEY *key = read_key(label, der, length);
    if (key == NULL)
        parts->why = "holds a private key that cannot be read";
    else if (parts->key == NULL)
        parts->key = key;
    else
        EVP_PKEY_free(key);
}

static void add_block(struct pem_parts *parts, struct str label, struct str header, const unsigned char *der, long length)
{
    if (str_equal(label, S("CERTIFICATE")) || str_equal(label, S("X509 CERTIFICATE")))
        add_certificate(parts, false, der, length);
    else if (str_equal(label, S("TRUSTED CERTIFICATE")))
        add_certificate(parts, true, der, length);
    else if (str_equal(label, S("ENCRYPTED PRIVATE KEY")) || str_find(header, S("ENCRYPTED")) >= 0)
        parts->why = "the key is encrypted: one without a pass phrase is needed";
    else if (str_equal(label, S("PRIVATE KEY")) || str_equal(label, S("EC PRIVATE KEY")) ||
             str_equal(label, S("RSA PRIVATE KEY")))
        add_key(parts, label, der, length);
}

void pem_parts_read(struct pem_parts *parts, struct str text)
{
    char *label, *header;
    unsigned char *der;
    long length;
    BIO *bio = text.len != 0 && text.len < INT_MAX ? BIO_new_mem_buf(text.data, (int)text.len) : NULL;
    ERR_clear_error();
    while (bio != NULL && PEM_read_bio(bio, &label, &header, &der, &length) == 1) {
        add_block(parts, str_from(label), str_from(header), der, length);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)length);
    }
    unsigned long error = ERR_peek_last_error();
    if (bio != NULL && parts->why == NULL && ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
        parts->why = "holds a PEM block that is broken off or damaged";
    ERR_clear_error();
    BIO_free(bio);
}

struct str pem_take_text(BIO *bio, bool good, struct arena *arena)
{
    char *data = NULL;
    long length = bio != NULL ? BIO_get_mem_data(bio, &data) : 0;
    struct str text = good && length > 0 ? arena_str(arena, str_of(data, (size_t)length)) : STR_NONE;
    BIO_free(bio);
    return text;
}

struct str pem_from_key(EVP_PKEY *key, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool good = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    ERR_clear_error();
    return pem_take_text(bio, good, arena);
}

struct str pem_from_certificate(X509 *certificate, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    return pem_take_text(bio, bio != NULL && PEM_write_bio_X509(bio, certificate) == 1, arena);
}

static int give_password(char *buffer, int size, int writes, void *password)
{
    const struct str *text = password;
    if (text->len > (size_t)size)
        return -1;
    memcpy(buffer, text->data, text->len);
    return (int)text->len;
}

static struct str open_key(struct str key_pem, struct str password, struct arena *arena)
{
    BIO *bio = key_pem.len < INT_MAX ? BIO_new_mem_buf(key_pem.data, (int)key_pem.len) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, give_password, &password) : NULL;
    struct str opened = key != NULL ? pem_from_key(key, arena) : STR_NONE;
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return opened;
}

struct str pem_decrypt_key(struct str key_pem, struct str passwords, struct arena *arena)
{
    bool encrypted = str_find(key_pem, S("ENCRYPTED")) >= 0;
    while (encrypted && passwords.len != 0) {
        ptrdiff_t feed = str_find_char(passwords, '\n', 0);
        struct str line = feed >= 0 ? str_first(passwords, (size_t)feed) : passwords;
        passwords = feed >= 0 ? str_from_index(passwords, (size_t)feed + 1) : S("");
        if (str_ends(line, S("\r")))
            line.len--;
        struct str opened = open_key(key_pem, line, arena);
        if (opened.len != 0)
            return opened;
    }
    return key_pem;
}
