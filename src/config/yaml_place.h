/* From libyaml's marks, which count characters, to lines and columns in bytes.
 * Marks arrive nearly in order, so a cursor that walks along the text makes all of them cost one pass. */
#ifndef CONFIG_YAML_PLACE_H
#define CONFIG_YAML_PLACE_H

#include "base/diag.h"

struct yaml_place {
    const struct source *source;
    size_t index;        /* characters before the cursor */
    size_t offset;       /* bytes before the cursor */
    size_t line_start;   /* offset of the cursor's line */
    uint32_t line;       /* from 1 */
};

void yaml_place_init(struct yaml_place *place, const struct source *source);
/* From one character to another, on the first one's line at most; at least 1 long. */
struct span yaml_place_span(struct yaml_place *place, size_t from_index, size_t to_index);
/* From a character to the end of its line, white space and comments behind it left out. */
struct span yaml_place_line(struct yaml_place *place, size_t from_index);
/* By bytes, for places in text that is not valid UTF-8. */
struct span yaml_place_byte(struct yaml_place *place, size_t offset);

#endif
