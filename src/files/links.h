/* Opening files by their whole path, with what is said of symbolic links: for roots that are known with the request alone, and for
 * those that links may lead out of. What lies below one folder that is known beforehand is opened by tree.h.
 *
 * Statuses are tree_open's. Threading: none shared. */
#ifndef FILES_LINKS_H
#define FILES_LINKS_H

#include "files/tree.h"

enum links {
    LINKS_INSIDE,      /* followed while they stay in the folder */
    LINKS_ANYWHERE,    /* followed */
    LINKS_OWNED,       /* followed where the link and what it leads to have one owner */
    LINKS_NONE,        /* refused */
};

struct links_rule {
    enum links links;
    size_t base;       /* bytes of the path that are the folder: INSIDE's border; OWNED and NONE do not look at links in it */
};

/* Opens for reading; `look`: only tells what it is, *ret_file has no descriptor then. The path is absolute and NUL-terminated, and has
 * no ".." behind its base. */
enum status links_open(struct str path, const struct links_rule *rule, bool look, struct tree_file *ret_file);
/* What an error of open means: FILE_NOT_FOUND, FILE_FORBIDDEN, OVERLOADED or FILE_ERROR. */
enum status links_status(int error);

#endif
