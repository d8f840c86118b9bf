/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Bytes of the valid sequence that `s` begins with: 1 to 4; 0 when there is none. */
size_t utf8_sequence(struct str s);
/* Whether all of `s` is UTF-8; the empty str is. */
bool utf8_valid(struct str s);

#endif
