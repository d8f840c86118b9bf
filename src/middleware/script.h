/* Scripts: a list of small steps that a request passes (set, rewrite, return, if, break), as a program of instructions in a row.
 *
 * The steps have nginx's semantics. A true `if` runs its own steps in place; where it names a router, the request goes on in that
 * router of the same site first, and the script (the if's steps, then what follows the if) in the next `script` of its chain: the
 * visit keeps the place (struct script_place). So what a branch configures for responses holds for what its steps answer.
 *
 * Ownership: programs lie in the graph's arena and are const. Threading: the worker's. */
#ifndef MIDDLEWARE_SCRIPT_H
#define MIDDLEWARE_SCRIPT_H

#include "exchange/capture.h"
#include "exchange/middleware.h"
#include "exchange/text_template.h"
#include "exchange/variable.h"
#include "exchange/visit.h"

enum script_test {
    SCRIPT_IS_TRUE,               /* neither empty nor "0" */
    SCRIPT_EQUALS,
    SCRIPT_MATCHES,
    SCRIPT_IS_FILE,
    SCRIPT_IS_DIRECTORY,
    SCRIPT_EXISTS,                /* a file or a directory */
    SCRIPT_IS_EXECUTABLE,
};

struct script_condition {
    enum script_test test;
    bool negative;
    const struct text_template *value, *operand;      /* operand: of EQUALS */
    const struct capture *regex;      /* of MATCHES */
};

struct script_rewrite {
    const struct capture *regex;
    const struct text_template *path;     /* of a redirect: the whole of its target */
    const struct text_template *query;    /* NULL: the replacement has none of its own */
    bool keeps_query;             /* the request's own is added */
    bool has_mark;                /* of a redirect: its target has a "?" already */
    bool stops;
    bool stays;                   /* ... in this location */
    int redirect;                 /* status; 0: none */
};

struct script_return {
    int status;
    const struct text_template *text;     /* NULL: the customary page of an error, nothing for the others */
    bool is_location;             /* `text` is where the client is sent */
};

enum script_operation { SCRIPT_SET, SCRIPT_IF, SCRIPT_REWRITE, SCRIPT_RETURN, SCRIPT_BREAK };

struct script_instruction {
    enum script_operation operation;
    union {
        struct {
            const struct variable *variable;
            const struct text_template *value;
        } set;
        struct {
            const struct script_condition *condition;
            unsigned end;                     /* where it goes on when the condition is false */
            struct router *const *router;     /* NULL: it stays */
        } branch;
        const struct script_rewrite *rewrite;
        const struct script_return *answer;
    };
};

struct script_program {
    struct script_instruction *instructions;
    unsigned count;
};

/* script_steps.c: the options of a list of steps become a program; false after reporting. */
extern const struct option_table script_step_table;
bool script_compile(struct script_program *program, const struct objects *steps, struct compile *compile);

/* script_run.c: goes on at `place`, which moves. NEXT: the end was reached or a step said to stop (*ret_stopped). */
enum verdict script_run(struct exchange *x, struct script_place *place, bool *ret_stopped);
/* script_condition.c */
bool script_holds(const struct script_condition *condition, struct exchange *x, bool escaped);
/* script_rewrite.c: rewrites the request if the expression matches its path. NEXT (*ret_matched says which), or ANSWER. */
enum verdict script_rewrite(const struct script_rewrite *rewrite, struct exchange *x, bool *ret_matched);

/* Captures of a target that came with escapes are escaped where they become part of one. */
bool script_target_was_escaped(const struct exchange *x);

#endif
