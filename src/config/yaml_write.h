/* A tree of nodes -> YAML that yaml_read gives back as the same tree: block style, quotes exactly where they are needed.
 *
 * Texts are plain where plain is read as the same text; else in single quotes; in double quotes only for line ends and other
 * control characters. Bytes that are no UTF-8 become U+FFFD: YAML cannot say them. Threading: none shared. No I/O. */
#ifndef CONFIG_YAML_WRITE_H
#define CONFIG_YAML_WRITE_H

#include "base/node.h"

/* The comment that belongs above a node (a member or an item), lines without '#'; empty: none. */
typedef struct str (*yaml_comment)(void *context, const struct node *node);

/* `comment` may be NULL. */
void yaml_write(const struct node *root, yaml_comment comment, void *context, struct text *out);
/* Comment lines, each with its '#', at the beginning of lines. */
void yaml_write_comment(struct str comment, struct text *out);

#endif
