/* Finds or makes the account of a client's key at its CA (RFC 8555 7.3). */
#ifndef ACME_ACCOUNT_H
#define ACME_ACCOUNT_H

#include "acme/client.h"

struct acme_account_settings {
    struct strs emails;                 /* contacts */
    struct str eab_kid, eab_hmac;       /* external account binding; empty: none */
};

struct acme_account;

/* `url` is the account's (the client knows it too from then on). A failure: ACME_ACCOUNT with what the CA said, or that the
 * CA requires an external account binding; else what stood in the way. */
typedef void acme_on_account(void *owner, struct str url, const struct acme_failure *failure);

/* Asks newAccount, which gives the account that the key has already, if any; asking again does no harm. Settings are copied.
 * Calls back once, never before it returns; then it is over and gone. */
struct acme_account *acme_account_open(struct acme_client *client, const struct acme_account_settings *settings,
                                       acme_on_account *on_account, void *owner);
/* Without a callback; NULL is allowed. Not from within the callback. */
void acme_account_cancel(struct acme_account *account);

#endif
