/* making -> authorizing -> settling -> finalizing -> issuing -> downloading -> over. What comes next follows from the order's
 * own state at the CA (`advance`), so an order that was taken up again, or whose answer got lost, goes on from wherever it
 * is. Owns the authorizations and what has failed so far. */
#include "acme/order.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "acme/authorization.h"
#include "acme/chain.h"
#include "acme/pace.h"
#include "acme/plan.h"
#include "base/base64.h"
#include "base/memory.h"
#include "net/addr.h"

#define CERTIFICATE_TIMEOUT (30 * TIME_S)
#define FINALIZATIONS_MAX 3

#define STATE_TABLE(X) \
    X(MAKING, "making")              /* newOrder */ \
    X(RESUMING, "resuming")          /* reading one that was made earlier */ \
    X(AUTHORIZING, "authorizing")    /* authorizations are under way */ \
    X(SETTLING, "settling")          /* all names are authorized; waiting until the order is ready */ \
    X(FINALIZING, "finalizing")      /* the request goes to the CA */ \
    X(ISSUING, "issuing")            /* waiting for the certificate */ \
    X(DOWNLOADING, "downloading")

enum state {
#define X(name, text) name,
    STATE_TABLE(X)
#undef X
};

struct acme_order {
    struct acme_client *client;
    struct acme_order_owner functions;
    void *owner;
    struct arena arena;
    struct acme_order_settings settings;
    struct acme_plan plan;
    enum state state;
    bool without_replaces;                  /* the CA says that it was replaced already */
    struct arena order_arena;               /* of the one order at the CA: another type means another order */
    struct str url;
    struct acme_order_message message;
    struct acme_authorization **authorizations;
    size_t authorization_count, open;
    bool all_have_more;                     /* each name that failed has another type left */
    struct acme_failure *failures;          /* of this order's names; in `arena` */
    struct acme_failure *before;            /* of orders with other types before this one */
    unsigned finalizations;
    struct acme_call *call;
    struct acme_chain *chain;
    struct timer timer;
    struct acme_pace pace;
};

static void make(struct acme_order *order);
static void read_order(struct acme_order *order);
static void advance(struct acme_order *order, int64_t retry_at);

const char *acme_order_state(const struct acme_order *order)
{
    static const char *const names[] = {
#define X(name, text) [name] = text,
        STATE_TABLE(X)
#undef X
    };
    return names[order->state];
}

/* ---- the end ---- */

static void drop_authorizations(struct acme_order *order)
{
    for (size_t i = 0; i < order->authorization_count; i++)
        acme_authorization_free(order->authorizations[i]);
    free(order->authorizations);
    order->authorizations = NULL;
    order->authorization_count = order->open = 0;
}

static void order_free(struct acme_order *order)
{
    drop_authorizations(order);
    acme_call_cancel(order->call);
    acme_chain_cancel(order->chain);
    timer_cancel(&order->timer);
    arena_release(&order->order_arena);
    arena_release(&order->arena);
    free(order);
}

void acme_order_cancel(struct acme_order *order)
{
    if (order != NULL)
        order_free(order);
}

static void append(struct acme_failure **list, struct acme_failure *failures)
{
    while (*list != NULL)
        list = &(*list)->more;
    *list = failures;
}

/* The last thing that anyone does with it: it is gone afterwards. Challenges are cleaned up before the owner hears of the
 * end. */
static void finish(struct acme_order *order, struct str chain_pem, const struct acme_failure *failure)
{
    struct acme_failure *all = acme_failure_copy(failure, &order->arena);
    drop_authorizations(order);
    if (all != NULL)
        append(&all, order->before);
    order->functions.on_done(order->owner, chain_pem, all);
    order_free(order);
}

static void fail(struct acme_order *order, enum acme_trouble trouble, const char *detail)
{
    finish(order, STR_NONE, acme_failure_new(trouble, str_from(detail), &order->arena));
}

/* ---- requests ---- */

static void ask(struct acme_order *order, const struct acme_post *post)
{
    assert(order->call == NULL);
    order->call = acme_client_post(order->client, post);
}

static void on_timer(struct timer *timer)
{
    read_order(container_of(timer, struct acme_order, timer));
}

static void ask_again(struct acme_order *order, int64_t not_before)
{
    if (!acme_pace_next(&order->pace, acme_client_loop(order->client), &order->timer, not_before))
        fail(order, ACME_TOO_SLOW, "the CA did not issue the certificate in time");
}

/* A failure that passes is met by looking anew where the order stands. */
static void look_again_or_finish(struct acme_order *order, const struct acme_failure *failure)
{
    if (!acme_failure_passes(failure) ||
        !acme_pace_next(&order->pace, acme_client_loop(order->client), &order->timer, failure->not_before))
        finish(order, STR_NONE, failure);
}

static void start_pace(struct acme_order *order)
{
    int64_t timeout = order->settings.certificate_timeout;
    acme_pace_start(&order->pace, acme_client_loop(order->client), timeout > 0 ? timeout : CERTIFICATE_TIMEOUT);
}

/* ---- authorizing ---- */

static void settle(struct acme_order *order)
{
    struct acme_failure *failures = order->failures;
    drop_authorizations(order);
    if (failures == NULL) {
        order->state = SETTLING;
        start_pace(order);
        read_order(order);
    } else if (order->all_have_more) {
        order->failures = NULL;
        append(&failures, order->before);
        order->before = failures;
        make(order);
    } else {
        finish(order, STR_NONE, failures);
    }
}

static void on_present(void *owner, struct acme_challenge *challenge)
{
    struct acme_order *order = owner;
    order->functions.present(order->owner, challenge);
}

static void on_cleanup(void *owner, struct acme_challenge *challenge)
{
    struct acme_order *order = owner;
    order->functions.cleanup(order->owner, challenge);
}

/* The others go on to their end, so that people hear of all names at once. */
static void on_end(void *owner, const struct acme_authorization_message *message, enum acme_challenge_type type,
                   const struct acme_failure *failure)
{
    struct acme_order *order = owner;
    if (failure != NULL) {
        bool more = message != NULL && acme_plan_failed(&order->plan, message, type, failure);
        order->all_have_more = order->all_have_more && more;
        append(&order->failures, acme_failure_copy(failure, &order->arena));
    }
    if (--order->open == 0)
        settle(order);
}

static void authorize(struct acme_order *order)
{
    static const struct acme_authorization_owner functions = {
        .present = on_present, .cleanup = on_cleanup, .on_end = on_end};
    const struct strs *urls = &order->message.authorizations;
    if (urls->count == 0) {
        fail(order, ACME_CA_FAILED, "the CA's order has no authorizations");
        return;
    }
    order->state = AUTHORIZING;
    order->failures = NULL;
    order->all_have_more = true;
    order->authorizations = memory_alloc(urls->count * sizeof(struct acme_authorization *));
    order->authorization_count = order->open = urls->count;
    for (size_t i = 0; i < urls->count; i++)
        order->authorizations[i] =
            acme_authorization_start(order->client, urls->items[i], &order->plan, &functions, order);
}

/* ---- finalizing and downloading ---- */

static bool finalize_payload(void *owner, const struct acme_directory *directory, struct str url, struct arena *arena,
                             struct str *ret_payload, struct acme_failure **ret_failure)
{
    const struct acme_order *order = owner;
    struct str request = order->settings.request;
    char *encoded = arena_alloc(arena, BASE64_ENCODED_SIZE(request.len));
    struct str text = str_of(encoded, base64_encode(BASE64_URL, request, encoded));
    *ret_payload = arena_printf(arena, "{\"csr\":\"%.*s\"}", STR_ARGS(text));
    return true;
}

/* Keeps what the CA says of the order; false, and the order is over, when that cannot be read. */
static bool keep(struct acme_order *order, struct str json)
{
    struct acme_order_message message;
    if (!acme_read_order(json, &order->order_arena, &message)) {
        fail(order, ACME_CA_FAILED, "the CA's order cannot be read");
        return false;
    }
    order->message = message;
    return true;
}

static void on_finalized(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_order *order = owner;
    order->call = NULL;
    if (failure != NULL && str_equal(failure->type, S("urn:ietf:params:acme:error:orderNotReady")))
        ask_again(order, 0);
    else if (failure != NULL)
        look_again_or_finish(order, failure);
    else if (keep(order, answer->body))
        advance(order, answer->retry_at);
}

static void finalize(struct acme_order *order)
{
    if (order->finalizations++ == FINALIZATIONS_MAX) {
        fail(order, ACME_CA_FAILED, "the CA does not go on with the order");
        return;
    }
    order->state = FINALIZING;
    start_pace(order);
    const struct acme_post post = {
        .url = order->message.finalize, .make_payload = finalize_payload, .on_reply = on_finalized, .owner = order};
    ask(order, &post);
}

static void on_chain(void *owner, struct str pem, const struct acme_failure *failure)
{
    struct acme_order *order = owner;
    order->chain = NULL;
    if (failure != NULL)
        look_again_or_finish(order, failure);
    else
        finish(order, pem, NULL);
}

static void download(struct acme_order *order)
{
    if (order->message.certificate.len == 0) {
        fail(order, ACME_CA_FAILED, "the CA's order is valid but names no certificate");
        return;
    }
    if (order->state != DOWNLOADING)
        start_pace(order);
    order->state = DOWNLOADING;
    order->chain = acme_chain_fetch(order->client, order->message.certificate, order->settings.preferred_chain, on_chain, order);
}

/* ---- where it stands ---- */

static void fail_as_invalid(struct acme_order *order)
{
    const struct acme_problem *error = order->message.error;
    if (error != NULL)
        finish(order, STR_NONE, acme_failure_from_problem(error, error->status, STR_NONE, STR_NONE, &order->arena));
    else
        fail(order, ACME_CA_FAILED, "the CA made the order invalid and did not say why");
}

static void advance(struct acme_order *order, int64_t retry_at)
{
    switch (order->message.state) {
    case ACME_STATE_PENDING:
        if (order->state == MAKING || order->state == RESUMING)
            authorize(order);
        else
            ask_again(order, retry_at);
        return;
    case ACME_STATE_READY:
        finalize(order);
        return;
    case ACME_STATE_PROCESSING:
        if (order->state != ISSUING)
            start_pace(order);
        order->state = ISSUING;
        ask_again(order, retry_at);
        return;
    case ACME_STATE_VALID:
        download(order);
        return;
    case ACME_STATE_INVALID:
        fail_as_invalid(order);
        return;
    case ACME_STATE_UNKNOWN:
    case ACME_STATE_DEACTIVATED:
    case ACME_STATE_EXPIRED:
    case ACME_STATE_REVOKED:
        fail(order, ACME_CA_FAILED, "the CA's order is in a state that orders do not have");
        return;
    }
}

/* One that was made earlier and cannot be gone on with is replaced by a new one. */
static void on_read(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_order *order = owner;
    bool resuming = order->state == RESUMING;
    order->call = NULL;
    if (failure != NULL && resuming && !acme_failure_passes(failure))
        make(order);
    else if (failure != NULL)
        look_again_or_finish(order, failure);
    else if (keep(order, answer->body)) {
        if (resuming && order->message.state == ACME_STATE_INVALID)
            make(order);
        else
            advance(order, answer->retry_at);
    }
}

static void read_order(struct acme_order *order)
{
    const struct acme_post post = {.url = order->url, .on_reply = on_read, .owner = order};
    ask(order, &post);
}

/* ---- making ---- */

static json_t *identifiers(const struct acme_order *order)
{
    json_t *list = json_array();
    for (size_t i = 0; i < order->settings.names.count; i++) {
        struct str name = order->settings.names.items[i];
        struct ip ip;
        json_array_append_new(list, json_pack("{s:s, s:s%}", "type", ip_parse(name, &ip) ? "ip" : "dns", "value", name.data,
                                              name.len));
    }
    return list;
}

static bool has_profile(const struct acme_directory *directory, struct str profile)
{
    for (size_t i = 0; i < directory->profiles.count; i++)
        if (str_equal(directory->profiles.items[i], profile))
            return true;
    return false;
}

static struct acme_failure *no_such_profile(struct str profile, struct arena *arena)
{
    struct acme_failure *failure = acme_failure_new(
        ACME_REFUSED, arena_printf(arena, "the CA has no profile '%.*s'", STR_ARGS(profile)), arena);
    failure->lasting = true;
    failure->hint = S("look at profile; the CA's directory lists what there is");
    return failure;
}

static bool order_payload(void *owner, const struct acme_directory *directory, struct str url, struct arena *arena,
                          struct str *ret_payload, struct acme_failure **ret_failure)
{
    const struct acme_order *order = owner;
    struct str profile = directory->profiles.count != 0 ? order->settings.profile : STR_NONE;
    struct str replaces = order->settings.replaces;
    if (profile.len != 0 && !has_profile(directory, profile)) {
        *ret_failure = no_such_profile(profile, arena);
        return false;
    }
    json_t *payload = json_pack("{s:o}", "identifiers", identifiers(order));
    if (profile.len != 0)
        json_object_set_new(payload, "profile", json_stringn(profile.data, profile.len));
    if (replaces.len != 0 && directory->renewal_info.len != 0 && !order->without_replaces)
        json_object_set_new(payload, "replaces", json_stringn(replaces.data, replaces.len));
    char *text = json_dumps(payload, JSON_COMPACT);
    *ret_payload = arena_str(arena, str_from(text));
    free(text);
    json_decref(payload);
    return true;
}

static void on_made(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_order *order = owner;
    order->call = NULL;
    if (failure != NULL && !order->without_replaces &&
        str_equal(failure->type, S("urn:ietf:params:acme:error:alreadyReplaced"))) {
        order->without_replaces = true;
        make(order);
    } else if (failure != NULL) {
        finish(order, STR_NONE, failure);
    } else if (answer->location.len == 0) {
        fail(order, ACME_CA_FAILED, "the CA's answer does not say where the order is");
    } else if (keep(order, answer->body)) {
        order->url = arena_str(&order->order_arena, answer->location);
        if (order->functions.on_made != NULL)
            order->functions.on_made(order->owner, order->url);
        advance(order, answer->retry_at);
    }
}

static void make(struct acme_order *order)
{
    const struct acme_post post = {
        .target = ACME_NEW_ORDER, .make_payload = order_payload, .on_reply = on_made, .owner = order};
    arena_release(&order->order_arena);
    arena_init(&order->order_arena, ARENA_UNLIMITED);
    order->state = MAKING;
    order->finalizations = 0;
    start_pace(order);
    ask(order, &post);
}

/* ---- life ---- */

static void copy_settings(struct acme_order *order, const struct acme_order_settings *settings)
{
    struct arena *arena = &order->arena;
    struct acme_order_settings *own = &order->settings;
    *own = *settings;
    own->names.items = arena_array(arena, struct str, settings->names.count);
    for (size_t i = 0; i < settings->names.count; i++)
        own->names.items[i] = arena_str(arena, settings->names.items[i]);
    own->request = arena_str(arena, settings->request);
    own->profile = arena_str(arena, settings->profile);
    own->replaces = arena_str(arena, settings->replaces);
    own->preferred_chain = arena_str(arena, settings->preferred_chain);
    own->url = arena_str(arena, settings->url);
}

struct acme_order *acme_order_start(struct acme_client *client, const struct acme_order_settings *settings,
                                    const struct acme_order_owner *functions, void *owner)
{
    struct acme_order *order = memory_zalloc(sizeof(*order));
    assert(settings->type_count <= ACME_CHALLENGE_TYPES && settings->names.count <= ACME_NAMES_MAX);
    order->client = client;
    order->functions = *functions;
    order->owner = owner;
    arena_init(&order->arena, ARENA_UNLIMITED);
    arena_init(&order->order_arena, ARENA_UNLIMITED);
    copy_settings(order, settings);
    acme_plan_init(&order->plan, &order->settings.names, settings->types, settings->type_count, &order->arena);
    timer_init(&order->timer, on_timer);
    if (settings->url.len == 0) {
        make(order);
    } else {
        order->url = order->settings.url;
        order->state = RESUMING;
        start_pace(order);
        read_order(order);
    }
    return order;
}
