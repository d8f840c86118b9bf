/* Members of an engine's JSON, read with patience: what is missing or of another kind is empty. Pure. */
#ifndef PROVIDER_DOCKER_MEMBER_H
#define PROVIDER_DOCKER_MEMBER_H

#include <jansson.h>

#include "base/arena.h"

/* NULL: it is no JSON. A text may hold NUL, which anybody's label may bring. */
json_t *member_parse(struct str text);
/* Down the names, which end with NULL; NULL: there is none. */
json_t *member_at(const json_t *json, const char *name, ...) __attribute__((sentinel));
/* A view that lives as long as the JSON. */
struct str member_text(const json_t *json);
struct str member_copy(const json_t *json, struct arena *arena);
/* RFC 3339 as Unix ns; 0: it is none, or nobody's ("0001-01-01T00:00:00Z"). */
int64_t member_moment(const json_t *json);
/* "8080/tcp" -> 8080; 0: another protocol, or no port. */
uint16_t member_tcp_port(const char *key);

#endif
