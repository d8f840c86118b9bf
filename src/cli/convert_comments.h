/* Where the comments of nginx.conf belong in the tree that came of it: above the first node that came of the directive, or of the
 * block that the directive stands in where nothing came of it; those of the main level that nothing came of stand at the top.
 * Ownership: texts in the arena. */
#ifndef CLI_CONVERT_COMMENTS_H
#define CLI_CONVERT_COMMENTS_H

#include "base/map.h"
#include "config/nginx/tree.h"
#include "base/node.h"

struct convert_comments {
    struct arena *arena;
    struct map places;            /* a place in a file -> the directive that stands there */
    struct map nodes;             /* a directive -> the first node of it, in the order of writing */
    struct map texts;             /* a node -> its comment */
    struct str top;               /* what belongs to none */
};

void convert_comments_init(struct convert_comments *comments, const struct nginx_directive *tree, const struct node *root,
                           struct arena *arena);
void convert_comments_release(struct convert_comments *comments);
/* A yaml_comment. */
struct str convert_comment(void *context, const struct node *node);

#endif
