/* Saying things as nginx does, for programs that read it: "nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3". */
#ifndef CLI_NGINX_WORDS_H
#define CLI_NGINX_WORDS_H

#include "base/diag.h"

/* "unknown directive "x" in /etc/nginx/nginx.conf:3 (did you mean "y"?)". */
void nginx_words_item(const struct diag_item *item, struct text *out);
/* Errors and warnings on standard error, and in the file `log_path` (NULL: none) as lines of a log; below an error its line with a
 * caret. `quiet`: no warnings. */
void nginx_words_show(struct diag *diag, const char *log_path, bool quiet);
/* "nginx: " and a line, on standard error. */
void nginx_words_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same as "[error] ...", in the file as well. */
void nginx_words_fail(const char *log_path, const char *level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
