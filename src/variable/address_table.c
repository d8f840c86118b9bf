#include "variable/address_table.h"

#include <stdlib.h>
#include <string.h>

static int compare(const struct ip *a, const struct ip *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static struct ip next_to(const struct ip *ip, int step)
{
    struct ip moved = *ip;
    for (int i = 15; i >= 0; i--) {
        moved.bytes[i] = (uint8_t)(moved.bytes[i] + step);
        if (moved.bytes[i] != (step > 0 ? 0 : 0xff))
            break;
    }
    return moved;
}

static bool is_edge(const struct ip *ip, uint8_t byte)
{
    for (size_t i = 0; i < sizeof(ip->bytes); i++)
        if (ip->bytes[i] != byte)
            return false;
    return true;
}

bool address_range_parse(struct str text, struct ip *ret_first, struct ip *ret_last)
{
    struct network network;
    ptrdiff_t dash = str_find_char(text, '-', 0);
    if (dash >= 0)
        return ip_parse(str_trim(str_first(text, (size_t)dash)), ret_first) &&
               ip_parse(str_trim(str_from_index(text, (size_t)dash + 1)), ret_last) && compare(ret_first, ret_last) <= 0 &&
               ip_is_v4(ret_first) == ip_is_v4(ret_last);
    if (!network_parse(text, &network))
        return false;
    *ret_first = ip_mask(&network.base, network.bits);
    *ret_last = *ret_first;
    for (unsigned bit = network.bits; bit < 128; bit++)
        ret_last->bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return true;
}

void address_table_add(struct address_table *table, const struct ip *first, const struct ip *last, const void *value)
{
    VEC_PUSH(&table->ranges, (struct address_range){.first = *first, .last = *last, .value = value});
}

/* By their beginnings, the larger one first. */
static int by_place(const void *one, const void *other)
{
    const struct address_range *a = one, *b = other;
    int order = compare(&a->first, &b->first);
    return order != 0 ? order : compare(&b->last, &a->last);
}

/* The ranges that the place at hand lies in, the innermost last. */
struct nest {
    VEC(struct address_range) open;
    struct ip at;                 /* what is before is written */
    bool full;                    /* the last address of all is written */
    struct address_table *to;
};

static void write_upto(struct nest *nest, const struct ip *last)
{
    if (nest->open.count == 0 || nest->full || compare(&nest->at, last) > 0)
        return;
    address_table_add(nest->to, &nest->at, last, nest->open.items[nest->open.count - 1].value);
    nest->full = is_edge(last, 0xff);
    nest->at = next_to(last, 1);
}

static void close_before(struct nest *nest, const struct ip *first)
{
    while (nest->open.count != 0 && (first == NULL || compare(&nest->open.items[nest->open.count - 1].last, first) < 0)) {
        struct ip last = nest->open.items[nest->open.count - 1].last;
        write_upto(nest, &last);
        nest->open.count--;
    }
}

/* False: it overlaps the innermost that is open. */
static bool open_range(struct nest *nest, const struct address_range *range, struct address_range *ret_other)
{
    close_before(nest, &range->first);
    if (nest->open.count != 0) {
        const struct address_range *outer = &nest->open.items[nest->open.count - 1];
        if (compare(&range->last, &outer->last) > 0) {
            *ret_other = *outer;
            return false;
        }
        struct ip before = next_to(&range->first, -1);
        if (!is_edge(&range->first, 0))
            write_upto(nest, &before);
    }
    VEC_PUSH(&nest->open, *range);
    nest->at = range->first;
    return true;
}

bool address_table_settle(struct address_table *table, struct address_range *ret_one, struct address_range *ret_other)
{
    struct address_table flat = {0};
    struct nest nest = {.to = &flat};
    bool good = true;
    if (table->ranges.count != 0)
        qsort(table->ranges.items, table->ranges.count, sizeof(table->ranges.items[0]), by_place);
    for (size_t i = 0; good && i < table->ranges.count; i++) {
        *ret_one = table->ranges.items[i];
        good = open_range(&nest, ret_one, ret_other);
    }
    if (good)
        close_before(&nest, NULL);
    VEC_RELEASE(&nest.open);
    address_table_release(table);
    *table = flat;
    return good;
}

void address_table_release(struct address_table *table)
{
    VEC_RELEASE(&table->ranges);
}

const void *address_table_find(const struct address_table *table, const struct ip *ip)
{
    size_t from = 0, to = table->ranges.count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        const struct address_range *range = &table->ranges.items[middle];
        if (compare(ip, &range->first) < 0)
            to = middle;
        else if (compare(ip, &range->last) > 0)
            from = middle + 1;
        else
            return range->value;
    }
    return NULL;
}
