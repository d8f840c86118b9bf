/* What the files that read nginx.conf share: tree.c (blocks), include.c (files), check.c (what the syntax table says), foreign.c
 * (directives of modules that are not here). Nothing else includes it. */
#ifndef CONFIG_NGINX_READER_H
#define CONFIG_NGINX_READER_H

#include "base/text.h"
#include "base/vec.h"
#include "config/nginx/lex.h"
#include "config/nginx/syntax.h"

/* One level of nesting while it is read. */
struct nginx_level {
    struct nginx_directive *block;
    enum nginx_context context;
    bool raw;                     /* rows of words */
    bool silent;                  /* inside of what was reported as a whole: only braces are counted */
    size_t depth;
    struct map last;              /* name -> the last directive of that name here */
};

/* A file that is being read; the innermost include first. */
struct nginx_open_file {
    struct str path;
    const struct nginx_open_file *outer;
};

struct nginx_reader {
    struct arena *arena;
    struct diag *diag;
    struct nginx_files *files;
    const struct nginx_open_file *open;
    VEC(struct nginx_word) words; /* of the directive that is being read */
    struct text comment;          /* lines that wait for their directive */
    struct map noted;             /* names whose note was given: once is enough */
    size_t includes, include_depth, bytes;
    bool stopped;                 /* by a bound: the ends of open blocks are no mistakes then */
};

/* Reads the directives of one text into a level, to the text's end (whole) or the block's "}". */
void nginx_read_level(struct nginx_reader *reader, struct nginx_lexer *lexer, struct nginx_level *level, bool whole);

/* `include`: the files of its pattern, read into the level. */
void nginx_include(struct nginx_reader *reader, struct nginx_level *level, const struct nginx_directive *directive);
/* A whole file as a source, put into files->files. NULL after an error, reported at `span`. */
const struct source *nginx_open(struct nginx_reader *reader, struct str path, struct span span);

/* Looks the directive up and checks what the table says of it. Gives the level of its block, if it has one: context, raw, silent. */
void nginx_check(struct nginx_reader *reader, const struct nginx_level *level, struct nginx_directive *directive,
                 struct nginx_level *ret_inside);
/* For a directive that no table has: why it is not here and what to use instead. NULL: it does no harm, because of *ret_noted, or
 * nobody ever heard of it (that is NULL too). */
const char *nginx_foreign(struct str name, const char **ret_noted);

#endif
