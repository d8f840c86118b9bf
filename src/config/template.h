/* `{{ env "NAME" }}` in configuration files: the one thing of Go's templates that is read. It is replaced in the
 * text, before YAML sees it.
 *
 * Other templates are an error with their place, where they would be one: in a file whose dialect has templates
 * (`everywhere`), or, in any file, where a value begins with them, which YAML would take for a map of maps. */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "base/diag.h"

/* The text with variables filled in: `content` itself when it has none. A variable that is not set is empty, with a
 * warning. `name` is the file's, for the places in reports. */
struct str template_expand(struct str name, struct str content, bool everywhere,
                           struct arena *arena, struct diag *diag);

#endif
