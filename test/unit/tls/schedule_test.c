/* Our derivation beside the library's own, asked in the same way. */
#include "tls/schedule.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "test.h"

static struct hkdf hkdf;

struct question {
    const char *hash;
    int mode;
    size_t key, salt, data, size;   /* lengths; 0: left out */
    const char *label;
};

/* The result; 0 when it is refused. */
static size_t ask(const char *whom, const struct question *question, uint8_t *out)
{
    static uint8_t bytes[300];
    int mode = question->mode;
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 11 + question->size);
    OSSL_PARAM params[8], *param = params;
    *param++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    *param++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)question->hash, 0);
    if (question->key != 0)
        *param++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, bytes, question->key);
    if (question->salt != 0)
        *param++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, bytes + 20, question->salt);
    *param++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (char *)(uintptr_t)"tls13 ", 6);
    *param++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (char *)(uintptr_t)question->label, strlen(question->label));
    if (question->data != 0)
        *param++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_DATA, bytes + 40, question->data);
    *param = OSSL_PARAM_construct_end();
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, whom);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    EVP_KDF_free(kdf);
    assert_non_null(context);
    int result = EVP_KDF_derive(context, out, question->size, params);
    EVP_KDF_CTX_free(context);
    return result == 1 ? question->size : 0;
}

static void begin(void)
{
    SSL_CTX_free(schedule_context_new(TLS_server_method())); /* loads the provider */
    assert_true(hkdf_init(&hkdf));
    schedule_client = (struct schedule_client){.hkdf = &hkdf};
}

static void end(void)
{
    schedule_client = (struct schedule_client){0};
    hkdf_release(&hkdf);
}

TEST(schedule_derives_what_the_library_would)
{
    enum { EXTRACT = EVP_KDF_HKDF_MODE_EXTRACT_ONLY, EXPAND = EVP_KDF_HKDF_MODE_EXPAND_ONLY };
    static const struct question questions[] = {
        {"SHA256", EXTRACT, 0, 0, 0, 32, "derived"},      {"SHA2-256", EXTRACT, 32, 32, 0, 32, "derived"},
        {"SHA2-256", EXTRACT, 0, 32, 0, 32, "derived"},   {"SHA256", EXTRACT, 66, 32, 0, 32, "derived"},
        {"SHA256", EXTRACT, 256, 32, 0, 32, "derived"},   {"SHA384", EXTRACT, 0, 0, 0, 48, "derived"},
        {"SHA2-384", EXTRACT, 48, 48, 0, 48, "derived"},  {"SHA2-384", EXTRACT, 0, 48, 0, 48, "derived"},
        {"SHA2-256", EXPAND, 32, 0, 32, 32, "c hs traffic"}, {"SHA256", EXPAND, 32, 0, 0, 12, "iv"},
        {"SHA256", EXPAND, 32, 0, 0, 16, "key"},          {"SHA384", EXPAND, 48, 0, 48, 48, "s ap traffic"},
        {"SHA2-384", EXPAND, 48, 0, 0, 32, "key"},        {"SHA384", EXPAND, 48, 0, 8, 48, "resumption"},
        {"SHA384", EXPAND, 48, 0, 0, 48, "finished"},
    };
    begin();
    for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        uint8_t theirs[64] = {0}, ours[64] = {0};
        assert_int_equal(ask("provider=default", &questions[i], theirs), questions[i].size);
        assert_int_equal(ask("provider=portico", &questions[i], ours), questions[i].size);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
    end();
}

TEST(schedule_refuses_what_a_handshake_does_not_ask)
{
    enum { EXTRACT = EVP_KDF_HKDF_MODE_EXTRACT_ONLY, EXPAND = EVP_KDF_HKDF_MODE_EXPAND_ONLY };
    static const struct question questions[] = {
        {"SHA256", EXPAND, 32, 0, 0, 33, "key"},    {"SHA256", EXPAND, 33, 0, 0, 32, "key"},
        {"SHA512", EXPAND, 32, 0, 0, 32, "key"},    {"SHA256", EXPAND, 32, 0, 256, 32, "key"},
        {"SHA256", EXTRACT, 32, 33, 0, 32, "derived"}, {"SHA256", EXTRACT, 32, 32, 0, 16, "derived"},
        {"SHA256", EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, 32, 0, 0, 32, "key"},
    };
    uint8_t out[64];
    begin();
    for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        assert_int_equal(ask("provider=portico", &questions[i], out), 0);
    end();
}

/* Whom the library picks for others is its own affair: either must do. */
TEST(schedule_serves_a_thread_that_prepared_nothing)
{
    static const struct question question = {"SHA256", EVP_KDF_HKDF_MODE_EXPAND_ONLY, 32, 0, 0, 16, "key"};
    uint8_t ours[64] = {0}, theirs[64] = {0};
    begin();
    end();
    assert_int_equal(ask("provider=portico", &question, ours), 16);
    assert_int_equal(ask(NULL, &question, theirs), 16);
    assert_memory_equal(ours, theirs, sizeof(ours));
}
