/* Option structs back as JSON, by their tables: names as in YAML, values as a user would write them (durations as Go prints them,
 * "1m30s", sizes as numbers, enums by name). Secrets are "xxxx". What is read without effect is not shown.
 * Pure; any thread that may read the model. */
#ifndef CONFIG_VIEW_H
#define CONFIG_VIEW_H

#include "base/json.h"
#include "base/option.h"

enum view_wish {
    VIEW_SAID = 0,          /* what differs from its default, and objects that are there */
    VIEW_DEFAULTS = 1,      /* everything that is there */
    VIEW_FILLED = 2,        /* what is neither false, nor zero, nor empty, default or not: as Traefik's API */
};

/* The members of `value` into the object that is open in `json`; a CHOICE as "<type>": {...}. */
void view_members(const struct option_table *table, const void *value, enum view_wish wish, struct json *json);
/* The same as an object of its own. */
void view_object(const struct option_table *table, const void *value, enum view_wish wish, struct json *json);
/* Each option that was said, flat, as an array: [{"path": "entryPoints.web.address", "value": ":80", "source":
 * "portico.yaml:3:5"}]. `source`: null for what nobody wrote. Each of `value` and what is in it must know its node. */
void view_sources(const struct option_table *table, const void *value, struct json *json);
/* The same into an array that is open, each path behind `prefix` ("http"). */
void view_source_items(const struct option_table *table, const void *value, struct str prefix, struct json *json);

#endif
