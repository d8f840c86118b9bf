/* The service that names servers: its options and its compiled state. */
#ifndef SERVICE_LOAD_BALANCER_H
#define SERVICE_LOAD_BALANCER_H

#include "exchange/forwarding.h"
#include "exchange/service.h"
#include "exchange/text_template.h"
#include "service/sticky.h"
#include "upstream/balancer.h"
#include "upstream/health.h"
#include "upstream/passive.h"

struct server_config {
    const struct node *origin;
    struct str url;
    int64_t weight;
    bool preserve_path, drain;
    bool backup, down, again;
    int64_t tier;                           /* backup: 1 */
    int64_t max_connections, max_fails;     /* 0: any number, none */
    int64_t fail_timeout;                   /* ns */
    struct str route;
    bool leaving;                           /* it is about to stop: asked only where no other can be, over new connections */
};

struct response_forwarding {
    const struct node *origin;
    struct str flush_interval;
};

struct load_balancer_config {
    const struct node *origin;
    struct objects servers;                 /* struct server_config */
    int strategy;                           /* for balancer_at */
    bool pass_host_header;
    struct str servers_transport;
    struct response_forwarding *response_forwarding;
    struct sticky_config *sticky;
    struct health_check *health_check;
    struct passive_check *passive_health_check;
    struct retries_config *retries;
    struct str hash_key;
    bool no_panic;
    bool bad_gateway;                       /* when no server is ready the answer is 502 instead of 503 */
    int64_t slow_start;
    int64_t hold_timeout;                   /* ns that a request may wait for a ready server; 0: it is refused at once */
    int64_t hold_max;                       /* requests that may wait at once; 0: HOLD_MAX */
};
extern const struct option_table load_balancer_table;

struct load_balancer {
    struct target_set targets;
    const struct balancer_type *balancer;
    char *states;                           /* a balancer's state for each worker, cache lines apart */
    size_t state_stride;
    const struct sticky *sticky;            /* NULL: none */
    bool passive;                           /* some target is taken out by what live requests tell */
    bool panic;                             /* ... and asked all the same when all are out */
    enum status when_none;
    const struct text_template *hash_key;   /* NULL: the client's address, if the balancer needs any */
    const struct forwarding *forwarding;    /* NULL: nothing of its own is said */
    struct health_claim **claims;           /* for each target; NULL where there is none */
};

/* The servers of a service; NULL: it is no load balancer. */
const struct target_set *load_balancer_targets(const struct service *service);

#endif
