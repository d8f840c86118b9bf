/* Rules: Host(`a.example`) && (PathPrefix(`/api`) || !Method(`GET`)), read into a tree of terms.
 *
 * Two front ends write the same tree: the v3 language (one value a matcher) and `ruleSyntax: v2`
 * (several values, Headers, HeadersRegexp, HostHeader, gorilla's {name:regex}). Values are checked
 * and put into the form that matching needs: hosts in lower case, networks parsed, regexes
 * compiled.
 *
 * Ownership: everything lives in the arena given to rule_parse, regexes in the regex_set; both
 * outlive the rule. Threading: a rule is const once parsed. Bounds: 64 KiB of text, 4,096 terms, 64
 * levels of nesting. */
#ifndef ROUTE_RULE_H
#define ROUTE_RULE_H

#include "base/diag.h"
#include "http/fields.h"
#include "http/message.h"
#include "model/http.h"
#include "net/addr.h"
#include "route/regex_set.h"

#define RULE_TEXT_MAX 65536
#define RULE_TERMS_MAX 4096
#define RULE_DEPTH_MAX 64
#define RULE_FAULTS_MAX 16

enum matcher {
    MATCH_HOST,       /* value: the host as struct request has it */
    MATCH_HOST_BELOW, /* Host(`*.d`): value is ".d"; exactly one label before it */
    MATCH_HOST_ANY,   /* Host(`*`) */
    MATCH_HOST_REGEXP,
    MATCH_PATH,
    MATCH_PATH_PREFIX,
    MATCH_PATH_REGEXP,
    MATCH_METHOD,
    MATCH_HEADER,
    MATCH_HEADER_REGEXP,
    MATCH_QUERY,
    MATCH_QUERY_REGEXP, /* regex NULL: any value */
    MATCH_CLIENT_IP,
};

enum term_kind { TERM_MATCHER, TERM_AND, TERM_OR, TERM_NOT };

struct term {
    uint8_t kind;              /* enum term_kind */
    uint8_t matcher;           /* TERM_MATCHER: enum matcher */
    uint8_t method;            /* MATCH_METHOD: enum method */
    uint8_t field;             /* headers: enum field_id */
    bool first_value;          /* queries: only the key's first value counts (v2) */
    uint32_t offset, length;   /* where it stands in the rule's text */
    struct term *first, *next; /* AND, OR, NOT: operands in order */
    struct str value;          /* what to compare with; the pattern of a regexp */
    union {
        struct {
            struct str name;   /* header or query: its key */
            const struct regex *regex;
        };
        struct network network; /* MATCH_CLIENT_IP */
    };
};

struct rule {
    struct str text;
    struct term *root;
    uint32_t terms;
};

/* Something wrong with a rule. A warning leaves the rule as valid as Traefik thinks it is: it says
 * that a matcher can never match. */
struct rule_fault {
    uint32_t offset, length; /* in the rule's text; length may be 0 at its end */
    bool warning;
    struct str message;
    struct str hint; /* what to write instead; may be empty */
};

struct rule_faults {
    struct rule_fault items[RULE_FAULTS_MAX]; /* further ones are only counted */
    size_t count, errors;
};

/* NULL when ret_faults->errors > 0; there may be warnings beside a rule. `text` outlives it.
 * RULE_DEFAULT is v3. */
const struct rule *rule_parse(struct str text, enum rule_syntax syntax, struct regex_set *regexes,
                              struct arena *arena, struct rule_faults *ret_faults);
/* Reports them where the rule stands: `span` is the rule's text in its source. */
void rule_report(const struct rule_faults *faults, struct span span, struct diag *diag);

/* The part of the rule's text that a term was read from. */
static inline struct str rule_text(const struct rule *rule, const struct term *term)
{
    return str_of(rule->text.data + term->offset, term->length);
}
/* Exact and wildcard hosts that the rule asks for and does not negate ("a.example", "*.b.example"),
 * in order, for certificates. */
struct strs rule_hosts(const struct rule *rule, struct arena *arena);

#endif
