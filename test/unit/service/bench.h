/* Services without a proxy around them: configured from YAML, compiled by a compiler that knows the services made before, and
 * asked with an exchange that was never on a wire. */
#ifndef BENCH_H
#define BENCH_H

#include "config/fixture.h"
#include "exchange/service.h"

#define BENCH_SERVICES_MAX 8

struct bench {
    struct compile compile;              /* first: the vtable finds its way back */
    struct fixture fixture;
    struct service *services[BENCH_SERVICES_MAX];
    unsigned count;
    struct worker worker;
    struct exchange x;
};

void bench_init(struct bench *bench);
void bench_release(struct bench *bench);
/* "name@test" of the type, its options in YAML; NULL when it does not compile (see fixture_rendered). */
struct service *bench_service(struct bench *bench, const char *name, const char *type, const char *yaml);
/* A new request, for the service as its router's; `cookie` may be NULL. */
void bench_request(struct bench *bench, struct service *service, const char *cookie);
/* Asks x->service until one names a server or gives up, as the spine does. */
enum pick_result bench_pick(struct bench *bench);
/* The attempt ended: x->server is told, and let go. */
void bench_attempt(struct bench *bench, enum status outcome, int response_status);

#endif
