/* Labels (of a container, a key-value store) -> a tree of nodes, by Traefik's rules:
 * "traefik.http.routers.api.rule" is http.routers.api.rule. Keys ignore case, `[n]` is an item of a list, and
 * `portico.` is read as well as `traefik.`, and wins. Labels of others are left alone; one that looks like a
 * misspelt prefix is a warning.
 *
 * Whether the paths mean something is the binder's to say. Ownership: everything lives in the arena. */
#ifndef CONFIG_LABELS_H
#define CONFIG_LABELS_H

#include "base/node.h"

struct label {
    struct str key, value;
    struct span key_span, value_span;    /* where they stand, in a Compose file; none: the label is its own place */
};

/* Never NULL: a NODE_MAP. In the order of the keys, whatever the order of `labels`. `owner` is named in places ("container web-1:
 * traefik.http...", empty: the label alone). */
struct node *labels_read(const struct label *labels, size_t count, struct str owner, struct arena *arena,
                         struct diag *diag);

#endif
