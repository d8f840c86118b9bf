/* Certificates at the first handshake: is the name permitted, is there room in the period, then it is ordered like any other, once
 * however many handshakes wait. A renewal asks for the permission again. */
#include <stdlib.h>

#include "acme/http.h"
#include "acme/managed.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"
#include "snapshot/automatic.h"
#include "tls/vault.h"

#define WAIT_LIMIT (60 * TIME_S)        /* for a handshake */
#define ASK_LIMIT (10 * TIME_S)         /* for the permission */
#define ASKS_MAX 64                     /* under way */
#define WAITING_MAX 4096                /* handshakes */
#define TOLD_MAX 20                     /* refusals in the log within TOLD_PERIOD: whoever asks for names at will must not fill it */
#define TOLD_PERIOD (60 * TIME_S)

/* A handshake that waits, in the list of a permission or of a certificate. */
struct waiting {
    struct list link;
    struct on_demand *question;
    struct timer limit;
    struct deferred gone;
};

/* The permission service is being asked for a new name. */
struct permission {
    struct list link;
    struct acme_http_request *request;
    struct list questions;              /* struct waiting */
    char name[HELLO_NAME_MAX + 1];
};

static struct {
    struct acme_http *http;             /* made when it is first needed */
    struct list permissions;
    unsigned asking, waiting;
    struct name_rate rate, told;
} self;

/* ---- who waits ---- */

static void free_waiting(struct deferred *deferred)
{
    free(container_of(deferred, struct waiting, gone));
}

static void answer(struct waiting *waiting, bool granted, const char *why)
{
    list_remove(&waiting->link);
    timer_cancel(&waiting->limit);
    self.waiting--;
    on_demand_answer(waiting->question, granted, why);
    loop_defer_free(manager.loop, &waiting->gone);
}

static void answer_all(struct list *questions, bool granted, const char *why)
{
    LIST_FOREACH(questions, it)
        answer(container_of(it, struct waiting, link), granted, why);
}

static void on_limit(struct timer *timer)
{
    answer(container_of(timer, struct waiting, limit), false, "the certificate did not come in time");
}

static void wait_in(struct list *questions, struct on_demand *question)
{
    struct waiting *waiting = memory_zalloc(sizeof(*waiting));
    waiting->question = question;
    waiting->gone.run = free_waiting;
    timer_init(&waiting->limit, on_limit);
    timer_after(manager.loop, &waiting->limit, WAIT_LIMIT);
    list_append(questions, &waiting->link);
    self.waiting++;
}

void on_demand_settle(struct managed *managed, bool granted, const char *why)
{
    if (list_empty(&managed->questions))
        return;
    if (granted)
        manage_publish();               /* before the answer: it is there when the handshake looks */
    answer_all(&managed->questions, granted, why);
}

/* ---- the permission ---- */

static const struct on_demand_config *config(void)
{
    const struct automatic_https *automatic = manager.graph != NULL ? manager.graph->model->config.automatic_https : NULL;
    return automatic != NULL ? automatic->on_demand : NULL;
}

/* The name is one of a ClientHello that was looked at: letters, digits, '-' and '.'. */
static struct acme_http_request *ask(struct str name, void (*on_answer)(void *, const struct acme_answer *), void *owner)
{
    struct arena arena;
    struct str why = STR_NONE, base = config()->ask;
    arena_init(&arena, ARENA_UNLIMITED);
    if (self.http == NULL)
        self.http = acme_http_new(manager.loop, &(struct acme_trust){0}, &arena, &why);
    struct acme_http_request *request = NULL;
    if (self.http != NULL) {
        struct acme_http_ask call = {
            .method = "GET",
            .url = arena_printf(&arena, "%.*s%sdomain=%.*s", STR_ARGS(base), str_find_char(base, '?', 0) < 0 ? "?" : "&", STR_ARGS(name)),
            .timeout = ASK_LIMIT,
            .max_body = 65536,
            .on_answer = on_answer,
            .owner = owner,
        };
        request = acme_http_request(self.http, &call);
    }
    arena_release(&arena);
    return request;
}

static enum log_level refusal_level(enum log_level level)
{
    if (!name_rate_take(&self.told, TOLD_MAX, TOLD_PERIOD, manager.loop->now))
        return LOG_DEBUG;
    if (self.told.used == TOLD_MAX)
        log_warn("acme: so many certificates on demand are refused that the rest of this minute's are told at level debug alone");
    return level;
}

static void log_refusal(const char *name, const struct acme_answer *reply)
{
    if (reply->error != NULL)
        log_at(refusal_level(LOG_WARN), "acme: whether '%s' may have a certificate on demand cannot be asked: %s", name, reply->error);
    else
        log_at(refusal_level(LOG_INFO), "acme: no certificate for '%s' on demand: the permission service said %d", name, reply->status);
}

static void begin_order(struct permission *permission)
{
    struct str name = str_from(permission->name);
    struct resolver *resolver = manage_resolver(automatic_resolver(manager.graph->model, name));
    if (resolver == NULL || config() == NULL) {
        answer_all(&permission->questions, false, "the configuration has changed");
        return;
    }
    if (!name_rate_take(&self.rate, config()->burst, config()->period, manager.loop->now)) {
        log_at(refusal_level(LOG_WARN), "acme: no certificate for '%s' on demand: there were %d new names within the period already", permission->name,
                 (int)config()->burst);
        answer_all(&permission->questions, false, "too many new names in a short time");
        return;
    }
    struct strs names = {&name, 1};
    struct managed *managed = resolver_find(resolver, &names);
    if (managed == NULL)
        managed = resolver_add(resolver, &names);
    managed->on_demand = managed->permitted = true;
    for (struct list *it; (it = list_pop(&permission->questions)) != NULL;)
        list_append(&managed->questions, it);
    manage_wake();
}

static void drop_permission(struct permission *permission)
{
    list_remove(&permission->link);
    self.asking--;
    free(permission);
}

static void on_permission(void *owner, const struct acme_answer *reply)
{
    struct permission *permission = owner;
    if (reply->error == NULL && reply->status == 200) {
        begin_order(permission);
    } else {
        log_refusal(permission->name, reply);
        answer_all(&permission->questions, false, "it is not permitted");
    }
    drop_permission(permission);
}

static struct permission *permission_of(struct str name)
{
    LIST_FOREACH(&self.permissions, it) {
        struct permission *permission = container_of(it, struct permission, link);
        if (str_equal(str_from(permission->name), name))
            return permission;
    }
    return NULL;
}

static void ask_permission(struct on_demand *question, struct str name)
{
    struct permission *permission = permission_of(name);
    if (permission != NULL) {
        wait_in(&permission->questions, question);
        return;
    }
    if (self.asking >= ASKS_MAX) {
        on_demand_answer(question, false, "too many names are being asked for");
        return;
    }
    permission = memory_zalloc(sizeof(*permission));
    list_init(&permission->questions);
    memcpy(permission->name, name.data, name.len);
    list_append(&self.permissions, &permission->link);
    self.asking++;
    wait_in(&permission->questions, question);
    permission->request = ask(name, on_permission, permission);
    if (permission->request == NULL) {
        answer_all(&permission->questions, false, "the permission service cannot be asked");
        drop_permission(permission);
    }
}

/* ---- a question ---- */

static bool is_served(struct str name)
{
    int64_t now = manage_now();
    const struct certificate *certificate = store_find_name(vault_of(worker_self), name, now);
    return certificate != NULL && certificate->not_after > now && certificate_covers(certificate, name);
}

static void get(struct on_demand *question)
{
    struct str name = str_from(question->name);
    struct strs names = {&name, 1};
    struct resolver *resolver =
        config() != NULL ? manage_resolver(automatic_resolver(manager.graph->model, name)) : NULL;
    struct managed *managed = resolver != NULL ? resolver_find(resolver, &names) : NULL;
    if (is_served(name))
        on_demand_answer(question, true, NULL);
    else if (resolver == NULL || manager.stopping)
        on_demand_answer(question, false, "there is no resolver for the name");
    else if (self.waiting >= WAITING_MAX)
        on_demand_answer(question, false, "too many handshakes are waiting");
    else if (managed != NULL && !backoff_is_over(&managed->backoff, manager.loop->wall))
        on_demand_answer(question, false, "an order failed a short while ago");
    else if (managed != NULL && (managed->wanted || managed->holds_lock || !list_empty(&managed->questions)))
        wait_in(&managed->questions, question);
    else
        ask_permission(question, name);
}

/* ---- renewals ---- */

static void on_renewal_answer(void *owner, const struct acme_answer *reply)
{
    struct managed *managed = owner;
    managed->asking = NULL;
    if (reply->error == NULL && reply->status == 200) {
        managed->permitted = true;
    } else {
        log_refusal(managed->names.items[0].data, reply);
        if (reply->error != NULL || reply->status >= 500)
            backoff_fail(&managed->backoff, BACKOFF_REFUSED, manager.loop->wall, 0, rand_u64());
        else
            managed->unwanted_since = manage_now() - UNWANTED_GRACE - 1;
    }
    manage_wake();
}

bool on_demand_permits(struct managed *managed)
{
    if (managed->wanted || !managed->on_demand || managed->permitted || managed->holds_lock)
        return true;
    if (config() == NULL)
        managed->unwanted_since = managed->unwanted_since != 0 ? managed->unwanted_since : manage_now();
    else if (managed->asking == NULL)
        managed->asking = ask(managed->names.items[0], on_renewal_answer, managed);
    return config() == NULL;
}

void on_demand_forget(struct managed *managed)
{
    acme_http_cancel(managed->asking);
    managed->asking = NULL;
    on_demand_settle(managed, false, "the configuration has changed");
}

/* ---- start and stop ---- */

void on_demand_start(void)
{
    self.http = NULL;
    self.asking = self.waiting = 0;
    self.rate = self.told = (struct name_rate){0};
    list_init(&self.permissions);
    on_demand_loop = manager.loop;
    on_demand_get = get;
}

void on_demand_stop(void)
{
    LIST_FOREACH(&self.permissions, it) {
        struct permission *permission = container_of(it, struct permission, link);
        acme_http_cancel(permission->request);
        answer_all(&permission->questions, false, "the process is stopping");
        drop_permission(permission);
    }
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        LIST_FOREACH(&resolver->managed, at)
            on_demand_forget(container_of(at, struct managed, link));
    }
    if (self.http != NULL)
        acme_http_free(self.http);
    self.http = NULL;
}
