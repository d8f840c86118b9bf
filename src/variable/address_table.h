/* Networks and ranges of addresses, each with a value: the smallest that has an address counts. Looking one up costs a binary search
 * however they are nested.
 *
 * Ownership: address_table_release; const and shared once settled. IPv4 and IPv6 are apart: "::/0" has no IPv4 address. Pure. */
#ifndef VARIABLE_ADDRESS_TABLE_H
#define VARIABLE_ADDRESS_TABLE_H

#include "base/vec.h"
#include "net/addr.h"

struct address_range {
    struct ip first, last;
    const void *value;
};

struct address_table {
    VEC(struct address_range) ranges;     /* as they were added; then, sorted, those that do not overlap */
};

/* False when it is neither a network nor a range ("10.0.0.1-10.0.0.9"). */
bool address_range_parse(struct str text, struct ip *ret_first, struct ip *ret_last);
void address_table_add(struct address_table *table, const struct ip *first, const struct ip *last, const void *value);
/* When all were added. False when two overlap and neither is within the other; those two are given. */
bool address_table_settle(struct address_table *table, struct address_range *ret_one, struct address_range *ret_other);
void address_table_release(struct address_table *table);
/* NULL: no range has it. */
const void *address_table_find(const struct address_table *table, const struct ip *ip);

#endif
