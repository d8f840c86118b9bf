/* Active health checks: who is checked how, kept through reloads.
 *
 * A snapshot claims a check for each of its servers and releases it with the snapshot. A (server, check) pair that successive
 * snapshots claim is one checker that runs on undisturbed. When several are claimed for a server, the youngest rules: the
 * snapshot that was compiled last. A claim of "no check" rules as well: the server then counts as healthy. Claims take
 * effect once the control thread gets back to its loop, so that a snapshot which is refused changes nothing.
 *
 * One monitor per process, on the control thread's worker. Without it (a check of a configuration) claims do nothing.
 * Threading: the control thread, but health_release, which may be called on any. */
#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include "upstream/connect.h"
#include "upstream/health_check.h"

struct health_claim;

/* `on_change` is told when a server goes down or comes back (`why` NULL), on the control thread; may be NULL. */
void health_start(struct worker *control, void (*on_change)(struct server *server, bool healthy, const char *why));
/* At the end, when no other thread holds claims; what is still claimed is freed by its release. A check that was under way
 * is freed by the loop's next turn. */
void health_stop(void);

/* `check` NULL: none. Both are copied. May give NULL, which may be released. */
struct health_claim *health_claim(struct server *server, const struct health_check *check,
                                  const struct transport *transport);
void health_release(struct health_claim *claim);

/* The time until the next check: the interval, give or take a tenth. */
int64_t health_pause(const struct health_check *check, bool healthy);

#endif
