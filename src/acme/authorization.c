/* reading -> presenting -> telling -> waiting -> ended. A request that fails in a way that passes is made again after a
 * while; the verdict is the authorization's own state, whatever the challenge says. */
#include "acme/authorization.h"

#include <assert.h>
#include <stdlib.h>

#include "acme/pace.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/addr.h"

/* For reading it, and again from telling the CA to its verdict. Public CAs take seconds; their retries may take minutes. */
#define PATIENCE (300 * TIME_S)

enum phase { READING, PRESENTING, TELLING, WAITING, ENDED };

struct acme_authorization {
    struct acme_client *client;
    const struct acme_plan *plan;
    struct acme_authorization_owner functions;
    void *owner;
    struct arena arena;
    struct arena message_arena;             /* of the message alone: each poll brings a new one */
    struct str url;
    enum phase phase;
    struct acme_authorization_message message;
    bool message_read;
    bool chosen;                            /* `challenge` is one, and is to be cleaned up */
    enum acme_challenge_type tried;         /* ACME_CHALLENGE_TYPES: none */
    bool told_before;                       /* the CA is at it already: an order that was taken up again */
    struct acme_challenge challenge;
    struct str challenge_url;
    struct acme_failure *not_shown;
    struct acme_call *call;
    struct timer timer;
    struct acme_pace pace;
};

static void read_it(struct acme_authorization *it);

/* ---- the end ---- */

static void cleanup(struct acme_authorization *it)
{
    if (!it->chosen)
        return;
    it->chosen = false;
    it->functions.cleanup(it->owner, &it->challenge);
}

void acme_authorization_free(struct acme_authorization *authorization)
{
    if (authorization == NULL)
        return;
    cleanup(authorization);
    acme_call_cancel(authorization->call);
    timer_cancel(&authorization->timer);
    arena_release(&authorization->message_arena);
    arena_release(&authorization->arena);
    free(authorization);
}

/* The last thing that anyone does with it: it may be gone afterwards. */
static void end(struct acme_authorization *it, const struct acme_failure *failure)
{
    it->phase = ENDED;
    timer_cancel(&it->timer);
    cleanup(it);
    it->functions.on_end(it->owner, it->message_read ? &it->message : NULL, it->tried, failure);
}

static struct str whole_name(struct acme_authorization *it)
{
    return it->message.wildcard ? arena_concat(&it->arena, S("*."), it->message.name)
                                : arena_str(&it->arena, it->message.name);
}

static void fail(struct acme_authorization *it, enum acme_trouble trouble, struct str detail)
{
    struct acme_failure *failure = acme_failure_new(trouble, detail, &it->arena);
    if (it->message_read)
        failure->name = whole_name(it);
    if (it->chosen)
        failure->challenge = str_from(acme_challenge_name(it->challenge.type));
    end(it, failure);
}

/* The CA's reasons stand in the challenge that it tried, which after a restart need not be the one that we would choose. */
static void fail_as_invalid(struct acme_authorization *it)
{
    const struct acme_authorization_message *message = &it->message;
    const struct acme_challenge_message *tried = it->chosen ? &message->challenges[it->challenge.type] : NULL;
    for (size_t i = 0; (tried == NULL || tried->error == NULL) && i < ACME_CHALLENGE_TYPES; i++)
        if (message->challenges[i].error != NULL)
            tried = &message->challenges[i];
    if (tried == NULL || tried->error == NULL) {
        fail(it, ACME_CHALLENGE_FAILED, S("the CA says that the authorization is not valid (any more), but not why"));
        return;
    }
    it->tried = tried->type;
    struct acme_failure *failure = acme_failure_from_problem(
        tried->error, tried->error->status, str_from(acme_challenge_name(tried->type)), whole_name(it), &it->arena);
    end(it, failure);
}

/* ---- asking again ---- */

static void on_timer(struct timer *timer);

static void ask_again(struct acme_authorization *it, int64_t not_before)
{
    if (!acme_pace_next(&it->pace, acme_client_loop(it->client), &it->timer, not_before))
        fail(it, ACME_TOO_SLOW, S("the CA did not come to a verdict in time"));
}

/* True: the request is made again later, or the authorization has ended. */
static bool dealt_with(struct acme_authorization *it, const struct acme_failure *failure)
{
    it->call = NULL;
    if (failure == NULL)
        return false;
    if (!acme_failure_passes(failure) ||
        !acme_pace_next(&it->pace, acme_client_loop(it->client), &it->timer, failure->not_before))
        end(it, failure);
    return true;
}

/* ---- telling ---- */

static bool empty_object(void *owner, const struct acme_directory *directory, struct str url, struct arena *arena,
                         struct str *ret_payload, struct acme_failure **ret_failure)
{
    *ret_payload = S("{}");
    return true;
}

static void on_told(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_authorization *it = owner;
    if (dealt_with(it, failure))
        return;
    it->phase = WAITING;
    ask_again(it, answer->retry_at);
}

static void tell(struct acme_authorization *it)
{
    const struct acme_post post = {
        .url = it->challenge_url, .make_payload = empty_object, .on_reply = on_told, .owner = it};
    it->call = acme_client_post(it->client, &post);
}

/* ---- presenting ---- */

/* RFC 8738 6: SNI holds no addresses, so their names for reverse look-ups stand there (RFC 1035 3.5, RFC 3596 2.5). */
static struct str reverse_name(struct str address, struct arena *arena)
{
    struct ip ip;
    struct text name;
    if (!ip_parse(address, &ip))
        return address;
    text_init(&name, 256);
    for (int i = 15; i >= (ip_is_v4(&ip) ? 12 : 0); i--)
        if (ip_is_v4(&ip))
            text_addf(&name, "%d.", ip.bytes[i]);
        else
            text_addf(&name, "%x.%x.", ip.bytes[i] & 15, ip.bytes[i] >> 4);
    text_add(&name, ip_is_v4(&ip) ? S("in-addr.arpa") : S("ip6.arpa"));
    struct str copy = arena_str(arena, text_str(&name));
    text_release(&name);
    return copy;
}

static void choose(struct acme_authorization *it, enum acme_challenge_type type)
{
    const struct acme_authorization_message *message = &it->message;
    const struct acme_challenge_message *offer = &message->challenges[type];
    struct acme_challenge *challenge = &it->challenge;
    struct arena *arena = &it->arena;
    it->chosen = true;
    it->tried = type;
    it->told_before = offer->state == ACME_STATE_PROCESSING;
    it->challenge_url = arena_str(arena, offer->url);
    challenge->type = type;
    challenge->name = arena_str(arena, message->name);
    challenge->wildcard = message->wildcard;
    challenge->address = message->address;
    challenge->server_name = message->address ? reverse_name(challenge->name, arena) : challenge->name;
    challenge->token = arena_str(arena, offer->token);
    challenge->key_authorization = acme_key_authorization(acme_client_key(it->client), challenge->token, arena);
    acme_digest(challenge->key_authorization, challenge->digest);
    challenge->dns_name = arena_printf(arena, "_acme-challenge.%.*s.", STR_ARGS(challenge->name));
    challenge->dns_value = acme_dns_value(challenge->key_authorization, arena);
}

static void present(struct acme_authorization *it)
{
    enum acme_challenge_type type;
    if (!acme_plan_choose(it->plan, &it->message, &type)) {
        const char *why = it->message.wildcard ? "a wildcard name needs DNS-01, which is not configured or not offered"
                                               : "the CA offers no challenge that is configured";
        fail(it, ACME_NO_CHALLENGE, str_from(why));
        return;
    }
    choose(it, type);
    it->phase = PRESENTING;
    it->functions.present(it->owner, &it->challenge);
}

void acme_challenge_presented(struct acme_challenge *challenge, bool shown, struct str why)
{
    struct acme_authorization *it = container_of(challenge, struct acme_authorization, challenge);
    if (it->phase != PRESENTING)
        return;
    if (!shown) {
        it->not_shown = acme_failure_new(ACME_PRESENT_FAILED, why, &it->arena);
        it->not_shown->name = whole_name(it);
        it->not_shown->challenge = str_from(acme_challenge_name(challenge->type));
    }
    it->phase = it->told_before ? WAITING : TELLING;
    acme_pace_start(&it->pace, acme_client_loop(it->client), PATIENCE);
    /* The owner is not called from within its own call. */
    timer_after(acme_client_loop(it->client), &it->timer, 0);
}

/* ---- reading ---- */

static void judge(struct acme_authorization *it, int64_t retry_at)
{
    switch (it->message.state) {
    case ACME_STATE_VALID:
        end(it, NULL);
        return;
    case ACME_STATE_PENDING:
    case ACME_STATE_PROCESSING:
        if (it->phase == READING)
            present(it);
        else
            ask_again(it, retry_at);
        return;
    case ACME_STATE_UNKNOWN:
    case ACME_STATE_READY:
    case ACME_STATE_INVALID:
    case ACME_STATE_DEACTIVATED:
    case ACME_STATE_EXPIRED:
    case ACME_STATE_REVOKED:
        fail_as_invalid(it);
        return;
    }
}

static void on_read(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_authorization *it = owner;
    struct acme_authorization_message message;
    struct arena arena;
    if (dealt_with(it, failure))
        return;
    arena_init(&arena, ARENA_UNLIMITED);
    if (!acme_read_authorization(answer->body, &arena, &message)) {
        arena_release(&arena);
        fail(it, ACME_CA_FAILED, S("the CA's authorization cannot be read"));
        return;
    }
    arena_release(&it->message_arena);
    it->message_arena = arena;
    it->message = message;
    it->message_read = true;
    judge(it, answer->retry_at);
}

static void read_it(struct acme_authorization *it)
{
    const struct acme_post post = {.url = it->url, .on_reply = on_read, .owner = it};
    it->call = acme_client_post(it->client, &post);
}

static void on_timer(struct timer *timer)
{
    struct acme_authorization *it = container_of(timer, struct acme_authorization, timer);
    if (it->not_shown != NULL)
        end(it, it->not_shown);
    else if (it->phase == TELLING)
        tell(it);
    else
        read_it(it);
}

struct acme_authorization *acme_authorization_start(struct acme_client *client, struct str url, const struct acme_plan *plan,
                                                    const struct acme_authorization_owner *functions, void *owner)
{
    struct acme_authorization *it = memory_zalloc(sizeof(*it));
    it->client = client;
    it->plan = plan;
    it->functions = *functions;
    it->owner = owner;
    it->tried = ACME_CHALLENGE_TYPES;
    arena_init(&it->arena, ARENA_UNLIMITED);
    arena_init(&it->message_arena, ARENA_UNLIMITED);
    it->url = arena_str(&it->arena, url);
    timer_init(&it->timer, on_timer);
    acme_pace_start(&it->pace, acme_client_loop(client), PATIENCE);
    read_it(it);
    return it;
}
