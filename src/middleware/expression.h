/* Conditions that users write over measured values: "NetworkErrorRatio() > 0.3 && !(RequestThreshold() < 10)".
 *
 *     or         = and *("||" and)
 *     and        = not *("&&" not)
 *     not        = "!" not / comparison
 *     comparison = operand [("<" / "<=" / ">" / ">=" / "==" / "!=") operand]
 *     operand    = number / name "(" [number *("," number)] ")" / "(" or ")"
 *
 * Types are checked when it is parsed: what is compared are numbers, what is combined are claims. Arguments are
 * constants. Compiled once in an arena, then const and shared by threads. */
#ifndef MIDDLEWARE_EXPRESSION_H
#define MIDDLEWARE_EXPRESSION_H

#include "base/arena.h"

#define EXPRESSION_ARGUMENTS_MAX 4
#define EXPRESSION_CALLS_MAX 16

struct expression_function {
    const char *name;       /* case matters */
    unsigned arguments;
    bool claims;            /* gives true or false (1 or 0), not a number */
};

/* A use of a function. `index` counts the calls of one expression from 0. */
struct expression_call {
    unsigned function;      /* index into the table */
    unsigned index;
    double arguments[EXPRESSION_ARGUMENTS_MAX];
};

struct expression_node;
struct expression {
    const struct expression_node *root;
    const struct expression_call *calls[EXPRESSION_CALLS_MAX];
    unsigned call_count;
};

/* False on error: *ret_error (literal or in the arena) says what, *ret_offset where. `functions` ends with name NULL. */
bool expression_parse(struct str text, const struct expression_function *functions, struct arena *arena,
                      struct expression *ret_expression, struct str *ret_error, size_t *ret_offset);

/* The value of one call at this moment. */
typedef double (*expression_value)(const void *context, const struct expression_call *call);
bool expression_is_true(const struct expression *expression, expression_value value, const void *context);

#endif
