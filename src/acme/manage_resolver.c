/* A resolver's runtime: what storage holds of it, and what it serves. */
#include <stdlib.h>

#include "acme/local_ca.h"
#include "acme/managed.h"
#include "base/log.h"
#include "base/memory.h"

#define SAVE_PAUSE (60 * TIME_S)
#define LOCKED_PAUSE (5 * TIME_S)
#define RESTART_PAUSE 60            /* seconds between a failure and the first try of whoever does not wait for its time */

/* ---- one set of names ---- */

struct managed *resolver_find(const struct resolver *resolver, const struct strs *names)
{
    LIST_FOREACH(&resolver->managed, it) {
        struct managed *managed = container_of(it, struct managed, link);
        if (names_equal(&managed->names, names))
            return managed;
    }
    return NULL;
}

/* The Unix second from which a try is in order although its time has not come. A failure that lies in the future was noted by a
 * clock that has been set back since. */
static int64_t restart_at(int64_t failed_at)
{
    int64_t now = manage_now();
    return failed_at <= now ? failed_at + RESTART_PAUSE : now;
}

/* What went wrong before the process was started again. Whoever restarts in a loop asks the CA once a minute at most; whoever
 * restarts because something was repaired waits no longer than that. */
static void recall(struct managed *managed)
{
    struct storage *storage = managed->resolver->storage;
    struct state_problem *problem = storage != NULL ? state_problem_of(storage_state(storage), &managed->names) : NULL;
    if (problem == NULL)
        return;
    int64_t until = restart_at(problem->failed_at);
    managed->failure = memory_copy_text(problem->text.data, problem->text.len);
    managed->hint = memory_copy_text(problem->hint.data, problem->hint.len);
    managed->failed_at = problem->failed_at;
    managed->backoff.failures = problem->failures;
    managed->backoff.until = (problem->next_try < until ? problem->next_try : until) * TIME_S;
}

struct managed *resolver_add(struct resolver *resolver, const struct strs *names)
{
    struct managed *managed = memory_zalloc(sizeof(*managed));
    managed->resolver = resolver;
    arena_init(&managed->arena, ARENA_UNLIMITED);
    managed->names = names_copy(names, &managed->arena);
    list_init(&managed->questions);
    list_append(&resolver->managed, &managed->link);
    recall(managed);
    return managed;
}

static void forget_failure(struct managed *managed)
{
    free(managed->failure);
    free(managed->hint);
    managed->failure = managed->hint = NULL;
    managed->failed_at = 0;
}

void managed_free(struct managed *managed)
{
    order_cancel(managed);
    renewal_cancel(managed);
    on_demand_forget(managed);
    forget_failure(managed);
    if (managed->certificate != NULL) {
        certificate_unref(managed->certificate);
        manager.changed = true;
    }
    free(managed->authority);
    list_remove(&managed->link);
    arena_release(&managed->arena);
    free(managed);
}

void managed_serve(struct managed *managed, struct certificate *certificate)
{
    if (managed->certificate != NULL)
        certificate_unref(managed->certificate);
    managed->certificate = certificate;
    managed->window = (struct renewal_window){0};
    managed->window_at = 0;
    managed->asked_at = 0;
    managed->permitted = false;
    renewal_cancel(managed);
    backoff_succeed(&managed->backoff);
    managed->first_not_before = 0;
    forget_failure(managed);
    manager.changed = true;
}

/* ---- when ---- */

static void shorten(int64_t *moment, int64_t latest)
{
    *moment = *moment < latest ? *moment : latest;
}

void managed_shorten_waits(struct managed *managed)
{
    shorten(&managed->backoff.until, restart_at(managed->failed_at) * TIME_S);
    shorten(&managed->first_not_before, manager.loop->wall);
}

void resolver_shorten_waits(struct resolver *resolver)
{
    int64_t wall = manager.loop->wall;
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++) {
        shorten(&resolver->authorities[rank].backoff.until, wall);
        resolver->authorities[rank].rate = (struct order_rate){0};
    }
    LIST_FOREACH(&resolver->managed, it)
        managed_shorten_waits(container_of(it, struct managed, link));
    shorten(&resolver->save_at, wall);
    shorten(&resolver->lock_at, wall);
}

static uint64_t draw_of(const struct certificate *certificate)
{
    uint64_t draw;
    memcpy(&draw, certificate->sha256, sizeof(draw));
    return draw;
}

static bool is_of_another_ca(const struct managed *managed)
{
    const struct acme_config *config = managed->resolver->config;
    if (config == NULL || managed->authority == NULL)
        return false;
    struct str authority = str_from(managed->authority);
    return !str_equal(authority, config->ca_server) &&
           (config->fallback == NULL || !str_equal(authority, config->fallback->ca_server));
}

/* Another certificate, which nobody wants for itself, may serve these names until it is due. */
static const struct managed *covering(const struct managed *wanted, int64_t now)
{
    LIST_FOREACH(&manager.resolvers, it) {
        const struct resolver *resolver = container_of(it, struct resolver, link);
        LIST_FOREACH(&resolver->managed, at) {
            const struct managed *other = container_of(at, struct managed, link);
            bool covers = other != wanted && !other->wanted && other->certificate != NULL && other->certificate->not_after > now;
            for (size_t i = 0; covers && i < wanted->names.count; i++)
                covers = certificate_covers(other->certificate, wanted->names.items[i]);
            if (covers)
                return other;
        }
    }
    return NULL;
}

static int64_t renewal_of(const struct managed *managed)
{
    const struct certificate *certificate = managed->certificate;
    return schedule_renewal(certificate->not_before, certificate->not_after, managed->window, draw_of(certificate));
}

int64_t managed_due(const struct managed *managed)
{
    int64_t now = manage_now();
    if (managed->certificate == NULL) {
        const struct managed *other = managed->wanted ? covering(managed, now) : NULL;
        if (other != NULL)
            return renewal_of(other);
        return managed->wanted || !list_empty(&managed->questions) ? 0 : INT64_MAX;
    }
    if (managed->asked_at != 0)
        return managed->asked_at < now ? managed->asked_at : now;
    if (managed->unwanted_since != 0 && now - managed->unwanted_since > UNWANTED_GRACE)
        return INT64_MAX;
    return is_of_another_ca(managed) ? 0 : renewal_of(managed);
}

/* ---- storage ---- */

void resolver_take_up(struct resolver *resolver, const struct state_certificate *stored)
{
    const char *why;
    struct managed *managed = resolver_find(resolver, &stored->names);
    char source[300];
    snprintf(source, sizeof(source), "acme %s", resolver->name.data);
    struct certificate *certificate = certificate_parse(stored->chain, stored->key, str_from(source), &why);
    if (certificate == NULL) {
        log_error("acme: the stored certificate for %.*s cannot be used: %s", STR_ARGS(stored->names.items[0]), why);
        return;
    }
    if (managed == NULL) {
        managed = resolver_add(resolver, &stored->names);
        managed->unwanted_since = stored->unwanted_since;
    }
    managed->on_demand |= stored->on_demand;
    if (managed->certificate != NULL && memcmp(managed->certificate->sha256, certificate->sha256, 32) == 0) {
        certificate_unref(certificate);
        return;
    }
    certificate->resolver = arena_str(&certificate->arena, resolver->name);
    free(managed->authority);
    managed->authority = str_empty(stored->authority) ? NULL : memory_copy_text(stored->authority.data, stored->authority.len);
    managed_serve(managed, certificate);
    on_demand_settle(managed, true, NULL);
}

bool resolver_load(struct resolver *resolver)
{
    struct text why;
    text_init(&why, 4096);
    bool good = storage_read(resolver->storage, &why);
    if (!good && !resolver->broken)
        log_error("acme: resolver '%s' cannot read its storage, nothing is ordered for it: %s", resolver->name.data, text_c(&why));
    if (good && resolver->broken)
        log_info("acme: the storage of resolver '%s' can be read again", resolver->name.data);
    text_release(&why);
    resolver->broken = !good;
    const struct state *state = storage_state(resolver->storage);
    for (size_t i = 0; good && i < state->certificates.count; i++)
        resolver_take_up(resolver, state->certificates.items[i]);
    return good;
}

/* Another process that is ordering keeps the lock for a while: that is no failure. */
void resolver_save(struct resolver *resolver)
{
    struct text why;
    if (!storage_lock(resolver->storage)) {
        resolver->save_at = manager.loop->wall + LOCKED_PAUSE;
        return;
    }
    text_init(&why, 4096);
    if (storage_save(resolver->storage, &why)) {
        if (resolver->save_failed)
            log_info("acme: the storage of resolver '%s' is written again", resolver->name.data);
        resolver->save_failed = false;
        resolver->save_at = 0;
    } else {
        if (!resolver->save_failed)
            log_error("acme: resolver '%s' cannot save its state, what it got is served nevertheless; tried again each minute: %s",
                      resolver->name.data, text_c(&why));
        resolver->save_failed = true;
        resolver->save_at = manager.loop->wall + SAVE_PAUSE;
    }
    text_release(&why);
    storage_unlock(resolver->storage);
}

/* ---- the resolver ---- */

static bool eab_same(const struct acme_eab *a, const struct acme_eab *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return str_equal(a->kid, b->kid) && str_equal(a->hmac_encoded, b->hmac_encoded);
}

static bool fallback_same(const struct acme_fallback *a, const struct acme_fallback *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return str_equal(a->ca_server, b->ca_server) && eab_same(a->eab, b->eab);
}

bool resolver_config_same(const struct acme_config *a, const struct acme_config *b)
{
    return str_equal(a->storage, b->storage) && str_equal(a->ca_server, b->ca_server) && eab_same(a->eab, b->eab) &&
           fallback_same(a->fallback, b->fallback) && str_equal(a->email, b->email) &&
           names_equal(&a->email_addresses, &b->email_addresses) && names_equal(&a->ca_certificates, &b->ca_certificates) &&
           a->ca_system_cert_pool == b->ca_system_cert_pool && str_equal(a->ca_server_name, b->ca_server_name) &&
           a->client_timeout == b->client_timeout && a->client_response_header_timeout == b->client_response_header_timeout;
}

struct resolver *resolver_new(struct str name, const struct acme_config *acme, const struct local_ca_config *local)
{
    struct resolver *resolver = memory_zalloc(sizeof(*resolver));
    resolver->name = str_of(memory_copy_text(name.data, name.len), name.len);
    resolver->config = acme;
    resolver->local = local;
    list_init(&resolver->managed);
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++) {
        resolver->authorities[rank].resolver = resolver;
        resolver->authorities[rank].rank = (enum account_rank)rank;
    }
    list_append(&manager.resolvers, &resolver->link);
    if (acme == NULL)
        return resolver;
    resolver->storage = storage_new(acme->storage, name);
    resolver_load(resolver);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    LIST_FOREACH(&resolver->managed, it)
        managed_free(container_of(it, struct managed, link));
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++)
        authority_close(&resolver->authorities[rank]);
    if (resolver->storage != NULL && !resolver->broken && storage_is_unsaved(resolver->storage))
        resolver_save(resolver);
    storage_free(resolver->storage);
    local_ca_close(resolver->authority_local);
    list_remove(&resolver->link);
    free((void *)(uintptr_t)resolver->name.data);
    free(resolver);
}
