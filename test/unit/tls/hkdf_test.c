#include "tls/hkdf.h"

#include "base/hex.h"
#include "test.h"

static struct hkdf hkdf;

static struct str bytes_of(const char *hex, uint8_t *out)
{
    assert_true(hex_decode(str_from(hex), out));
    return str_of((char *)out, strlen(hex) / 2);
}

static void expect(const uint8_t *got, const char *hex)
{
    uint8_t wanted[HKDF_BYTES_MAX];
    assert_memory_equal(got, wanted, bytes_of(hex, wanted).len);
}

/* RFC 8448 3. */
TEST(hkdf_makes_the_secrets_that_the_rfc_shows)
{
    uint8_t early[32], handshake[32], master[32], client[32], shared[32], hash[32], key[16];
    assert_true(hkdf_init(&hkdf));
    assert_true(hkdf_next_stage(&hkdf, HKDF_SHA256, STR_NONE, STR_NONE, early));
    expect(early, "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
    struct str secret = bytes_of("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d", shared);
    assert_true(hkdf_next_stage(&hkdf, HKDF_SHA256, str_of((char *)early, 32), secret, handshake));
    expect(handshake, "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
    struct str context = bytes_of("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8", hash);
    assert_true(hkdf_expand_label(&hkdf, HKDF_SHA256, str_of((char *)handshake, 32), S("c hs traffic"), context, client, 32));
    expect(client, "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
    assert_true(hkdf_expand_label(&hkdf, HKDF_SHA256, str_of((char *)client, 32), S("key"), STR_NONE, key, 16));
    expect(key, "dbfaa693d1762c5b666af5d950258d01");
    assert_true(hkdf_next_stage(&hkdf, HKDF_SHA256, str_of((char *)handshake, 32), STR_NONE, master));
    expect(master, "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919");
    hkdf_release(&hkdf);
}
