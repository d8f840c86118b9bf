/* Containers that define one object differently: in what, and what each of them is told. Pure. */
#ifndef PROVIDER_DOCKER_QUARREL_H
#define PROVIDER_DOCKER_QUARREL_H

#include "provider/docker/merge.h"

/* "container web-1 and container web-2 define it differently: 'loadbalancer.healthcheck.path' is '/a' and '/b'"; *ret_span: the
 * first label that differs. */
struct str quarrel_text(const struct definition *one, const struct definition *other, struct arena *arena, struct span *ret_span);
/* Tells a container whose definition `definition` of a settled object is not the one that is believed; `why` is their quarrel's
 * text. Nothing to tell: it is. */
void quarrel_tell(const struct object *object, const char *noun, const struct definition *definition, struct candidate *candidate,
                  struct str why, struct arena *arena);

#endif
