/* Opening what lies under one folder, and nothing else.
 *
 * A name that came from outside is decoded and checked first (tree_name); it is then opened relative to the folder's
 * descriptor with the kernel's own promise that no step of the resolution leaves it (openat2, RESOLVE_BENEATH): neither "..", nor
 * a symbolic link, nor a rename at the wrong moment leads out. Kernels without openat2 (before 5.6, or behind a seccomp
 * filter) walk one component at a time and follow no symbolic links at all. Only regular files and folders are opened; a FIFO
 * or a device is neither waited for nor read.
 *
 * The folder is opened anew once a second, so a path whose last part is a symbolic link may be swapped under a running
 * server, as deployments do. Threading: one tree for all workers, a descriptor for each. */
#ifndef FILES_TREE_H
#define FILES_TREE_H

#include <sys/stat.h>

#include "base/arena.h"
#include "base/status.h"
#include "net/worker.h"

struct tree_root {
    int fd;                      /* -1: not open */
    int64_t checked_at;          /* monotonic ns */
};

struct tree {
    const char *path;
    struct tree_root *roots;     /* by worker->index */
    unsigned workers;
    bool hidden;                 /* names that begin with a dot are names as others */
    bool follow;                 /* symbolic links that stay inside are followed */
    bool openat2;                /* the kernel has it */
};

struct tree_file {
    int fd;                      /* the caller's to close */
    struct stat stat;            /* of a regular file or a folder */
};

/* `path` is copied into the arena, which outlives the tree. */
void tree_init(struct tree *tree, struct arena *arena, struct str path, unsigned workers);
/* No worker uses it any more. */
void tree_release(struct tree *tree);

/* The name in the tree that a raw path ("/a%20b/c") stands for: decoded, no slash in front, "." for the folder itself; a slash
 * at the end stays. In `arena`, NUL-terminated. FILE_NOT_FOUND for what can name nothing here: bad escapes, an encoded slash or
 * NUL, a backslash, ".." and ".", and hidden parts (".well-known" at the beginning is never hidden, RFC 8615). OUT_OF_MEMORY. */
enum status tree_name(const struct tree *tree, struct arena *arena, struct str path, struct str *ret_name);
/* Whether one part of a name (a folder's entry) may be seen: the rules of tree_name. */
bool tree_shows(const struct tree *tree, struct str part);

/* Opens for reading; `name` is one that tree_name gave, alone or with parts that tree_shows behind it (NULL: OUT_OF_MEMORY). OK; FILE_NOT_FOUND; FILE_FORBIDDEN (permissions, a link that leads out, neither file nor folder);
 * OVERLOADED (no descriptors); FILE_ERROR, the folder itself not being there among it. */
enum status tree_open(struct tree *tree, struct worker *worker, const char *name, struct tree_file *ret_file);
/* The kernel's part of it for a folder that is open: -1 and errno. */
int tree_open_beneath(int folder, const char *name, int flags);
/* The same without opening: only what it is. */
enum status tree_look(struct tree *tree, struct worker *worker, const char *name, struct stat *ret_stat);

#endif
