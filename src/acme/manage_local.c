/* Certificates of the local CA: made at once, kept in memory, made anew in time. */
#include <stdlib.h>

#include "acme/local_ca.h"
#include "acme/managed.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"

static void fail(struct managed *managed, const char *why)
{
    int64_t now = manager.loop->wall;
    backoff_fail(&managed->backoff, BACKOFF_UNREACHABLE, now, 0, rand_u64());
    free(managed->failure);
    managed->failure = memory_copy_text(why, strlen(why));
    managed->failed_at = manage_now();
    log_warn("acme: the local CA makes no certificate for %.*s: %s; tried again in %d s", STR_ARGS(managed->names.items[0]), why,
             (int)((managed->backoff.until - now) / TIME_S));
    on_demand_settle(managed, false, "the local CA cannot make it");
}

static struct certificate *make(struct resolver *resolver, const struct strs *names, struct text *why)
{
    int64_t now = manage_now();
    if (resolver->authority_local == NULL)
        resolver->authority_local = local_ca_open(resolver->local->directory, now, why);
    if (resolver->authority_local == NULL)
        return NULL;
    struct certificate *certificate = local_ca_issue(resolver->authority_local, names, resolver->local->lifetime, now, why);
    if (certificate == NULL) {          /* perhaps its files were removed, or it is too old: looked at anew */
        local_ca_close(resolver->authority_local);
        resolver->authority_local = NULL;
    }
    return certificate;
}

void local_issue(struct managed *managed)
{
    struct text why;
    text_init(&why, 4096);
    struct certificate *certificate = make(managed->resolver, &managed->names, &why);
    if (certificate == NULL) {
        fail(managed, text_c(&why));
    } else {
        certificate->resolver = arena_str(&certificate->arena, managed->resolver->name);
        managed_serve(managed, certificate);
        log_debug("acme: the local CA made a certificate for %.*s", STR_ARGS(managed->names.items[0]));
        on_demand_settle(managed, true, NULL);
    }
    text_release(&why);
}
