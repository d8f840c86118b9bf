/* What view.c and view_sources.c share: where an option's value is, and one value as JSON. */
#ifndef CONFIG_VIEW_VALUE_H
#define CONFIG_VIEW_VALUE_H

#include "base/json.h"
#include "base/option.h"

static inline const void *view_storage(const void *value, const struct option *option)
{
    return (const char *)value + option->offset;
}
/* False for names that are only read: they have no value of their own. */
static inline bool view_is_stored(const struct option *option)
{
    return option->removed == NULL && option->accepted == NULL;
}
/* Empty when no name stands for it. */
struct str view_enum_text(const struct option *option, int value);
/* All types but objects and what holds them. Secrets are "xxxx". */
void view_value(const struct option *option, const void *storage, struct json *json);

#endif
