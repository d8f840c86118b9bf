/* The words of nginx.conf, by nginx's rules of quoting, escapes, comments and braces.
 *
 * A word ends at white space, ';' or '{'; a '}' within one is an ordinary character, and so is '{' right behind a '$'. Quotes count
 * only at a word's beginning; behind the closing one only white space, ';', '{' or ')' may stand. A backslash takes the special
 * meaning of the next character; it is taken out itself before quotes and another backslash, and \t \r \n are what they say;
 * otherwise it stays (so regular expressions need no doubling). '#' begins a comment where a word could begin.
 * Ownership: texts are views of the source, or lie in the arena when they had escapes. */
#ifndef CONFIG_NGINX_LEX_H
#define CONFIG_NGINX_LEX_H

#include "config/nginx/tree.h"

enum nginx_token {
    NGINX_TOKEN_WORD,
    NGINX_TOKEN_SEMICOLON,
    NGINX_TOKEN_OPEN,
    NGINX_TOKEN_CLOSE,
    NGINX_TOKEN_COMMENT,
    NGINX_TOKEN_END,              /* of the text; `unfinished` tells whether a word was going on */
};

struct nginx_lexer {
    const struct source *source;
    struct arena *arena;
    struct diag *diag;            /* NULL: nothing is reported */
    size_t at, line_start;
    size_t end;                   /* of what is text: a zero byte ends it (reported) */
    uint32_t line;
    bool unfinished;
    struct nginx_word word;       /* the last word; of a comment its text, without '#' */
    struct span span;             /* of the last token */
};

void nginx_lex_begin(struct nginx_lexer *lexer, const struct source *source, struct arena *arena, struct diag *diag);
enum nginx_token nginx_lex(struct nginx_lexer *lexer);

#endif
