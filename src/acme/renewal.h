/* Renewal information (ARI, RFC 9773): when the CA wants a certificate renewed. */
#ifndef ACME_RENEWAL_H
#define ACME_RENEWAL_H

#include "acme/client.h"

struct acme_renewal {
    int64_t window_start, window_end;   /* Unix seconds */
    int64_t ask_again;                  /* Unix seconds: Retry-After, within a minute and a day from now; six hours without */
    struct str explanation_url;         /* may be empty */
};

/* `renewal` NULL: `failure` says why; both NULL: the CA has no ARI. Valid in the callback alone. */
typedef void acme_on_renewal(void *owner, const struct acme_renewal *renewal, const struct acme_failure *failure);

struct acme_renewal_question;

/* `certificate_id`: certificate_ari_id. Calls back once, never before it returns. */
struct acme_renewal_question *acme_renewal_ask(struct acme_client *client, struct str certificate_id,
                                               acme_on_renewal *on_renewal, void *owner);
/* Without a callback; NULL is allowed. Not from within the callback. */
void acme_renewal_cancel(struct acme_renewal_question *question);

#endif
