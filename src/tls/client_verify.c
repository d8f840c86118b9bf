/* Owns what of a server's certificate is compared by us: the names in it. Chains are the library's. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "tls/conn_state.h"

static bool has_uri(const GENERAL_NAMES *names, struct str wanted)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
        struct str text = str_of((const char *)ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
        if (str_equal(text, wanted))
            return true;
    }
    return false;
}

/* A URI ("spiffe://..."), an address or a DNS name; a subject's common name counts for nothing. */
static bool has_name(X509 *certificate, const GENERAL_NAMES *names, struct str wanted)
{
    char text[256];
    if (str_find(wanted, S("://")) >= 0)
        return has_uri(names, wanted);
    if (wanted.len == 0 || wanted.len >= sizeof(text))
        return false;
    memcpy(text, wanted.data, wanted.len);
    text[wanted.len] = '\0';
    return X509_check_ip_asc(certificate, text, 0) == 1 ||
           X509_check_host(certificate, text, wanted.len, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

bool client_accepts_sans(const struct tls_client *client, X509 *certificate)
{
    const struct strs *wanted = &client->peer_cert_sans;
    if (wanted->count == 0)
        return true;
    if (certificate == NULL)
        return false;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (size_t i = 0; i < wanted->count && !found; i++)
        found = has_name(certificate, names, wanted->items[i]);
    GENERAL_NAMES_free(names);
    return found;
}

static void add_name(char *out, size_t size, size_t *len, const char *name, size_t name_len)
{
    int added = snprintf(out + *len, size - *len, "%s%.*s", *len != 0 ? ", " : "", (int)name_len, name);
    if (added > 0)
        *len = *len + (size_t)added < size ? *len + (size_t)added : size - 1;
}

/* Control bytes of a stranger's certificate do not reach a log. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static bool is_address(const ASN1_OCTET_STRING *bytes)
{
    return ASN1_STRING_length(bytes) == 4 || ASN1_STRING_length(bytes) == 16;
}

void client_list_names(X509 *certificate, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && len + 1 < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            const ASN1_IA5STRING *dns = name->d.dNSName;
            add_name(out, size, &len, (const char *)ASN1_STRING_get0_data(dns), (size_t)ASN1_STRING_length(dns));
        } else if (name->type == GEN_IPADD && is_address(name->d.iPAddress)) {
            char text[INET6_ADDRSTRLEN] = "";
            const ASN1_OCTET_STRING *address = name->d.iPAddress;
            if (inet_ntop(ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
                          sizeof(text)) != NULL)
                add_name(out, size, &len, text, strlen(text));
        }
    }
    GENERAL_NAMES_free(names);
    if (len == 0)
        add_name(out, size, &len, "no name", sizeof("no name") - 1);
    make_printable(out);
}
