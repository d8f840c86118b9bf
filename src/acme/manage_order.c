/* One order of a managed certificate: the storage's lock, the account, the key, the order, and what comes of it. */
#include <openssl/pem.h>
#include <stdlib.h>
#include <time.h>

#include "acme/challenges.h"
#include "acme/managed.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"

#define LOCK_PAUSE (2 * TIME_S)         /* before the lock is tried again */
#define LASTING_PAUSE (3600 * TIME_S)   /* at least, where trying again changes nothing by itself */

bool order_is_under_way(const struct managed *managed)
{
    return managed->order != NULL || managed->key_errand != NULL;
}

/* "a.example, b.example and 3 more": for people. */
static struct str names_text(const struct strs *names, struct arena *arena)
{
    struct str text = names->items[0];
    for (size_t i = 1; i < names->count && i < 4; i++)
        text = arena_printf(arena, "%.*s, %.*s", STR_ARGS(text), STR_ARGS(names->items[i]));
    return names->count <= 4 ? text : arena_printf(arena, "%.*s and %zu more", STR_ARGS(text), names->count - 4);
}

static struct state *state_of(const struct managed *managed)
{
    return storage_state(managed->resolver->storage);
}

/* ---- the storage's lock ---- */

static void release_lock(struct managed *managed)
{
    if (!managed->holds_lock)
        return;
    managed->holds_lock = false;
    managed->resolver->running--;
    storage_unlock(managed->resolver->storage);
}

/* What another process did meanwhile is taken up with the lock. */
static bool take_lock(struct managed *managed)
{
    struct resolver *resolver = managed->resolver;
    if (managed->holds_lock)
        return true;
    if (!storage_lock(resolver->storage)) {
        resolver->lock_at = manager.loop->wall + LOCK_PAUSE + (int64_t)rand_below((uint32_t)TIME_S);
        return false;
    }
    resolver->lock_at = 0;
    managed->holds_lock = true;
    resolver->running++;
    if (!storage_is_current(resolver->storage) && !resolver_load(resolver)) {
        release_lock(managed);
        resolver->lock_at = manager.loop->wall + BROKEN_PAUSE;
        return false;
    }
    return true;
}

/* ---- failures ---- */

static void note_problem(struct managed *managed)
{
    struct state_problem *former = state_problem_of(state_of(managed), &managed->names);
    int64_t ready_at;
    if (former != NULL)
        state_problem_drop(state_of(managed), former);
    authority_choose(managed, &ready_at);
    struct state_problem *problem = state_problem_new(state_of(managed));
    problem->names = names_copy(&managed->names, &problem->arena);
    problem->text = arena_str(&problem->arena, str_from(managed->failure));
    problem->hint = arena_str(&problem->arena, str_from(managed->hint));
    problem->failures = managed->backoff.failures;
    problem->failed_at = managed->failed_at;
    problem->next_try = (managed->backoff.until > ready_at ? managed->backoff.until : ready_at) / TIME_S;
    problem->unsaved = true;
}

void managed_failed(struct managed *managed, const char *text, const char *hint)
{
    free(managed->failure);
    free(managed->hint);
    managed->failure = memory_copy_text(text, strlen(text));
    managed->hint = memory_copy_text(hint != NULL ? hint : "", hint != NULL ? strlen(hint) : 0);
    managed->failed_at = manage_now();
    note_problem(managed);
    resolver_save(managed->resolver);
    release_lock(managed);
    on_demand_settle(managed, false, "the CA did not issue it");
    manage_wake();
}

/* The first failure and those of other names and types, on one line. */
static struct str failure_text(const struct acme_failure *failure, bool hints, struct arena *arena)
{
    struct str text = STR_NONE;
    for (const struct acme_failure *it = failure; it != NULL; it = it->more) {
        struct acme_failure bare = *it;
        if (!hints)
            bare.hint = STR_NONE;
        struct str one = acme_failure_text(&bare, arena);
        text = str_empty(text) ? one : arena_printf(arena, "%.*s | %.*s", STR_ARGS(text), STR_ARGS(one));
    }
    return text;
}

/* The first authority will not do it for a good while: the other one is asked next. */
static void fall_over(struct managed *managed, const struct acme_failure *failure, int64_t not_before)
{
    bool hopeless = failure->lasting || failure->trouble == ACME_RATE_LIMITED;
    if (managed->resolver->config->fallback == NULL || managed->rank != ACCOUNT_FIRST || !hopeless)
        return;
    managed->first_not_before = not_before;
    if (managed->backoff.failures <= FALLBACK_AFTER)
        managed->backoff = (struct backoff){.failures = FALLBACK_AFTER, .until = manager.loop->wall};
}

/* What stands in the way of everything counts for the CA; the rest for this set of names. */
static void count_failure(struct managed *managed, const struct acme_failure *failure)
{
    struct backoff *backoff = &managed->backoff;
    int64_t now = manager.loop->wall;
    bool passing = failure->trouble == ACME_UNREACHABLE || failure->trouble == ACME_CA_FAILED;
    int64_t not_before = failure->not_before < INT64_MAX / TIME_S ? failure->not_before * TIME_S : 0;
    if (passing || failure->trouble == ACME_ACCOUNT)
        authority_failed(managed->resolver, managed->rank, failure);
    backoff_fail(backoff, passing ? BACKOFF_UNREACHABLE : BACKOFF_REFUSED, now, not_before, rand_u64());
    if (failure->lasting && backoff->until < now + LASTING_PAUSE)
        backoff->until = now + LASTING_PAUSE;
    fall_over(managed, failure, not_before);
}

static const char *whats_served(const struct managed *managed)
{
    if (managed->certificate == NULL)
        return "";
    return managed->certificate->not_after > manage_now() ? ", the former one is served" : ", and the former one has expired";
}

static void fail_order(struct managed *managed, const struct acme_failure *failure)
{
    bool expired = managed->certificate != NULL && managed->certificate->not_after <= manage_now();
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str text = failure_text(failure, false, &arena), full = failure_text(failure, true, &arena);
    struct str name = arena_str(&arena, managed->names.items[0]), trouble = str_from(acme_trouble_name(failure->trouble));
    count_failure(managed, failure);
    log_with(expired ? LOG_ERROR : LOG_WARN,
             FIELDS("resolver", managed->resolver->name.data, "name", name.data, "trouble", trouble.data),
             "acme: no certificate for %.*s: %.*s; tried again in %d s%s", STR_ARGS(names_text(&managed->names, &arena)),
             STR_ARGS(full), (int)((managed->backoff.until - manager.loop->wall) / TIME_S),
             whats_served(managed));
    managed_failed(managed, arena_str(&arena, text).data, arena_str(&arena, failure->hint).data);
    arena_release(&arena);
}

static void fail_ourselves(struct managed *managed, const char *why)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    fail_order(managed, acme_failure_new(ACME_PRESENT_FAILED, str_from(why), &arena));
    arena_release(&arena);
}

/* ---- keys as texts ---- */

static struct str key_pem(EVP_PKEY *key, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct str pem = STR_NONE;
    char *data;
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long len = BIO_get_mem_data(bio, &data);
        pem = arena_str(arena, str_of(data, (size_t)len));
    }
    BIO_free(bio);
    return pem;
}

static EVP_PKEY *key_parse(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return key;
}

/* ---- the end of an order ---- */

static void forget_order(struct managed *managed)
{
    struct state_order *stored = state_order_of(state_of(managed), &managed->names);
    if (stored != NULL)
        state_order_drop(state_of(managed), stored);
}

static void store_certificate(struct managed *managed, struct str chain, struct str key)
{
    struct state *state = state_of(managed);
    struct state_certificate *former = state_certificate_of(state, &managed->names);
    struct state_certificate *stored = state_certificate_new(state);
    stored->names = names_copy(&managed->names, &stored->arena);
    stored->chain = arena_str(&stored->arena, chain);
    stored->key = arena_str(&stored->arena, key);
    stored->authority = arena_str(&stored->arena, authority_directory(managed->resolver, managed->rank));
    stored->on_demand = managed->on_demand && !managed->wanted;
    stored->unsaved = true;
    if (former != NULL) {
        stored->origin = json_incref(former->origin);
        stored->store = arena_str(&stored->arena, former->store);
        stored->folder = arena_str(&stored->arena, former->folder);
        state_certificate_drop(state, former);
    }
    struct state_problem *problem = state_problem_of(state, &managed->names);
    if (problem != NULL)
        state_problem_drop(state, problem);
    forget_order(managed);
}

static void announce(const struct managed *managed, bool renewed)
{
    struct arena arena;
    char ends[32], renewal[32];
    time_t not_after = managed->certificate->not_after, due = managed_due(managed);
    struct tm tm;
    arena_init(&arena, ARENA_UNLIMITED);
    strftime(ends, sizeof(ends), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&not_after, &tm));
    strftime(renewal, sizeof(renewal), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&due, &tm));
    struct str name = arena_str(&arena, managed->names.items[0]);
    log_with(LOG_INFO, FIELDS("resolver", managed->resolver->name.data, "name", name.data),
             "acme: the certificate for %.*s was %s by %.*s and lasts until %s; it is renewed about %s",
             STR_ARGS(names_text(&managed->names, &arena)), renewed ? "renewed" : "issued", STR_ARGS(managed->certificate->issuer),
             ends, renewal);
    arena_release(&arena);
}

/* Is it for these names, and for now? */
static const char *misfit(const struct managed *managed, const struct certificate *certificate)
{
    for (size_t i = 0; i < managed->names.count; i++)
        if (!certificate_covers(certificate, managed->names.items[i]))
            return "the certificate that the CA gave does not hold for all names";
    return certificate->not_after <= manage_now() ? "the certificate that the CA gave has expired already" : NULL;
}

static void succeed(struct managed *managed, struct str chain)
{
    struct arena arena;
    const char *why = "";
    bool renewed = managed->certificate != NULL;
    arena_init(&arena, ARENA_UNLIMITED);
    struct resolver *resolver = managed->resolver;
    struct str key = key_pem(managed->key, &arena);
    struct certificate *certificate = certificate_parse(chain, key, arena_concat(&arena, S("acme "), resolver->name), &why);
    if (certificate != NULL && (why = misfit(managed, certificate)) != NULL) {
        certificate_unref(certificate);
        certificate = NULL;
    }
    if (certificate == NULL) {
        forget_order(managed);
        fail_ourselves(managed, why);
    } else {
        certificate->resolver = arena_str(&certificate->arena, resolver->name);
        struct str authority = authority_directory(resolver, managed->rank);
        free(managed->authority);
        managed->authority = memory_copy_text(authority.data, authority.len);
        store_certificate(managed, chain, key);
        managed_serve(managed, certificate);
        resolver_save(resolver);
        release_lock(managed);
        announce(managed, renewed);
        on_demand_settle(managed, true, NULL);
        manage_wake();
    }
    arena_release(&arena);
}

static void drop_key(struct managed *managed)
{
    EVP_PKEY_free(managed->key);
    managed->key = NULL;
}

static void on_done(void *owner, struct str chain_pem, const struct acme_failure *failure)
{
    struct managed *managed = owner;
    managed->order = NULL;
    if (failure == NULL) {
        backoff_succeed(&managed->resolver->authorities[managed->rank].backoff);
        succeed(managed, chain_pem);
    } else {
        /* One that was merely out of reach is taken up again. */
        if (failure->trouble != ACME_UNREACHABLE)
            forget_order(managed);
        fail_order(managed, failure);
    }
    drop_key(managed);
}

/* ---- while it is under way ---- */

static void on_present(void *owner, struct acme_challenge *challenge)
{
    struct managed *managed = owner;
    challenges_present(manager.loop, managed->resolver->config, challenge);
}

static void on_cleanup(void *owner, struct acme_challenge *challenge)
{
    challenges_cleanup(challenge);
}

/* From here on a restart takes it up. */
static void on_made(void *owner, struct str url)
{
    struct managed *managed = owner;
    forget_order(managed);
    struct state_order *stored = state_order_new(state_of(managed));
    stored->names = names_copy(&managed->names, &stored->arena);
    stored->url = arena_str(&stored->arena, url);
    stored->key = key_pem(managed->key, &stored->arena);
    stored->rank = managed->rank;
    stored->on_demand = managed->on_demand && !managed->wanted;
    stored->unsaved = true;
    resolver_save(managed->resolver);
}

/* ---- the beginning ---- */

static bool start_order(struct managed *managed, struct str url)
{
    static const struct acme_order_owner functions = {
        .present = on_present, .cleanup = on_cleanup, .on_made = on_made, .on_done = on_done};
    const struct acme_config *config = managed->resolver->config;
    struct authority *authority = &managed->resolver->authorities[managed->rank];
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_order_settings settings = {
        .names = managed->names,
        .request = make_request(managed->key, &managed->names, !config->disable_common_name, &arena),
        .profile = config->profile,
        .preferred_chain = config->preferred_chain,
        .url = url,
        .certificate_timeout = config->certificate_timeout,
    };
    settings.type_count = challenges_types(config, settings.types);
    /* Only what the CA itself told of: another's certificate is not one that it can replace. */
    if (managed->certificate != NULL && schedule_window_is_good(managed->window) && managed->rank == ACCOUNT_FIRST)
        settings.replaces = certificate_ari_id(managed->certificate, &arena);
    if (str_empty(url))
        order_rate_note(&authority->rate, manager.loop->wall);
    if (!str_empty(settings.request))
        managed->order = acme_order_start(authority->client, &settings, &functions, managed);
    log_info("acme: %s a certificate for %.*s from %.*s", str_empty(url) ? "ordering" : "taking up the order of",
             STR_ARGS(names_text(&managed->names, &arena)), STR_ARGS(authority_directory(managed->resolver, managed->rank)));
    arena_release(&arena);
    return managed->order != NULL;
}

static void start_with_key(struct managed *managed, struct str url)
{
    if (managed->key == NULL || !start_order(managed, url)) {
        drop_key(managed);
        fail_ourselves(managed, "the key or the request cannot be made");
    }
}

static void *make_certificate_key(int type)
{
    return make_key((enum key_type)type);
}

static void discard_certificate_key(void *key)
{
    EVP_PKEY_free(key);
}

static void on_key(void *owner, void *result)
{
    struct managed *managed = owner;
    managed->key_errand = NULL;
    managed->key = result;
    start_with_key(managed, STR_NONE);
}

/* Every certificate gets a key of its own; RSA keys take a while to find. */
static void start_new(struct managed *managed)
{
    int type = managed->resolver->config->key_type;
    struct errand_call call = {.work = make_certificate_key, .argument = type, .on_done = on_key,
                               .discard = discard_certificate_key, .owner = managed};
    if (type == KEY_TYPE_EC256 || type == KEY_TYPE_EC384)
        on_key(managed, make_certificate_key(type));
    else
        managed->key_errand = errand_run(manager.loop, &call);
}

static bool start_stored(struct managed *managed)
{
    struct state_order *stored = state_order_of(state_of(managed), &managed->names);
    if (stored == NULL || stored->rank != managed->rank || str_empty(stored->url))
        return false;
    managed->key = key_parse(stored->key);
    if (managed->key == NULL)
        return false;
    char *url = memory_copy_text(stored->url.data, stored->url.len);
    start_with_key(managed, str_from(url));
    free(url);
    return true;
}

void order_begin(struct managed *managed)
{
    int64_t ready_at;
    if (!take_lock(managed))
        return;
    if (managed_due(managed) > manage_now()) {      /* another process was faster */
        release_lock(managed);
        return;
    }
    managed->rank = authority_choose(managed, &ready_at);
    if (!authority_prepare(managed->resolver, managed->rank)) {
        if (!backoff_is_over(&managed->resolver->authorities[managed->rank].backoff, manager.loop->wall))
            release_lock(managed);
        return;
    }
    if (!start_stored(managed))
        start_new(managed);
}

void order_cancel(struct managed *managed)
{
    errand_cancel(managed->key_errand);
    acme_order_cancel(managed->order);
    managed->key_errand = NULL;
    managed->order = NULL;
    drop_key(managed);
    release_lock(managed);
}
