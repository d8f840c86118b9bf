/* Fields that a configuration sets or removes, compiled: what `headers` and its kin apply to a
 * message. Threading: compiled edits are const. */
#ifndef MIDDLEWARE_FIELD_EDITS_H
#define MIDDLEWARE_FIELD_EDITS_H

#include "base/option.h"
#include "exchange/compile.h"
#include "http/fields.h"

struct field_edit {
    struct str name, value; /* an empty value removes the field */
    enum field_id id;
};
struct field_edits {
    struct field_edit *items;
    size_t count, capacity;
};

/* Room for `capacity` edits. */
void field_edits_init(struct field_edits *edits, size_t capacity, struct arena *arena);
void field_edits_add(struct field_edits *edits, struct str name, struct str value);
/* The edits of a map option, which `key` names under `origin`; bad names and values are reported
 * (then false). Fields that frame a message are ours: they are left out with a warning. */
bool field_edits_compile(struct field_edits *edits, const struct strmap *map,
                         const struct node *origin, struct str key, struct compile *compile);
/* False when the message's memory has run out. */
bool field_edits_apply(const struct field_edits *edits, struct fields *fields);

#endif
