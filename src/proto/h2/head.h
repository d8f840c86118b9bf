/* Heads as HPACK wants them: an array of names and values, in an arena. What holds for one connection only (RFC 9113 8.2.2)
 * never enters it, whoever calls. Names are made lower case by nghttp2, which copies them.
 * Threading: one owner. Values are views: they live until the array was submitted. */
#ifndef PROTO_H2_HEAD_H
#define PROTO_H2_HEAD_H

#include <nghttp2/nghttp2.h>

#include "http/fields.h"

struct h2_head {
    nghttp2_nv *items;
    size_t count, capacity;
};

/* How many lines ("Name: value\r\n") there are. */
size_t h2_head_count_lines(struct str lines);
/* Room for exactly `capacity`; false when the arena's budget is exhausted. */
bool h2_head_init(struct h2_head *head, struct arena *arena, size_t capacity);
void h2_head_add(struct h2_head *head, struct str name, struct str value);
/* All that may stand in HTTP/2 but those whose FIELD_BIT is in `except`; TE only as "trailers". */
void h2_head_add_fields(struct h2_head *head, const struct fields *fields, uint64_t except);
/* Ready lines of the proxy's own. */
void h2_head_add_lines(struct h2_head *head, struct str lines);

#endif
