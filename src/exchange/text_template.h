/* Texts with variables, as options have them: "${scheme}://${host}${request_uri}".
 *
 * Grammar: "${name}" is a variable (exchange/variable.h); everything else is itself, a '$' without '{' too. nginx.conf's "$name" is
 * turned into this by its front end. A template is read once, at configuration time, and evaluated into the exchange's arena.
 * Threading: const once made; evaluation on the worker's thread. */
#ifndef EXCHANGE_TEXT_TEMPLATE_H
#define EXCHANGE_TEXT_TEMPLATE_H

#include "exchange/compile.h"

struct exchange;
struct text_template;

/* NULL after an error, which is reported at `span` (an unknown variable, with a suggestion). Lives in compile->arena. */
const struct text_template *text_template_new(struct str text, struct compile *compile, struct span span);
/* It has no variables: evaluating gives a view of the text itself. */
bool text_template_is_constant(const struct text_template *template);
/* The text for this exchange: in its arena, a view of the request or of the configuration. Empty where a variable has no value, or
 * the arena's budget is used up. */
struct str text_template_text(const struct text_template *template, struct exchange *x);
/* The same, but what regular expressions have captured ("${1}" to "${9}") is escaped as in a query: for URIs that are made of parts of
 * decoded ones. */
struct str text_template_escaped(const struct text_template *template, struct exchange *x);
/* Whether a text has "${name}" in it; for option checks that want constants. */
bool text_template_is_in(struct str text);

#endif
