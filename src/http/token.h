/* Tokens, lists and quality values in field values (RFC 9110 5.6, 12.4.2). Pure. */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include "base/arena.h"

/* Whether a byte is a tchar. */
extern const bool token_char[256];

bool token_is_valid(struct str text);             /* 1*tchar */
bool token_is_field_value(struct str text);       /* no CTL but HTAB; obs-text allowed */
/* For options (base/option.h). */
const char *token_field_value_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);
/* Next member of a comma-separated list, trimmed, empty ones skipped, quoted strings kept whole. */
bool token_next(struct str *rest, struct str *ret_member);
/* The list has the token, case ignored. */
bool token_list_has(struct str list, struct str token);
/* A member's parameter ("q" of "gzip;q=0.5"): its value unquoted (backslashes stay), or data NULL. *ret_bare
 * gets the part before ";"; it may be NULL. */
struct str token_parameter(struct str member, struct str name, struct str *ret_bare);
/* "0.5" -> 500; 1000 when text is empty; -1 when malformed. */
int token_quality(struct str text);
/* The q (0..1000) of `coding` in an Accept-Encoding value, "*" considered; `absent` when not listed. */
int token_accepts(struct str accept, struct str coding, int absent);

#endif
