/* Owns the directory, the nonces and the calls that are under way. A call goes: directory (unless at hand) -> nonce (unless
 * at hand) -> signed POST -> answer, and with badNonce back to the nonce. Understands no answer but the directory and
 * problem documents. */
#include "acme/client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define DIRECTORY_KEPT (24 * 3600 * TIME_S)
#define NONCES_MAX 16
/* A CA may refuse a nonce at any time (RFC 8555 6.5); refusing each is no CA. */
#define NONCE_TRIES 20

struct acme_client {
    struct loop *loop;
    struct acme_http *http;
    struct acme_key *key;
    struct arena arena;                     /* settings */
    struct str directory_url;
    int64_t timeout, head_timeout;
    struct arena directory_arena;
    struct acme_directory directory;
    int64_t directory_until;                /* monotonic ns; 0: there is none */
    bool directory_read;                    /* there has been one */
    char *nonces[NONCES_MAX];
    size_t nonce_count;
    char *account;                          /* URL, or NULL */
    struct list calls;
};

struct acme_call {
    struct list link;
    struct acme_client *client;
    struct arena arena;
    struct timer start;
    struct acme_http_request *request;      /* the one step that is under way */
    struct acme_post post;
    struct str certificate_id;              /* of a question for renewal information; else empty */
    unsigned tries;
};

/* ---- the client ---- */

struct acme_client *acme_client_new(struct loop *loop, const struct acme_client_settings *settings, struct acme_key *key,
                                    struct arena *arena, struct str *ret_why)
{
    struct acme_http *http = acme_http_new(loop, &settings->trust, arena, ret_why);
    if (http == NULL) {
        acme_key_free(key);
        return NULL;
    }
    struct acme_client *client = memory_zalloc(sizeof(*client));
    client->loop = loop;
    client->http = http;
    client->key = key;
    client->timeout = settings->timeout;
    client->head_timeout = settings->head_timeout;
    arena_init(&client->arena, ARENA_UNLIMITED);
    arena_init(&client->directory_arena, ARENA_UNLIMITED);
    client->directory_url = arena_str(&client->arena, settings->directory_url);
    list_init(&client->calls);
    return client;
}

static void call_free(struct acme_call *call)
{
    list_remove(&call->link);
    timer_cancel(&call->start);
    acme_http_cancel(call->request);
    arena_release(&call->arena);
    free(call);
}

void acme_client_free(struct acme_client *client)
{
    if (client == NULL)
        return;
    LIST_FOREACH(&client->calls, it)
        call_free(container_of(it, struct acme_call, link));
    acme_http_free(client->http);
    acme_key_free(client->key);
    while (client->nonce_count > 0)
        free(client->nonces[--client->nonce_count]);
    free(client->account);
    arena_release(&client->directory_arena);
    arena_release(&client->arena);
    free(client);
}

struct loop *acme_client_loop(const struct acme_client *client)
{
    return client->loop;
}

const struct acme_key *acme_client_key(const struct acme_client *client)
{
    return client->key;
}

struct str acme_client_directory_url(const struct acme_client *client)
{
    return client->directory_url;
}

const struct acme_directory *acme_client_directory(const struct acme_client *client)
{
    return client->directory_read ? &client->directory : NULL;
}

struct str acme_client_account(const struct acme_client *client)
{
    return str_from(client->account);
}

void acme_client_set_account(struct acme_client *client, struct str url)
{
    char *copy = url.len != 0 ? memory_copy_text(url.data, url.len) : NULL;
    free(client->account);
    client->account = copy;
}

/* ---- nonces ---- */

/* base64url (RFC 8555 6.5.1); anything else is left alone. */
static bool is_nonce(struct str nonce)
{
    for (size_t i = 0; i < nonce.len; i++)
        if (!ascii_alpha(nonce.data[i]) && !ascii_digit(nonce.data[i]) && nonce.data[i] != '-' && nonce.data[i] != '_')
            return false;
    return nonce.len != 0 && nonce.len <= 256;
}

/* The newest are the likeliest to be taken: the oldest goes when there are too many. */
static void keep_nonce(struct acme_client *client, struct str nonce)
{
    if (!is_nonce(nonce))
        return;
    if (client->nonce_count == NONCES_MAX) {
        free(client->nonces[0]);
        memmove(client->nonces, client->nonces + 1, (NONCES_MAX - 1) * sizeof(client->nonces[0]));
        client->nonce_count--;
    }
    client->nonces[client->nonce_count++] = memory_copy_text(nonce.data, nonce.len);
}

static void forget_nonces(struct acme_client *client)
{
    while (client->nonce_count > 0)
        free(client->nonces[--client->nonce_count]);
}

/* ---- the end of a call ---- */

static void finish(struct acme_call *call, const struct acme_answer *answer, const struct acme_failure *failure)
{
    /* Over for its client before anyone hears of it; the arena keeps the failure's texts until they were heard. */
    list_remove(&call->link);
    timer_cancel(&call->start);
    call->post.on_reply(call->post.owner, answer, failure);
    call_free(call);
}

static void fail(struct acme_call *call, struct acme_failure *failure)
{
    finish(call, NULL, failure);
}

/* No answer at all: the words are libcurl's, the hint is ours. */
static struct acme_failure *unreachable(struct acme_call *call, const struct acme_answer *answer)
{
    struct str url = call->client->directory_url;
    struct acme_failure *failure = acme_failure_new(
        ACME_UNREACHABLE, arena_printf(&call->arena, "no answer from the CA (%.*s): %s", STR_ARGS(url), answer->error),
        &call->arena);
    if (strstr(answer->error, "expired") != NULL || strstr(answer->error, "not yet valid") != NULL)
        failure->hint = S("the certificate of the CA's own server does not hold now: is this machine's clock right?");
    else if (strstr(answer->error, "certificate") != NULL)
        failure->hint = S("the CA's own server is not trusted: a private CA's root belongs into caCertificates");
    else
        failure->hint = S("can this machine reach the CA, and its name server?");
    return failure;
}

static struct acme_failure *failure_of(struct acme_call *call, const struct acme_answer *answer)
{
    struct acme_problem problem = {0};
    struct acme_failure *failure;
    if (answer->error != NULL)
        return unreachable(call, answer);
    bool explained = acme_read_problem(answer->body, &call->arena, &problem) && problem.detail.len != 0;
    if (!explained)
        problem.detail = arena_printf(&call->arena, "the CA answered with status %d and no explanation", answer->status);
    failure = acme_failure_from_problem(&problem, answer->status, STR_NONE, STR_NONE, &call->arena);
    if (!explained && answer->status < 500 && failure->hint.len == 0)
        failure->hint = S("is caServer the URL of an ACME directory?");
    /* Of the other answers Retry-After says nothing that would hold for the next attempt. */
    if (answer->retry_at != 0 && (answer->status == 429 || answer->status == 503 || failure->trouble == ACME_RATE_LIMITED))
        failure->not_before = answer->retry_at;
    return failure;
}

static bool is_error(struct acme_call *call, const struct acme_answer *answer, const char *type)
{
    struct acme_problem problem;
    return answer->error == NULL && answer->status >= 400 && answer->status < 500 &&
           acme_read_problem(answer->body, &call->arena, &problem) && str_equal(problem.type, str_from(type));
}

/* ---- the steps of a call ---- */

static void go_on(struct acme_call *call);

static void ask(struct acme_call *call, const char *method, struct str url, struct str body,
                void (*on_answer)(void *owner, const struct acme_answer *answer))
{
    const struct acme_http_ask question = {.method = method,
                                           .url = url,
                                           .body = body,
                                           .content_type = S("application/jose+json"),
                                           .timeout = call->client->timeout,
                                           .head_timeout = call->client->head_timeout,
                                           .max_body = ACME_MESSAGE_MAX,
                                           .on_answer = on_answer,
                                           .owner = call};
    assert(call->request == NULL);
    call->request = acme_http_request(call->client->http, &question);
}

static bool succeeded(const struct acme_answer *answer)
{
    return answer->error == NULL && answer->status >= 200 && answer->status < 300;
}

static void on_directory(void *owner, const struct acme_answer *answer)
{
    struct acme_call *call = owner;
    struct acme_client *client = call->client;
    struct acme_directory directory;
    struct arena arena;
    call->request = NULL;
    if (!succeeded(answer)) {
        fail(call, failure_of(call, answer));
        return;
    }
    arena_init(&arena, ARENA_UNLIMITED);
    if (!acme_read_directory(answer->body, &arena, &directory)) {
        arena_release(&arena);
        struct acme_failure *failure = acme_failure_new(
            ACME_CA_FAILED,
            arena_printf(&call->arena, "%.*s is no ACME directory", STR_ARGS(client->directory_url)), &call->arena);
        failure->hint = S("look at caServer: it is the URL of the CA's directory");
        fail(call, failure);
        return;
    }
    arena_release(&client->directory_arena);
    client->directory_arena = arena;
    client->directory = directory;
    client->directory_read = true;
    client->directory_until = client->loop->now + DIRECTORY_KEPT;
    go_on(call);
}

static void on_nonce(void *owner, const struct acme_answer *answer)
{
    struct acme_call *call = owner;
    call->request = NULL;
    if (!succeeded(answer)) {
        fail(call, failure_of(call, answer));
        return;
    }
    keep_nonce(call->client, answer->replay_nonce);
    if (call->client->nonce_count == 0)
        fail(call, acme_failure_new(ACME_CA_FAILED, S("the CA's newNonce gave no nonce"), &call->arena));
    else
        go_on(call);
}

static void on_posted(void *owner, const struct acme_answer *answer)
{
    struct acme_call *call = owner;
    struct acme_client *client = call->client;
    call->request = NULL;
    bool bad_nonce = is_error(call, answer, "urn:ietf:params:acme:error:badNonce");
    if (bad_nonce)
        forget_nonces(client);
    keep_nonce(client, answer->replay_nonce);
    if (bad_nonce && ++call->tries < NONCE_TRIES) {
        go_on(call);
        return;
    }
    if (is_error(call, answer, "urn:ietf:params:acme:error:accountDoesNotExist"))
        acme_client_set_account(client, STR_NONE);
    if (succeeded(answer))
        finish(call, answer, NULL);
    else
        fail(call, failure_of(call, answer));
}

/* An unsigned question's answer. */
static void on_got(void *owner, const struct acme_answer *answer)
{
    struct acme_call *call = owner;
    call->request = NULL;
    if (succeeded(answer))
        finish(call, answer, NULL);
    else
        fail(call, failure_of(call, answer));
}

static struct str target(const struct acme_call *call)
{
    const struct acme_directory *directory = &call->client->directory;
    return call->post.target == ACME_NEW_ACCOUNT ? directory->new_account
           : call->post.target == ACME_NEW_ORDER ? directory->new_order
                                                 : call->post.url;
}

static void post_signed(struct acme_call *call)
{
    struct acme_client *client = call->client;
    struct str url = target(call), payload = STR_NONE;
    struct acme_failure *failure = NULL;
    const struct acme_post *post = &call->post;
    if (post->target != ACME_NEW_ACCOUNT && client->account == NULL) {
        fail(call, acme_failure_new(ACME_ACCOUNT, S("there is no account at the CA yet"), &call->arena));
        return;
    }
    if (post->make_payload != NULL &&
        !post->make_payload(post->owner, &client->directory, url, &call->arena, &payload, &failure)) {
        fail(call, failure);
        return;
    }
    char *nonce = client->nonces[--client->nonce_count];
    struct str kid = post->target == ACME_NEW_ACCOUNT ? STR_NONE : acme_client_account(client);
    struct str body = acme_sign(client->key, kid, str_from(nonce), url, payload, &call->arena);
    free(nonce);
    if (body.len != 0)
        ask(call, "POST", url, body, on_posted);
    else
        fail(call, acme_failure_new(ACME_ACCOUNT, S("the account's key cannot sign"), &call->arena));
}

static void get_renewal(struct acme_call *call)
{
    struct str base = call->client->directory.renewal_info;
    if (base.len == 0) {
        finish(call, NULL, NULL);
        return;
    }
    struct str url = arena_printf(&call->arena, "%.*s%s%.*s", STR_ARGS(base), str_ends(base, S("/")) ? "" : "/",
                                  STR_ARGS(call->certificate_id));
    ask(call, "GET", url, STR_NONE, on_got);
}

/* Takes the next step: what is missing first. Never called by who starts a call, so that nothing is called back too early. */
static void go_on(struct acme_call *call)
{
    struct acme_client *client = call->client;
    if (client->directory_until <= client->loop->now)
        ask(call, "GET", client->directory_url, STR_NONE, on_directory);
    else if (call->certificate_id.len != 0)
        get_renewal(call);
    else if (call->post.target == ACME_DIRECTORY)
        finish(call, NULL, NULL);
    else if (client->nonce_count == 0)
        ask(call, "HEAD", client->directory.new_nonce, STR_NONE, on_nonce);
    else
        post_signed(call);
}

static void on_start(struct timer *timer)
{
    go_on(container_of(timer, struct acme_call, start));
}

static struct acme_call *call_new(struct acme_client *client, const struct acme_post *post, struct str certificate_id)
{
    struct acme_call *call = memory_zalloc(sizeof(*call));
    call->client = client;
    call->post = *post;
    arena_init(&call->arena, ARENA_UNLIMITED);
    call->post.url = arena_str(&call->arena, post->url);
    call->certificate_id = arena_str(&call->arena, certificate_id);
    list_append(&client->calls, &call->link);
    timer_init(&call->start, on_start);
    timer_after(client->loop, &call->start, 0);
    return call;
}

struct acme_call *acme_client_post(struct acme_client *client, const struct acme_post *post)
{
    return call_new(client, post, STR_NONE);
}

struct acme_call *acme_client_get_renewal(struct acme_client *client, struct str certificate_id, acme_on_reply *on_reply,
                                          void *owner)
{
    const struct acme_post post = {.on_reply = on_reply, .owner = owner};
    assert(certificate_id.len != 0);
    return call_new(client, &post, certificate_id);
}

void acme_call_cancel(struct acme_call *call)
{
    if (call != NULL)
        call_free(call);
}
