/* The inside of the manager: resolvers at work, and the certificates that they manage. For acme/manage_*.c alone.
 *
 * All that happens goes one way: a callback notes what it learnt and calls manage_wake; manage_run looks at everything that is
 * due and starts it. Times of waiting are wall-clock ns (they hold through a suspend), moments of certificates Unix seconds. */
#ifndef ACME_MANAGED_H
#define ACME_MANAGED_H

#include "acme/errand.h"
#include "acme/manager.h"
#include "acme/order.h"
#include "acme/renewal.h"
#include "acme/schedule.h"
#include "acme/storage.h"
#include "exchange/handshake.h"

#define ORDERS_RUNNING_MAX 8            /* at one resolver */
#define BROKEN_PAUSE (5 * TIME_S)       /* before a storage that cannot be read is tried again */
#define UNWANTED_GRACE (30 * 86400)     /* seconds for which a certificate is renewed although nobody wants it */

/* One directory of a resolver: the first, or the fallback. */
struct authority {
    struct resolver *resolver;
    enum account_rank rank;
    struct acme_client *client;         /* NULL: no key yet */
    struct errand *key_errand;
    struct acme_account *opening;
    bool ready;                         /* the account is open */
    struct backoff backoff;             /* of the CA as such */
    struct order_rate rate;
};

struct managed {
    struct list link;                   /* among its resolver's */
    struct resolver *resolver;
    struct arena arena;                 /* for the names */
    struct strs names;
    bool wanted, on_demand;
    int64_t unwanted_since;             /* Unix seconds; 0: wanted */
    struct certificate *certificate;    /* served; NULL: none yet */
    char *authority;                    /* URL of the directory that issued it; NULL: not known */

    struct renewal_window window;       /* what the CA said of it */
    int64_t window_at;                  /* Unix seconds: when to ask for it again */
    int64_t asked_at;                   /* Unix seconds: somebody wants it renewed now, whatever the schedule; 0: nobody does */
    struct acme_renewal_question *question;

    struct backoff backoff;
    int64_t first_not_before;           /* wall ns: what the first authority asked for, while there is a fallback */
    char *failure, *hint;               /* of the last try; NULL: none since the last success */
    int64_t failed_at;                  /* Unix seconds */

    struct acme_order *order;           /* under way */
    struct errand *key_errand;          /* its key is being made */
    EVP_PKEY *key;
    enum account_rank rank;             /* the authority that is asked */
    bool holds_lock;
    struct list questions;              /* handshakes that wait for it (struct waiting) */
    struct acme_http_request *asking;   /* whether it may be renewed, of one on demand */
    bool permitted;                     /* it may */
};

struct resolver {
    struct list link;
    struct str name;                    /* own memory */
    const struct acme_config *config;   /* of the latest graph; NULL: the local CA */
    const struct local_ca_config *local;
    struct local_ca *authority_local;
    struct storage *storage;            /* NULL: the local CA */
    struct authority authorities[ACCOUNT_RANKS];
    struct list managed;
    unsigned running;                   /* orders */
    int64_t save_at;                    /* wall ns: a save that failed is tried again; 0: none did */
    bool save_failed;                   /* and it was told */
    int64_t lock_at;                    /* wall ns: another process has the lock; 0: not so */
    bool broken;                        /* its storage could not be read: nothing is ordered */
    bool kept;                          /* the new configuration has it */
};

struct manager {
    struct loop *loop;                  /* NULL: not started */
    struct graph *graph;                /* the latest, referenced */
    struct arena arena;                 /* of what goes with the graph: resolvers that come along */
    struct list resolvers;
    struct list leaving;                /* resolvers of the former graph; empty but for acme_update */
    struct timer timer;
    int64_t looked_at;                  /* wall ns: the last look at what is due */
    bool stopping;
    bool changed;                       /* certificates: the vault is to be told */
};
extern struct manager manager;

/* ---- manager.c ---- */

/* Looks at all that is due, soon. */
void manage_wake(void);
struct resolver *manage_resolver(struct str name);
/* Tells the vault what has changed. */
void manage_publish(void);
/* Of RESOLVER_AUTOMATIC. */
const struct acme_config *manage_automatic_config(const struct model *model, struct arena *arena);
/* Unix seconds. */
int64_t manage_now(void);

/* ---- manage_resolver.c ---- */

struct resolver *resolver_new(struct str name, const struct acme_config *acme, const struct local_ca_config *local);
void resolver_free(struct resolver *resolver);
/* Can the runtime that was made for one configuration go on with the other? */
bool resolver_config_same(const struct acme_config *a, const struct acme_config *b);
struct managed *resolver_find(const struct resolver *resolver, const struct strs *names);
struct managed *resolver_add(struct resolver *resolver, const struct strs *names);
/* Gone with all that is under way for it. */
void managed_free(struct managed *managed);
/* Takes up what storage holds. False: it cannot be read, which was logged. */
bool resolver_load(struct resolver *resolver);
/* Waits for another try end now, those of names a minute behind their failure. */
void resolver_shorten_waits(struct resolver *resolver);
/* The same of one set of names. */
void managed_shorten_waits(struct managed *managed);
/* One record of the storage's state, which lies there already. */
void resolver_take_up(struct resolver *resolver, const struct state_certificate *stored);
/* Saves; a failure is logged and tried again. */
void resolver_save(struct resolver *resolver);
/* The certificate is served from now on (taken over); forgets failures. */
void managed_serve(struct managed *managed, struct certificate *certificate);
/* Unix second at which it is to be got or renewed; INT64_MAX: never. */
int64_t managed_due(const struct managed *managed);

/* ---- manage_handover.c ---- */

/* It is none of the configuration's any more: orders end, and it waits for handover_finish. */
void resolver_leave(struct resolver *resolver);
/* When it is known what the new configuration wants: certificates of those that leave go over, the rest of them goes. */
void handover_finish(void);

/* ---- manage_account.c ---- */

/* The authority with its client, if the key is there. */
bool authority_has_client(struct resolver *resolver, enum account_rank rank);
/* Moves it towards an open account; true: it is. Otherwise it wakes the manager later. */
bool authority_prepare(struct resolver *resolver, enum account_rank rank);
void authority_close(struct authority *authority);
/* URL of its directory; empty: the resolver has no such authority. */
struct str authority_directory(const struct resolver *resolver, enum account_rank rank);
/* Notes a failure of the CA as such. */
void authority_failed(struct resolver *resolver, enum account_rank rank, const struct acme_failure *failure);
/* Which authority is to be asked for it now; ret_ready_at: wall ns, when it may be. */
enum account_rank authority_choose(const struct managed *managed, int64_t *ret_ready_at);

/* ---- manage_order.c ---- */

/* Begins an order, or a step towards one; the manager is woken when more can be done. */
void order_begin(struct managed *managed);
void order_cancel(struct managed *managed);
bool order_is_under_way(const struct managed *managed);
/* What failed, with what to do; waiting handshakes are answered. `backoff` was counted already. */
void managed_failed(struct managed *managed, const char *text, const char *hint);

/* ---- manage_renewal.c ---- */

/* Asks the CA when a certificate is to be renewed, where it is time; gives the next such time (Unix seconds). */
int64_t renewal_ask_where_due(struct resolver *resolver, int64_t now);
void renewal_cancel(struct managed *managed);

/* ---- manage_local.c ---- */

/* Makes the certificate of a local CA's set at once. */
void local_issue(struct managed *managed);

/* ---- on_demand.c ---- */

void on_demand_start(void);
/* Before the resolvers go. */
void on_demand_stop(void);
/* The wait for `managed` is over: all who wait for it are answered. */
void on_demand_settle(struct managed *managed, bool granted, const char *why);
/* May it be ordered? One that came up on demand needs a permission for each renewal: it is asked for, and the manager is woken. */
bool on_demand_permits(struct managed *managed);
/* Nothing is asked for it any more. */
void on_demand_forget(struct managed *managed);

#endif
