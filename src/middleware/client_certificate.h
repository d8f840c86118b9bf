/* A client's certificate as text for servers, in the forms that Traefik's users read: its DER in base 64, and a line of
 * what it says. Pure: no exchange, no connection. */
#ifndef MIDDLEWARE_CLIENT_CERTIFICATE_H
#define MIDDLEWARE_CLIENT_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/option.h"
#include "base/text.h"

/* Which parts of a distinguished name are told. */
struct name_parts {
    const struct node *origin;
    bool country, province, locality, organization, organizational_unit, common_name, serial_number, domain_component;
};

struct certificate_info {
    const struct node *origin;
    bool not_after, not_before, sans, serial_number;
    struct name_parts *subject, *issuer;      /* NULL: not told */
};

/* Adds base 64 of the DER, without line ends. False: the library could not. */
bool client_certificate_der(const X509 *certificate, struct text *out);
/* Adds what `info` asks for: Subject="C=DE,CN=a";Issuer="...";SerialNumber="1";NB="0";NA="9";SAN="a,b". What is not there is
 * left out. */
void client_certificate_info(X509 *certificate, const struct certificate_info *info, struct text *out);
/* Adds `s` as a query component: a blank is '+', what is neither letter, digit nor one of "-_.~" is %XX. */
void client_certificate_escape(struct str s, struct text *out);

#endif
