/* The service that names servers: its options and its compiled state. */
#ifndef SERVICE_LOAD_BALANCER_H
#define SERVICE_LOAD_BALANCER_H

#include "exchange/forwarding.h"
#include "exchange/service.h"
#include "exchange/text_template.h"
#include "service/name_resolver.h"
#include "service/roster.h"
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
    struct str route, service;              /* service: of SRV records */
    struct name_resolver_config *resolver;  /* instead of the service's */
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
    struct name_resolver_config *resolver;  /* NULL: names are looked up as the system does, and stay one server each */
    struct str hash_key;
    bool no_panic;
    bool bad_gateway;                       /* when no server is ready the answer is 502 instead of 503 */
    int64_t slow_start;
    int64_t hold_timeout;                   /* ns that a request may wait for a ready server; 0: it is refused at once */
    int64_t hold_max;                       /* requests that may wait at once; 0: HOLD_MAX */
};
extern const struct option_table load_balancer_table;

struct load_balancer {
    struct roster fixed;                    /* unless there is a source */
    struct roster_source *source;           /* NULL: its servers are what is configured, and stay */
    const struct balancer_type *balancer;
    const struct sticky *sticky;            /* NULL: none */
    bool panic;                             /* servers that are taken out by what live requests tell are asked when all are */
    enum status when_none;
    const struct text_template *hash_key;   /* NULL: the client's address, if the balancer needs any */
    const struct forwarding *forwarding;    /* NULL: nothing of its own is said */
};

/* The servers of a service as they are now, until roster_on_change; NULL: it is no load balancer. Control thread. */
const struct target_set *load_balancer_targets(const struct service *service);
/* Are some of its servers reached by TLS, whether they are known yet or not? False: none, or it is no load balancer. */
bool load_balancer_needs_tls(const struct service *service);

#endif
