#include "acme/account.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/memory.h"

struct acme_account {
    struct acme_client *client;
    struct acme_call *call;
    struct arena arena;                     /* settings, and what is found out */
    struct acme_account_settings settings;
    acme_on_account *on_account;
    void *owner;
};

static void account_free(struct acme_account *account)
{
    acme_call_cancel(account->call);
    arena_release(&account->arena);
    free(account);
}

static void finish(struct acme_account *account, struct str url, const struct acme_failure *failure)
{
    account->on_account(account->owner, url, failure);
    account_free(account);
}

/* ---- the question ---- */

static void add_contacts(const struct acme_account *account, json_t *payload, struct arena *arena)
{
    if (account->settings.emails.count == 0)
        return;
    json_t *contacts = json_array();
    for (size_t i = 0; i < account->settings.emails.count; i++) {
        struct str contact = arena_printf(arena, "mailto:%.*s", STR_ARGS(account->settings.emails.items[i]));
        json_array_append_new(contacts, json_stringn(contact.data, contact.len));
    }
    json_object_set_new(payload, "contact", contacts);
}

static bool add_binding(const struct acme_account *account, json_t *payload, struct str url, struct arena *arena,
                        struct acme_failure **ret_failure)
{
    const struct acme_account_settings *settings = &account->settings;
    struct str binding = acme_sign_binding(acme_client_key(account->client), settings->eab_kid, settings->eab_hmac, url, arena);
    if (binding.len == 0) {
        *ret_failure = acme_failure_new(ACME_ACCOUNT, S("eab.hmacEncoded cannot be used as a key"), arena);
        (*ret_failure)->lasting = true;
        (*ret_failure)->hint = S("it is the CA's HMAC key in base64url, at least 32 bytes of it");
        return false;
    }
    json_object_set_new(payload, "externalAccountBinding", json_loadb(binding.data, binding.len, 0, NULL));
    return true;
}

static bool make_payload(void *owner, const struct acme_directory *directory, struct str url, struct arena *arena,
                         struct str *ret_payload, struct acme_failure **ret_failure)
{
    struct acme_account *account = owner;
    if (directory->external_account_required && account->settings.eab_kid.len == 0) {
        *ret_failure = acme_failure_new(ACME_ACCOUNT, S("the CA requires an external account binding"), arena);
        (*ret_failure)->lasting = true;
        (*ret_failure)->hint = S("set eab.kid and eab.hmacEncoded to what the CA gave you");
        return false;
    }
    json_t *payload = json_pack("{s:b}", "termsOfServiceAgreed", 1);
    add_contacts(account, payload, arena);
    bool made = account->settings.eab_kid.len == 0 || add_binding(account, payload, url, arena, ret_failure);
    char *text = made ? json_dumps(payload, JSON_COMPACT) : NULL;
    *ret_payload = arena_str(arena, str_from(text));
    free(text);
    json_decref(payload);
    return made;
}

/* ---- the answer ---- */

static struct acme_failure *refusal(struct acme_account *account, const char *detail, bool lasting)
{
    struct acme_failure *failure =
        acme_failure_new(lasting ? ACME_ACCOUNT : ACME_CA_FAILED, str_from(detail), &account->arena);
    failure->lasting = lasting;
    if (lasting)
        failure->hint = S("set 'Account' to null in the storage, and a new one is made");
    return failure;
}

/* With a binding, what is not authorized is rather the binding than the key. */
static const struct acme_failure *explain(struct acme_account *account, const struct acme_failure *failure)
{
    if (account->settings.eab_kid.len == 0 || !str_equal(failure->type, S("urn:ietf:params:acme:error:unauthorized")))
        return failure;
    struct acme_failure *copy = acme_failure_copy(failure, &account->arena);
    copy->hint = S("are eab.kid and eab.hmacEncoded what the CA gave you, and not used up?");
    return copy;
}

static void on_reply(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_account *account = owner;
    struct acme_account_message message;
    account->call = NULL;
    if (failure != NULL)
        finish(account, STR_NONE, explain(account, failure));
    else if (!acme_read_account(answer->body, &message) || answer->location.len == 0)
        finish(account, STR_NONE, refusal(account, "the CA's answer describes no account", false));
    else if (message.state != ACME_STATE_VALID)
        finish(account, STR_NONE, refusal(account, "the account was deactivated or revoked", true));
    else {
        acme_client_set_account(account->client, answer->location);
        finish(account, answer->location, NULL);
    }
}

static struct strs copy_strs(const struct strs *from, struct arena *arena)
{
    struct strs to = {.items = arena_array(arena, struct str, from->count), .count = from->count};
    for (size_t i = 0; i < from->count; i++)
        to.items[i] = arena_str(arena, from->items[i]);
    return to;
}

struct acme_account *acme_account_open(struct acme_client *client, const struct acme_account_settings *settings,
                                       acme_on_account *on_account, void *owner)
{
    struct acme_account *account = memory_zalloc(sizeof(*account));
    account->client = client;
    account->on_account = on_account;
    account->owner = owner;
    arena_init(&account->arena, ARENA_UNLIMITED);
    account->settings.emails = copy_strs(&settings->emails, &account->arena);
    account->settings.eab_kid = arena_str(&account->arena, settings->eab_kid);
    account->settings.eab_hmac = arena_str(&account->arena, settings->eab_hmac);
    const struct acme_post post = {
        .target = ACME_NEW_ACCOUNT, .make_payload = make_payload, .on_reply = on_reply, .owner = account};
    account->call = acme_client_post(client, &post);
    return account;
}

void acme_account_cancel(struct acme_account *account)
{
    if (account != NULL)
        account_free(account);
}
