/* A configuration file -> a tree of nodes. For the main file and for those of the file provider.
 * YAML and JSON (which YAML reads); TOML is refused with a word about it. Calls block. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/node.h"

#define LOAD_BYTES_MAX (16u << 20)

enum load_kind {
    LOAD_MAIN,      /* templates may stand inside of values, for whoever reads these */
    LOAD_DYNAMIC    /* a file-provider file: templates are an error, but for {{ env "NAME" }} */
};

/* NULL when it could not be read to its end, which is reported. See yaml_read for the rest. */
struct node *load_file(const char *path, enum load_kind kind, struct arena *arena,
                       struct diag *diag);
/* The same, and *ret_content is the file as it was read (in the arena), without data when it was not. */
struct node *load_file_keeping(const char *path, enum load_kind kind, struct arena *arena,
                               struct diag *diag, struct str *ret_content);
/* The same for a text that is at hand. */
struct node *load_text(struct str name, struct str content, enum load_kind kind,
                       struct arena *arena, struct diag *diag);
/* Whether a directory's entry is a configuration file: .yaml, .yml, .json, not hidden. */
bool load_is_file_name(struct str name);

#endif
