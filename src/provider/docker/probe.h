/* Whether the ports of servers answer: each is connected to, again and again with longer pauses while it refuses, until it has
 * answered once. One that has answered counts as open until probes_forget: health is the health check's to say.
 *
 * Ownership: probes_new/probes_free. Threading: the control thread; nothing waits. */
#ifndef PROVIDER_DOCKER_PROBE_H
#define PROVIDER_DOCKER_PROBE_H

#include "net/loop.h"
#include "provider/docker/discover.h"

struct probes;

/* `on_answer`: what probes_answer gives for some address is not what it was. */
struct probes *probes_new(struct loop *loop, void (*on_answer)(void *owner), void *owner);
void probes_free(struct probes *probes);
/* Exactly these are asked from now on: those that run. What is known of the others is forgotten. */
void probes_set(struct probes *probes, const struct discovered_servers *servers);
/* Of a container that is started again. */
void probes_forget(struct probes *probes, struct str container_id);
enum port_answer probes_answer(const struct probes *probes, struct str container_id, struct str address);
/* Addresses that may answer any moment: they were not asked to the end yet, or have refused once, as one does that just starts. */
size_t probes_pending(const struct probes *probes);

#endif
