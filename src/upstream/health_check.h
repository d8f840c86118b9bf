/* What an active check of a server asks and how often: its options, its copy, whether two are the same. */
#ifndef UPSTREAM_HEALTH_CHECK_H
#define UPSTREAM_HEALTH_CHECK_H

#include "base/arena.h"
#include "base/option.h"

enum health_mode { HEALTH_HTTP, HEALTH_GRPC };
enum health_scheme { HEALTH_SCHEME_SERVER, HEALTH_SCHEME_HTTP, HEALTH_SCHEME_HTTPS, HEALTH_SCHEME_H2C };

struct health_check {
    const struct node *origin;
    struct str path;                /* "/health?deep=1" */
    int mode;                       /* enum health_mode; HEALTH_GRPC: grpc.health.v1.Health/Check, by HTTP/2 */
    struct str method;
    int64_t status;                 /* 0: 200 to 399 */
    int64_t port;                   /* 0: the server's */
    int scheme;                     /* enum health_scheme */
    struct str hostname;            /* for Host; empty: the server's authority */
    struct strmap headers;
    int64_t interval, unhealthy_interval, timeout;      /* ns; unhealthy_interval 0: as interval */
    bool follow_redirects;
};
extern const struct option_table health_check_table;

/* A whole copy in `arena`, its origin NULL. */
struct health_check health_check_copy(const struct health_check *check, struct arena *arena);
/* Do both ask the same, as often? */
bool health_check_equal(const struct health_check *a, const struct health_check *b);
/* Does a response with this status say that the server is well? */
static inline bool health_check_accepts(const struct health_check *check, int status)
{
    return check->status != 0 ? status == check->status : status >= 200 && status < 400;
}

#endif
