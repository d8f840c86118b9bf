/* What a PROXY header of version 2 says beside addresses: $proxy_protocol_tlv_alpn, $proxy_protocol_tlv_0xae, $proxy_protocol_tlv_ssl_cn. */
#include "base/hex.h"
#include "exchange/variable.h"
#include "proto/proxyproto/proxyproto.h"

struct tlv_name {
    struct str name;
    unsigned type;
};
static const struct tlv_name names[] = {
    {STR("alpn"), 0x01}, {STR("authority"), 0x02}, {STR("unique_id"), 0x05}, {STR("ssl"), PROXYPROTO_TLV_SSL}, {STR("netns"), 0x30}};
static const struct tlv_name ssl_names[] = {
    {STR("version"), 0x21}, {STR("cn"), 0x22}, {STR("cipher"), 0x23}, {STR("sig_alg"), 0x24}, {STR("key_alg"), 0x25}};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "0xae", with any number of zeros in front. False: it is no number of a type. */
static bool read_number(struct str text, unsigned *ret_type)
{
    unsigned type = 0;
    if (!str_starts(text, S("0x")) || text.len == 2)
        return false;
    for (size_t i = 2; i < text.len; i++) {
        int digit = ascii_hex(text.data[i]);
        if (digit < 0 || type > 0xff)
            return false;
        type = type << 4 | (unsigned)digit;
    }
    *ret_type = type;
    return type <= 0xff;
}

static struct str look_up(struct str tlvs, struct str name, const struct tlv_name *known, size_t count)
{
    unsigned type = 0;
    if (read_number(name, &type))
        return proxyproto_tlv(tlvs, type);
    for (size_t i = 0; i < count; i++)
        if (str_equal(known[i].name, name))
            return proxyproto_tlv(tlvs, known[i].type);
    return STR_NONE;
}

/* What verifying the client's certificate gave there, a number of four bytes. */
static struct str verify_text(struct exchange *x, struct str ssl)
{
    const unsigned char *at = (const unsigned char *)ssl.data;
    return arena_printf(&x->arena, "%u", (unsigned)at[1] << 24 | (unsigned)at[2] << 16 | (unsigned)at[3] << 8 | at[4]);
}

static struct str tlv(struct exchange *x, struct str name)
{
    const struct client_greeting *greeting = x->stream.client->greeting;
    if (greeting == NULL)
        return STR_NONE;
    struct str all = str_of(greeting->tlvs, greeting->tlvs_len);
    if (!str_starts(name, S("ssl_")))
        return look_up(all, name, names, COUNT(names));
    struct str ssl = proxyproto_tlv(all, PROXYPROTO_TLV_SSL);
    if (ssl.data == NULL || ssl.len < PROXYPROTO_SSL_HEAD)
        return STR_NONE;
    name = str_from_index(name, 4);
    if (str_equal(name, S("verify")))
        return verify_text(x, ssl);
    return look_up(str_from_index(ssl, PROXYPROTO_SSL_HEAD), name, ssl_names, COUNT(ssl_names));
}

static const struct variable_type tlv_type = {
    .name = "proxy_protocol_tlv_",
    .alias = "proxyProtocol.tlv.",
    .help = "What a PROXY header of version 2 says: alpn, authority, unique_id, netns, ssl_version, ssl_cn, ssl_verify, ... or a type as \"0xae\".",
    .family = true,
    .get = tlv};
REGISTER(variable_type, tlv_type);
