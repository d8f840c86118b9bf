/* The inside of a default rule: what default_rule.c and default_rule_term.c read it into and default_rule_make.c goes through. */
#ifndef PROVIDER_DOCKER_DEFAULT_RULE_TREE_H
#define PROVIDER_DOCKER_DEFAULT_RULE_TREE_H

#include "provider/docker/default_rule.h"

#define TEMPLATE_ARGS_MAX 16
#define TEMPLATE_DEPTH_MAX 64
#define TEMPLATE_TEXT_MAX 65536

enum value_kind {
    VALUE_TEXT,
    VALUE_NUMBER,
    VALUE_TRUTH,
    VALUE_LABELS,
    VALUE_ROOT,       /* what .Name is a field of */
    VALUE_ANY         /* not known while reading: text, number or truth */
};

struct value {
    enum value_kind kind;
    struct str text;
    int64_t number;   /* a truth: 0, 1 */
};

/* One making of a rule. */
struct making {
    const struct default_rule_input *input;
    struct arena *arena;
    struct str why;   /* why it failed; empty: it did not */
};

/* A word that can be called. `wants` has a letter for each argument: t text, l labels, a anything; the last one again for all that
 * follow when `more`. */
struct word {
    struct str name;
    const char *wants;
    bool more;
    enum value_kind gives;
    struct value (*call)(struct making *making, const struct value *args, size_t count);
};
const struct word *word_find(struct str name);
/* "and, contains, ...": the words that exist. */
struct str word_list(struct arena *arena);
/* What is wrong with a text for printf that asks for `count` values; NULL: nothing. */
const char *word_check_format(struct str format, size_t count);

enum template_term_kind { TEMPLATE_LITERAL, TEMPLATE_ROOT, TEMPLATE_DOT, TEMPLATE_FIELD, TEMPLATE_CALL };
struct template_term {
    enum template_term_kind kind;
    enum value_kind gives;
    size_t offset, length;               /* where it stands */
    struct value value;                  /* TEMPLATE_LITERAL */
    struct str field;                    /* TEMPLATE_FIELD */
    struct template_term *of;
    const struct word *word;             /* TEMPLATE_CALL */
    struct template_term *args[TEMPLATE_ARGS_MAX];
    size_t count;
};

enum part_kind { PART_TEXT, PART_VALUE, PART_IF, PART_WITH };
struct part {
    enum part_kind kind;
    struct str text;
    struct template_term *term;
    struct part *body, *otherwise;
    struct part *next;
};

struct default_rule {
    struct part *first;
};

struct template_reader {
    struct str text;
    size_t at;
    struct span span;
    struct arena *arena;
    struct diag *diag;
    enum value_kind dot;                 /* what '.' is here */
    unsigned depth;
    bool failed;
};

/* Reports at a part of the text; gives NULL for whoever returns it. */
void *template_refuse(struct template_reader *reader, size_t offset, size_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, with the words that exist. */
void *template_refuse_word(struct template_reader *reader, size_t offset, struct str word, const char *what);
static inline bool template_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
void template_skip_space(struct template_reader *reader);
/* Letters, digits and '_' from here on, not taken. */
struct str template_peek_name(const struct template_reader *reader);
/* "}}" or " -}}" is next, not taken. */
bool template_at_end(const struct template_reader *reader);
/* From a value to the end of the action, which is not taken; NULL: a mistake was reported. */
struct template_term *template_read_pipeline(struct template_reader *reader);

#endif
