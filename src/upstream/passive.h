/* Passive checks: what live requests tell of a server. Failures within a window take it out for as long as the window; then
 * one request at a time probes it, and its success brings the server back.
 *
 * The probe: `ejected_until` in the past says that a probe is due. Who takes it moves ejected_until a window ahead, so
 * nobody else comes before the outcome is known, and a probe that never reports frees the place by itself.
 * Threading: any; atomics of the server. Folders above log what the functions return. */
#ifndef UPSTREAM_PASSIVE_H
#define UPSTREAM_PASSIVE_H

#include "base/option.h"
#include "upstream/server.h"

struct passive_check {
    const struct node *origin;
    int64_t failure_window;         /* ns */
    int64_t max_failed_attempts;
    bool keeps_count;               /* a success between two failures does not make the former one forgotten */
};
extern const struct option_table passive_check_table;

enum passive_change { PASSIVE_SAME, PASSIVE_EJECTED, PASSIVE_RESTORED };

/* Before a request is sent to a server that was open: false when another request took the probe. In panic every request is
 * a probe (upstream/balancer.h). */
bool passive_admit(struct server *server, const struct passive_check *check, int64_t now, bool panic);
/* Its outcome. A success ends the ejection only when it was a probe's: what had begun before does not count. */
enum passive_change passive_success(struct server *server, int64_t now);
enum passive_change passive_failure(struct server *server, const struct passive_check *check, int64_t now);
/* Does this outcome speak against the server? Its failures to connect or answer do, and a status of 500 or more. */
bool passive_is_failure(enum status outcome, int response_status);

#endif
