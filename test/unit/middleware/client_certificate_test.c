#include "middleware/client_certificate.h"

#include "test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/base64.h"

/* Of "DC=org, DC=cheese, O=Cheese, O=Cheese 2, OU=..., CN=*.cheese.org, ...", from 1795318445 to 2110678445. */
static const char pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIDSDCCAu+gAwIBAgIIASNFZ4mrze8wCgYIKoZIzj0EAwIwgcsxEzARBgoJkiaJ\n"
    "k/IsZAEZFgNvcmcxFjAUBgoJkiaJk/IsZAEZFgZjaGVlc2UxDzANBgNVBAoMBkNo\n"
    "ZWVzZTERMA8GA1UECgwIQ2hlZXNlIDIxHzAdBgNVBAsMFlNpbXBsZSBTaWduaW5n\n"
    "IFNlY3Rpb24xFTATBgNVBAMMDCouY2hlZXNlLm9yZzELMAkGA1UEBhMCRlIxETAP\n"
    "BgNVBAcMCFRPVUxPVVNFMRMwEQYDVQQIDApTb21lLVN0YXRlMQswCQYDVQQFEwI0\n"
    "MjAeFw0yNjExMjIwMzM0MDVaFw0zNjExMTkwMzM0MDVaMIHLMRMwEQYKCZImiZPy\n"
    "LGQBGRYDb3JnMRYwFAYKCZImiZPyLGQBGRYGY2hlZXNlMQ8wDQYDVQQKDAZDaGVl\n"
    "c2UxETAPBgNVBAoMCENoZWVzZSAyMR8wHQYDVQQLDBZTaW1wbGUgU2lnbmluZyBT\n"
    "ZWN0aW9uMRUwEwYDVQQDDAwqLmNoZWVzZS5vcmcxCzAJBgNVBAYTAkZSMREwDwYD\n"
    "VQQHDAhUT1VMT1VTRTETMBEGA1UECAwKU29tZS1TdGF0ZTELMAkGA1UEBRMCNDIw\n"
    "WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASjEBWZhfqNrncLjAMJr/nS1cewgZO1\n"
    "C3jVTlLgxBibRoklOj6kuhS2YAnmJ+PYhDlVOPl7NIrQ5EQwWxUUzwfho4G6MIG3\n"
    "MB0GA1UdDgQWBBQs4cMCxXaHq/PJTzyYQQ3uENLE7zAfBgNVHSMEGDAWgBQs4cMC\n"
    "xXaHq/PJTzyYQQ3uENLE7zAPBgNVHRMBAf8EBTADAQH/MGQGA1UdEQRdMFuCDCou\n"
    "Y2hlZXNlLm9yZ4cECgABAYEPdGVzdEBjaGVlc2Uub3JnggxiLmNoZWVzZS5vcmeG\n"
    "FGh0dHBzOi8vY2hlZXNlLm9yZy94hxAgAQ24AAAAAAAAAAAAAAABMAoGCCqGSM49\n"
    "BAMCA0cAMEQCIBVimf+tpY6njsuqIJr4V/s4Y7m5oQQso0xoY5yb1HHwAiAMSRA+\n"
    "2t83+8xNRdARrIC+KdzZrqhcOCZfpcfQudeRIw==\n"
    "-----END CERTIFICATE-----\n";

static X509 *read_certificate(void)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

/* A certificate that nobody signed: what is told of it needs no more. */
static X509 *make_certificate(struct str common_name, struct str dns_name)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                                (const unsigned char *)common_name.data, (int)common_name.len, -1, 0), 1);
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    assert_int_equal(ASN1_STRING_set(text, dns_name.data, (int)dns_name.len), 1);
    GENERAL_NAME *alternative = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(alternative, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, alternative);
    assert_int_equal(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
    return certificate;
}

static void assert_told(const struct certificate_info *info, const char *expected)
{
    X509 *certificate = read_certificate();
    struct text text;
    text_init(&text, 1 << 16);
    client_certificate_info(certificate, info, &text);
    assert_string_equal(text_c(&text), expected);
    text_release(&text);
    X509_free(certificate);
}

TEST(the_whole_certificate_is_the_pem_without_its_frame)
{
    X509 *certificate = read_certificate();
    struct text text, expected;
    text_init(&text, 1 << 16);
    text_init(&expected, 1 << 16);
    struct str rest = str_from(pem), line;
    while (str_split(&rest, '\n', &line))
        if (!str_starts(line, S("-----")))
            text_add(&expected, line);
    assert_true(client_certificate_der(certificate, &text));
    assert_string_equal(text_c(&text), text_c(&expected));
    text_release(&text);
    text_release(&expected);
    X509_free(certificate);
}

TEST(a_subject_is_told_in_traefiks_order_with_repeated_values)
{
    struct name_parts all = {.country = true, .province = true, .locality = true, .organization = true,
                             .organizational_unit = true, .common_name = true, .serial_number = true, .domain_component = true};
    assert_told(&(struct certificate_info){.subject = &all},
                "Subject=\"DC=org,DC=cheese,C=FR,ST=Some-State,L=TOULOUSE,O=Cheese,O=Cheese 2,OU=Simple Signing Section,"
                "SN=42,CN=*.cheese.org\"");
}

TEST(all_that_is_asked_for_is_told_in_one_order)
{
    struct name_parts name = {.common_name = true}, country = {.country = true, .organization = true};
    assert_told(&(struct certificate_info){.not_after = true, .not_before = true, .sans = true, .serial_number = true,
                                           .subject = &name, .issuer = &country},
                "Subject=\"CN=*.cheese.org\";Issuer=\"C=FR,O=Cheese,O=Cheese 2\";SerialNumber=\"81985529216486895\";"
                "NB=\"1795318445\";NA=\"2110678445\";"
                "SAN=\"*.cheese.org,b.cheese.org,test@cheese.org,10.0.1.1,2001:db8::1,https://cheese.org/x\"");
}

TEST(a_nul_does_not_end_a_name)
{
    struct name_parts name = {.common_name = true};
    X509 *certificate = make_certificate(S("admin\0.example"), S("a.example\0.b.example"));
    struct text text;
    text_init(&text, 1 << 16);
    client_certificate_info(certificate, &(struct certificate_info){.sans = true, .subject = &name}, &text);
    assert_str_equal(text_str(&text), S("Subject=\"CN=admin\0.example\";SAN=\"a.example\0.b.example\""));
    text_clear(&text);
    client_certificate_escape(S("a\0b"), &text);
    assert_str_equal(text_str(&text), S("a%00b"));
    text_release(&text);
    X509_free(certificate);
}

TEST(what_nobody_asked_for_is_not_told)
{
    struct name_parts none = {.country = false};
    assert_told(&(struct certificate_info){.subject = &none}, "");
}

TEST(what_is_told_is_escaped_as_a_query_component)
{
    struct text text;
    text_init(&text, 1 << 16);
    client_certificate_escape(S("Subject=\"CN=*.a b\";NB=\"1\",x~-_.\xc3\xa9"), &text);
    assert_string_equal(text_c(&text), "Subject%3D%22CN%3D%2A.a+b%22%3BNB%3D%221%22%2Cx~-_.%C3%A9");
    text_release(&text);
}
