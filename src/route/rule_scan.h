/* The words of the rule language: names, Go string literals, operators. Pure; one pass, no
 * look-back. */
#ifndef ROUTE_RULE_SCAN_H
#define ROUTE_RULE_SCAN_H

#include "base/arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_BAD /* message and hint say what is wrong */
};

struct token {
    enum token_kind kind;
    uint32_t offset, length;
    struct str text;  /* as it stands in the rule */
    struct str value; /* TOKEN_STRING: what the literal means */
    bool verbatim;    /* TOKEN_STRING: byte i of value is byte offset + 1 + i of the rule */
    const char *message, *hint; /* TOKEN_BAD */
};

/* The token at or after `at`; go on at offset + length. Values that differ from their text live in
 * `arena`. */
struct token token_scan(struct str text, size_t at, struct arena *arena);

#endif
