/* nginx.conf in tests of its reading: trees and complaints as short texts. The directives test_word (one word), test_some (one to
 * three), test_flag, test_many, test_rows (a block of rows) and the usual blocks may be used. */
#ifndef NGINX_TEXT_H
#define NGINX_TEXT_H

#include "config/nginx/tree.h"
#include "fixture.h"

/* "http{ server{ listen(80) }}": what became of a text, words in parentheses joined by '|'. In the fixture's arena. */
const char *nginx_text_tree(struct fixture *f, const struct nginx_directive *root);
/* Every complaint on a line of its own, as diag_render_line puts it, with its severity in front unless it is an error. */
const char *nginx_text_said(struct fixture *f);
struct nginx_directive *nginx_text_read(struct fixture *f, const char *text);

#endif
