/* From a call in a rule, Host(`a`), to a term: what the parser and the two families of matchers
 * share. */
#ifndef ROUTE_RULE_BUILD_H
#define ROUTE_RULE_BUILD_H

#include "route/rule.h"
#include "route/rule_scan.h"

struct builder {
    struct arena *arena;
    struct regex_set *regexes;
    struct rule_faults *faults;
    enum rule_syntax syntax; /* RULE_V3 or RULE_V2 */
    uint32_t terms;
};

/* A matcher with its values, which were all written as strings and are not empty. */
struct call {
    struct token name;
    const struct token *values;
    size_t count;
    uint32_t offset, length;
};

struct matcher_type {
    const char *name;
    uint8_t least, most; /* values */
    /* The term; NULL after an error was recorded. */
    struct term *(*build)(struct builder *builder, const struct call *call);
};

/* Records a fault; hint may be NULL. */
void fault_error(struct builder *builder, size_t offset, size_t length, const char *message,
                 struct str hint);
void fault_warning(struct builder *builder, size_t offset, size_t length, const char *message,
                   struct str hint);

struct term *builder_term(struct builder *builder, enum term_kind kind, uint32_t offset,
                          uint32_t length);
/* A matcher's term, covering its call. */
struct term *builder_matcher(struct builder *builder, const struct call *call,
                             enum matcher matcher);
/* Compiles `pattern`, faults shown in `value` (at the very place when `pattern` is the value
 * itself). */
const struct regex *builder_regex(struct builder *builder, const struct token *value,
                                  struct str pattern);

/* Values that both languages have. */
struct term *build_host(struct builder *builder, const struct call *call,
                        const struct token *value);
struct term *build_path(struct builder *builder, const struct call *call, const struct token *value,
                        enum matcher matcher);
struct term *build_method(struct builder *builder, const struct call *call,
                          const struct token *value);
struct term *build_client_ip(struct builder *builder, const struct call *call,
                             const struct token *value);
struct term *build_header(struct builder *builder, const struct call *call,
                          const struct token *name, const struct token *value, bool regexp);

/* The families, ending with name NULL. */
extern const struct matcher_type matchers_v3[];
extern const struct matcher_type matchers_v2[];
/* By name, in any case; NULL when there is none. */
const struct matcher_type *matcher_find(const struct matcher_type *types, struct str name);
/* Says that a name is none of this language's matchers, and what to write instead. */
void matcher_unknown(struct builder *builder, const struct call *call);
/* Whether the value holds gorilla's {name} or {name:regex}. */
bool template_in(struct str value);
/* Writes a v2 template as an anchored regex ("/a/{id:[0-9]+}" -> "^/a/(?:[0-9]+)$"); `stand_in` is
 * what {name} alone means. NULL, or what is wrong with it. */
const char *template_regex(struct str value, const char *stand_in, bool prefix, struct text *out);

#endif
