/* An authority: its client and its account, made when an order needs them. The storage's lock is held by whoever prepares. */
#include "acme/account.h"
#include "acme/managed.h"
#include "base/log.h"
#include "base/rand.h"

struct str authority_directory(const struct resolver *resolver, enum account_rank rank)
{
    if (rank == ACCOUNT_FIRST)
        return resolver->config->ca_server;
    return resolver->config->fallback != NULL ? resolver->config->fallback->ca_server : STR_NONE;
}

static const struct acme_eab *eab_of(const struct resolver *resolver, enum account_rank rank)
{
    return rank == ACCOUNT_FIRST ? resolver->config->eab : resolver->config->fallback->eab;
}

/* ---- failures ---- */

void authority_failed(struct resolver *resolver, enum account_rank rank, const struct acme_failure *failure)
{
    struct authority *authority = &resolver->authorities[rank];
    struct arena arena;
    bool unreachable = failure->trouble == ACME_UNREACHABLE || failure->trouble == ACME_CA_FAILED;
    int64_t now = manager.loop->wall;
    int64_t not_before = failure->not_before < INT64_MAX / TIME_S ? failure->not_before * TIME_S : 0;
    arena_init(&arena, ARENA_UNLIMITED);
    backoff_fail(&authority->backoff, unreachable ? BACKOFF_UNREACHABLE : BACKOFF_REFUSED, now, not_before, rand_u64());
    authority->ready = authority->ready && unreachable;
    log_warn("acme: resolver '%s' cannot use the CA %.*s: %.*s; tried again in %d s", resolver->name.data,
             STR_ARGS(authority_directory(resolver, rank)), STR_ARGS(acme_failure_text(failure, &arena)),
             (int)((authority->backoff.until - now) / TIME_S));
    arena_release(&arena);
}

/* The set waits for the CA: what people are shown of it is what stands in the way. */
static void tell_all(struct resolver *resolver, enum account_rank rank, const struct acme_failure *failure)
{
    struct arena arena;
    struct acme_failure bare = *failure;
    arena_init(&arena, ARENA_UNLIMITED);
    bare.hint = STR_NONE;
    const char *text = arena_str(&arena, acme_failure_text(&bare, &arena)).data;
    const char *hint = arena_str(&arena, failure->hint).data;
    LIST_FOREACH(&resolver->managed, it) {
        struct managed *managed = container_of(it, struct managed, link);
        if (managed->holds_lock && managed->rank == rank && managed->order == NULL)
            managed_failed(managed, text, hint);
    }
    arena_release(&arena);
}

static void fail_ourselves(struct authority *authority, struct str why)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_failure *failure = acme_failure_new(ACME_UNREACHABLE, why, &arena);
    authority_failed(authority->resolver, authority->rank, failure);
    tell_all(authority->resolver, authority->rank, failure);
    arena_release(&arena);
}

/* ---- the client ---- */

static void set_client(struct resolver *resolver, enum account_rank rank, struct acme_key *key)
{
    const struct acme_config *config = resolver->config;
    struct acme_client_settings settings = {
        .directory_url = authority_directory(resolver, rank),
        .trust = {.ca_certificates = config->ca_certificates, .system_pool = config->ca_system_cert_pool,
                  .server_name = config->ca_server_name},
        .timeout = config->client_timeout,
        .head_timeout = config->client_response_header_timeout,
    };
    struct arena arena;
    struct str why = STR_NONE;
    arena_init(&arena, ARENA_UNLIMITED);
    resolver->authorities[rank].client = acme_client_new(manager.loop, &settings, key, &arena, &why);
    if (resolver->authorities[rank].client == NULL)
        fail_ourselves(&resolver->authorities[rank], why);
    arena_release(&arena);
}

bool authority_has_client(struct resolver *resolver, enum account_rank rank)
{
    struct authority *authority = &resolver->authorities[rank];
    if (authority->client != NULL || str_empty(authority_directory(resolver, rank)))
        return authority->client != NULL;
    struct state_account *account = storage_state(resolver->storage)->accounts[rank];
    struct acme_key *key = account != NULL && !str_empty(account->key) ? acme_key_from_der(account->key) : NULL;
    if (key == NULL || !backoff_is_over(&authority->backoff, manager.loop->wall)) {
        acme_key_free(key);
        return false;
    }
    set_client(resolver, rank, key);
    return authority->client != NULL;
}

/* ---- a new key ---- */

static void *make_account_key(int kind)
{
    return acme_key_new((enum acme_key_kind)kind);
}

static void discard_key(void *key)
{
    acme_key_free(key);
}

static void store_key(struct resolver *resolver, enum account_rank rank, const struct acme_key *key)
{
    struct state_account *account = state_account_new(storage_state(resolver->storage), rank);
    account->email = arena_str(&account->arena, resolver->config->email);
    account->key = acme_key_der(key, &account->arena);
    account->key_type = acme_key_kind(key) == ACME_KEY_RS256 ? S("4096") : S("P256");
    account->unsaved = true;
}

static void on_key(void *owner, void *result)
{
    struct authority *authority = owner;
    authority->key_errand = NULL;
    if (result != NULL) {
        store_key(authority->resolver, authority->rank, result);
        set_client(authority->resolver, authority->rank, result);
    } else {
        fail_ourselves(authority, S("a key for the account cannot be made"));
    }
    manage_wake();
}

/* Traefik reads RSA keys alone; a directory is ours. */
static void find_key(struct resolver *resolver, enum account_rank rank)
{
    bool rsa = !storage_is_directory(resolver->storage);
    struct authority *authority = &resolver->authorities[rank];
    struct errand_call call = {.work = make_account_key, .argument = rsa ? ACME_KEY_RS256 : ACME_KEY_ES256, .on_done = on_key,
                               .discard = discard_key, .owner = authority};
    if (rsa)
        authority->key_errand = errand_run(manager.loop, &call);
    else
        on_key(authority, make_account_key(ACME_KEY_ES256));
}

/* ---- the account ---- */

static void on_account(void *owner, struct str url, const struct acme_failure *failure)
{
    struct authority *authority = owner;
    struct resolver *resolver = authority->resolver;
    enum account_rank rank = authority->rank;
    authority->opening = NULL;
    if (failure != NULL) {
        authority_failed(resolver, rank, failure);
        tell_all(resolver, rank, failure);
        manage_wake();
        return;
    }
    struct state_account *account = storage_state(resolver->storage)->accounts[rank];
    if (account != NULL && !str_equal(account->url, url)) {
        account->url = arena_str(&account->arena, url);
        account->unsaved = true;
    }
    authority->ready = true;
    backoff_succeed(&authority->backoff);
    resolver_save(resolver);
    manage_wake();
}

static void open_account(struct resolver *resolver, enum account_rank rank)
{
    struct authority *authority = &resolver->authorities[rank];
    const struct acme_eab *eab = eab_of(resolver, rank);
    const struct acme_config *config = resolver->config;
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct strs emails = {.items = arena_array(&arena, struct str, config->email_addresses.count + 1)};
    if (!str_empty(config->email))
        emails.items[emails.count++] = config->email;
    for (size_t i = 0; i < config->email_addresses.count; i++)
        emails.items[emails.count++] = config->email_addresses.items[i];
    struct acme_account_settings settings = {.emails = emails, .eab_kid = eab != NULL ? eab->kid : STR_NONE,
                                             .eab_hmac = eab != NULL ? eab->hmac_encoded : STR_NONE};
    authority->opening = acme_account_open(authority->client, &settings, on_account, authority);
    arena_release(&arena);
}

/* Nothing under way speaks through its client. */
static bool is_idle(const struct authority *authority)
{
    LIST_FOREACH(&authority->resolver->managed, it) {
        const struct managed *managed = container_of(it, struct managed, link);
        if ((managed->order != NULL && managed->rank == authority->rank) || managed->question != NULL)
            return false;
    }
    return true;
}

/* Somebody took an account that the CA refuses out of the storage: its key is not to be used again. */
static void forget_removed_account(struct authority *authority)
{
    if (authority->client != NULL && storage_state(authority->resolver->storage)->accounts[authority->rank] == NULL &&
        is_idle(authority))
        authority_close(authority);
}

bool authority_prepare(struct resolver *resolver, enum account_rank rank)
{
    struct authority *authority = &resolver->authorities[rank];
    if (authority->ready || authority->opening != NULL || authority->key_errand != NULL ||
        !backoff_is_over(&authority->backoff, manager.loop->wall))
        return authority->ready;
    forget_removed_account(authority);
    if (!authority_has_client(resolver, rank) && backoff_is_over(&authority->backoff, manager.loop->wall))
        find_key(resolver, rank);
    if (authority->client != NULL)
        open_account(resolver, rank);
    return false;
}

void authority_close(struct authority *authority)
{
    errand_cancel(authority->key_errand);
    acme_account_cancel(authority->opening);
    acme_client_free(authority->client);
    authority->key_errand = NULL;
    authority->opening = NULL;
    authority->client = NULL;
    authority->ready = false;
}

/* ---- which one ---- */

enum account_rank authority_choose(const struct managed *managed, int64_t *ret_ready_at)
{
    const struct resolver *resolver = managed->resolver;
    const struct authority *authorities = resolver->authorities;
    enum account_rank rank = ACCOUNT_FIRST;
    int64_t now = manager.loop->wall;
    if (resolver->config->fallback != NULL) {
        if (schedule_uses_fallback(managed->backoff.failures))
            rank = ACCOUNT_FALLBACK;
        enum account_rank other = rank == ACCOUNT_FIRST ? ACCOUNT_FALLBACK : ACCOUNT_FIRST;
        if (authorities[rank].backoff.failures >= FALLBACK_AFTER && authorities[rank].backoff.until > now &&
            authorities[other].backoff.until <= now)
            rank = other;
    }
    int64_t rate = order_rate_ready(&authorities[rank].rate, now), until = authorities[rank].backoff.until;
    *ret_ready_at = rate > until ? rate : until;
    if (rank == ACCOUNT_FIRST && managed->first_not_before > *ret_ready_at)
        *ret_ready_at = managed->first_not_before;
    return rank;
}
