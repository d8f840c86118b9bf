/* The parts of Go's syntax that stand for one character: escapes, sets (\d, \pL) and classes
 * ([a-z]). Used by regex_syntax.c alone; the rules on errors and output are those of
 * regex_syntax.h. */
#ifndef ROUTE_REGEX_CLASS_H
#define ROUTE_REGEX_CLASS_H

#include "route/regex_syntax.h"

/* Records the first error; always false. */
bool regex_fail(struct regex_syntax *syntax, size_t offset, const char *error);
/* Writes a character that stands for itself, in a class or outside. */
void regex_add_character(struct regex_syntax *syntax, uint32_t character);

/* "\n", "\x7f", "\x{2014}", "\123", "\.": the character behind the backslash at *at. */
bool regex_read_escape(struct regex_syntax *syntax, struct str in, size_t *at,
                       uint32_t *ret_character);
/* \d \D \w \W \pL \P{Greek}, in a class or outside; true when there was one (or syntax->error is
 * set). */
bool regex_read_set(struct regex_syntax *syntax, struct str in, size_t *at);
/* "[...]" at *at. */
bool regex_read_class(struct regex_syntax *syntax, struct str in, size_t *at);

#endif
