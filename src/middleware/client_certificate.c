#include "middleware/client_certificate.h"

#include <openssl/x509v3.h>
#include <time.h>

#include "base/base64.h"
#include "net/addr.h"

#define PIECE ((size_t)3 * 256)      /* whole groups of three, so that pieces of base 64 join */

bool client_certificate_der(const X509 *certificate, struct text *out)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    if (length < 0)
        return false;
    struct str rest = str_of((const char *)der, (size_t)length);
    while (rest.len != 0) {
        char encoded[BASE64_ENCODED_SIZE(PIECE)];
        struct str piece = str_first(rest, PIECE);
        text_add(out, str_of(encoded, base64_encode(BASE64_STANDARD, piece, encoded)));
        rest = str_from_index(rest, piece.len);
    }
    OPENSSL_free(der);
    return true;
}

/* ---- names ---- */

/* Values may hold any byte. A NUL must not end one: "admin" and "admin\0.example" are two names. */
static void add_value(struct text *out, const char *key, const ASN1_STRING *value)
{
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, value);
    if (length > 0) {
        text_addf(out, "%s%s=", out->len != 0 ? "," : "", key);
        text_add(out, str_of((const char *)utf8, (size_t)length));
    }
    if (length >= 0)
        OPENSSL_free(utf8);
}

/* Every value of an attribute in order; `last_only`: of those that a name has once, the last one counts. */
static void add_attribute(struct text *out, const X509_NAME *name, const char *key, int nid, bool last_only)
{
    int last = -1;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
        if (!last_only)
            add_value(out, key, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        last = at;
    }
    if (last_only && last >= 0)
        add_value(out, key, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
}

/* `value` and its label, when there is one; begins the next part. */
static void add_part(struct text *out, const char *label, const struct text *value)
{
    if (value->len == 0)
        return;
    text_addf(out, "%s%s=\"", out->len != 0 ? ";" : "", label);
    text_add(out, text_str(value));
    text_add_char(out, '"');
}

static void add_name(struct text *out, const char *label, const X509_NAME *name, const struct name_parts *parts)
{
    if (parts == NULL)
        return;
    const struct {
        bool wanted;
        const char *key;
        int nid;
        bool last_only;
    } attributes[] = {
        {parts->domain_component, "DC", NID_domainComponent, false},
        {parts->country, "C", NID_countryName, false},
        {parts->province, "ST", NID_stateOrProvinceName, false},
        {parts->locality, "L", NID_localityName, false},
        {parts->organization, "O", NID_organizationName, false},
        {parts->organizational_unit, "OU", NID_organizationalUnitName, false},
        {parts->serial_number, "SN", NID_serialNumber, true},
        {parts->common_name, "CN", NID_commonName, true},
    };
    struct text value;
    text_init(&value, out->max);
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (attributes[i].wanted)
            add_attribute(&value, name, attributes[i].key, attributes[i].nid, attributes[i].last_only);
    add_part(out, label, &value);
    text_release(&value);
}

/* ---- the rest ---- */

static void add_serial(struct text *out, const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *decimal = number != NULL ? BN_bn2dec(number) : NULL;
    if (decimal != NULL)
        text_addf(out, "%sSerialNumber=\"%s\"", out->len != 0 ? ";" : "", decimal);
    OPENSSL_free(decimal);
    BN_free(number);
}

static void add_time(struct text *out, const char *label, const ASN1_TIME *moment)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(moment, &tm) == 1)
        text_addf(out, "%s%s=\"%lld\"", out->len != 0 ? ";" : "", label, (long long)timegm(&tm));
}

static bool read_ip(const ASN1_STRING *value, struct ip *ret_ip)
{
    int length = ASN1_STRING_length(value);
    if (length != 4 && length != 16)
        return false;
    *ret_ip = (struct ip){.bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(ret_ip->bytes + 16 - length, ASN1_STRING_get0_data(value), (size_t)length);
    return true;
}

static void add_alternative(struct text *out, const GENERAL_NAME *name)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    struct str text = str_of((const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    char address[IP_TEXT_SIZE];
    struct ip ip;
    if (type == GEN_IPADD && !read_ip(value, &ip))
        return;
    if (type == GEN_IPADD)
        text = str_of(address, ip_format(&ip, address));
    if (out->len != 0)
        text_add_char(out, ',');
    text_add(out, text);
}

/* DNS names, mail addresses, IP addresses, URIs: in this order, whatever the certificate's. */
static void add_alternatives(struct text *out, const X509 *certificate)
{
    static const int types[] = {GEN_DNS, GEN_EMAIL, GEN_IPADD, GEN_URI};
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct text value;
    text_init(&value, out->max);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        for (int j = 0; j < sk_GENERAL_NAME_num(names); j++)
            if (sk_GENERAL_NAME_value(names, j)->type == types[i])
                add_alternative(&value, sk_GENERAL_NAME_value(names, j));
    add_part(out, "SAN", &value);
    text_release(&value);
    GENERAL_NAMES_free(names);
}

static void add_info(X509 *certificate, const struct certificate_info *info, struct text *out)
{
    add_name(out, "Subject", X509_get_subject_name(certificate), info->subject);
    add_name(out, "Issuer", X509_get_issuer_name(certificate), info->issuer);
    if (info->serial_number)
        add_serial(out, certificate);
    if (info->not_before)
        add_time(out, "NB", X509_get0_notBefore(certificate));
    if (info->not_after)
        add_time(out, "NA", X509_get0_notAfter(certificate));
    if (info->sans)
        add_alternatives(out, certificate);
}

void client_certificate_info(X509 *certificate, const struct certificate_info *info, struct text *out)
{
    struct text line;
    text_init(&line, out->max);
    add_info(certificate, info, &line);
    text_add(out, text_str(&line));
    out->overflow = out->overflow || line.overflow;
    text_release(&line);
}

void client_certificate_escape(struct str s, struct text *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (ascii_alpha((char)c) || ascii_digit((char)c) || c == '-' || c == '_' || c == '.' || c == '~') {
            text_add_char(out, (char)c);
        } else if (c == ' ') {
            text_add_char(out, '+');
        } else {
            text_add_char(out, '%');
            text_add_char(out, digits[c >> 4]);
            text_add_char(out, digits[c & 15]);
        }
    }
}
