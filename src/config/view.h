/* Option structs back as JSON, by their tables: names as in YAML, values as a user would write them (durations "1m30s" in Traefik's
 * form, sizes as numbers, enums by name). Options that have their default are left out unless asked for; secrets are "xxxx".
 * Pure; any thread that may read the model. */
#ifndef CONFIG_VIEW_H
#define CONFIG_VIEW_H

#include "base/json.h"
#include "base/option.h"

enum view_wish { VIEW_DEFAULTS = 1 /* also what has its default */ };

/* The members of `value` into the object that is open in `json`; a CHOICE as "<type>": {...}. */
void view_members(const struct option_table *table, const void *value, unsigned wishes, struct json *json);
/* The same as an object of its own. */
void view_object(const struct option_table *table, const void *value, unsigned wishes, struct json *json);
/* Each option that was said, flat: [{"path": "entryPoints.web.address", "value": "\":80\"", "source": "portico.yaml:3:5"}]. */
void view_sources(const struct option_table *table, const void *value, struct json *json);

#endif
