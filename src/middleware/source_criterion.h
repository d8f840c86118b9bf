/* By what requests are told apart when they are counted: the client's address, a header field, or
 * the host. Threading: compiled sources are const. */
#ifndef MIDDLEWARE_SOURCE_CRITERION_H
#define MIDDLEWARE_SOURCE_CRITERION_H

#include "middleware/ip_strategy.h"

/* Options; at most one of the three. */
struct source_criterion {
    const struct node *origin;
    struct ip_strategy *ip_strategy;
    struct str request_header_name;
    bool request_host;
};
extern const struct option_table source_criterion_table;

enum source_kind { SOURCE_ADDRESS, SOURCE_FIELD, SOURCE_HOST };
struct source_rule {
    enum source_kind kind;
    enum field_id field;
    struct str field_name;
    struct ip_rule rule;
};

/* `fallback` where `options` are NULL or name none of the three. */
struct source_rule source_from(const struct source_criterion *options, enum source_kind fallback,
                               struct arena *arena);
/* The key of a request's source, never 0. A seeded 64-bit hash stands for the source itself: two
 * of a hundred thousand sources share one with a chance of 1 in 3,000 million, and nobody outside
 * can look for such a pair. Requests whose source cannot be told share one key. */
uint64_t source_key(const struct source_rule *source, const struct exchange *x);

/* The same for people, in `memory` (SOURCE_TEXT_SIZE bytes) or a view into the request. Of a header field, which may be a key
 * or a password, only the beginning is shown. */
#define SOURCE_TEXT_SIZE 96
struct str source_text(const struct source_rule *source, const struct exchange *x, char *memory);
/* "clientAddress", "header X-Api-Key", "host": what sources are told apart by, in `memory`. */
struct str source_kind_text(const struct source_rule *source, char *memory);

#endif
