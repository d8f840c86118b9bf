/* What a request target may be made of, for whoever else reads one: HTTP/2 has it as a pseudo-field. Pure. */
#ifndef PROTO_H1_TARGET_H
#define PROTO_H1_TARGET_H

#include "base/str.h"

/* Where the bytes of a target that begins `text` end: at the end of the text when all of them may stand in one (see
 * h1_parse_request). *ret_question is the first "?" or NULL. */
const char *h1_target_end(struct str text, const char **ret_question);

#endif
