/* The text of nginx.conf as a tree of directives, includes in place, each with its span in its own file. No meaning yet: that a
 * directive is known, and where it may stand, is checked against the syntax table (config/nginx/syntax.h) while reading.
 *
 * Messages follow nginx's words where it has any ("unknown directive "x"", "invalid number of arguments in "x" directive",
 * "unexpected "}""), so that people find them; ours have a caret and a suggestion besides.
 * Ownership: everything lives in the arena. Blocks on files. Threading: none shared. */
#ifndef CONFIG_NGINX_TREE_H
#define CONFIG_NGINX_TREE_H

#include "base/diag.h"
#include "base/map.h"

struct nginx_syntax;

struct nginx_word {
    struct str text;              /* unquoted, escapes taken out as nginx does */
    struct span span;
    bool quoted;
};

struct nginx_directive {
    struct str name;
    struct span span;             /* of the name */
    const struct nginx_syntax *syntax;      /* NULL: unknown (reported), or a row of a raw block */
    struct nginx_word *words;     /* its arguments, without the name; a row of a raw block has its first word as name */
    size_t count;
    bool block;
    struct nginx_directive *first, *last, *next, *parent;
    struct nginx_directive *same; /* the next one of this name at this level; NULL: none, or a row of a raw block */
    struct str comment;           /* the lines of comment right above it and behind it, without '#'; empty: none */
};

/* What reading needs to know, and a file as it was read. */
struct nginx_files {
    struct str prefix;            /* relative paths begin here, with a slash at its end */
    struct str conf_prefix;       /* the folder of the main file: for include and the files that directives name */
    /* Told of each file that is read, and each pattern's folder; for watching. May be NULL. */
    void (*note)(void *context, struct str path);
    void *context;
    /* Each file once, in the order of reading: for -T. */
    struct nginx_file {
        struct str path, content;
    } *files;
    size_t count;
};

#define NGINX_FILE_MAX ((size_t)16 << 20)       /* bytes of one file */
#define NGINX_FILES_BYTES_MAX ((size_t)256 << 20)       /* of all that includes bring in */
#define NGINX_INCLUDES_MAX 20000                /* files read, each as often as it is included */
#define NGINX_INCLUDE_DEPTH_MAX 32
#define NGINX_DEPTH_MAX 100                     /* blocks within blocks */

/* The main file's tree: a directive without a name whose children are the main context's. NULL when it could not be read to its end
 * (reported). Other mistakes are reported and the tree is given: look at diag->errors. */
struct nginx_directive *nginx_read(struct str path, struct nginx_files *files, struct arena *arena, struct diag *diag);
/* The same for a text at hand (`-g`, tests, fuzzing): includes are read as ever unless `files` is NULL, which refuses them. */
struct nginx_directive *nginx_read_text(struct str name, struct str content, struct nginx_files *files, struct arena *arena,
                                        struct diag *diag);
/* Is this the text of an nginx.conf rather than YAML? By its first directive: words, then ';' or '{'. */
bool nginx_looks_like(struct str content);

#define NGINX_FOREACH(block, it) \
    for (struct nginx_directive *it = (block) != NULL ? (block)->first : NULL; it != NULL; it = it->next)

#endif
