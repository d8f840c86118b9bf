#include "config/nginx/geo_ranges.h"

#include <string.h>

#include "net/addr.h"

static bool parse_v4(struct str text, uint32_t *ret_number)
{
    struct ip ip;
    if (!ip_parse(text, &ip) || !ip_is_v4(&ip) || str_find_char(text, ':', 0) >= 0)
        return false;
    const uint8_t *bytes = ip.bytes + 12;
    *ret_number = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

bool geo_range_parse(struct str text, uint32_t *ret_first, uint32_t *ret_last)
{
    ptrdiff_t dash = str_find_char(text, '-', 0);
    return dash > 0 && parse_v4(str_first(text, (size_t)dash), ret_first) &&
           parse_v4(str_from_index(text, (size_t)dash + 1), ret_last) && *ret_first <= *ret_last;
}

/* Of the first piece that does not end before `address`. */
static size_t find(const struct geo_pieces *pieces, uint32_t address)
{
    size_t from = 0, to = pieces->list.count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (pieces->list.items[middle].last < address)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void insert(struct geo_pieces *pieces, size_t at, struct geo_piece piece)
{
    VEC_PUSH(&pieces->list, piece);
    memmove(&pieces->list.items[at + 1], &pieces->list.items[at], (pieces->list.count - 1 - at) * sizeof(piece));
    pieces->list.items[at] = piece;
}

static void take_out(struct geo_pieces *pieces, size_t at)
{
    pieces->list.count--;
    memmove(&pieces->list.items[at], &pieces->list.items[at + 1], (pieces->list.count - at) * sizeof(pieces->list.items[0]));
}

/* The new one within the one at `at`, of which what is before and behind stays. */
static void split(struct geo_pieces *pieces, size_t at, const struct geo_piece *piece)
{
    struct geo_piece before = pieces->list.items[at], behind = before;
    before.text = behind.text = STR_NONE;
    pieces->list.items[at] = *piece;
    if (behind.last > piece->last) {
        behind.first = piece->last + 1;
        insert(pieces, at + 1, behind);
    }
    if (before.first < piece->first) {
        before.last = piece->first - 1;
        insert(pieces, at, before);
    }
}

enum geo_range_result geo_range_add(struct geo_pieces *pieces, const struct geo_piece *piece, struct geo_piece *ret_other)
{
    size_t at = find(pieces, piece->first);
    if (at == pieces->list.count || pieces->list.items[at].first > piece->last) {
        insert(pieces, at, *piece);
        return GEO_RANGE_DONE;
    }
    struct geo_piece *other = &pieces->list.items[at];
    *ret_other = *other;
    if (other->first > piece->first || other->last < piece->last)
        return GEO_RANGE_OVERLAPS;
    if (other->first != piece->first || other->last != piece->last) {
        split(pieces, at, piece);
        return GEO_RANGE_DONE;
    }
    other->value = piece->value;
    return GEO_RANGE_DUPLICATE;
}

enum geo_range_result geo_range_delete(struct geo_pieces *pieces, uint32_t first, uint32_t last)
{
    size_t at = find(pieces, first);
    if (at == pieces->list.count || pieces->list.items[at].first != first || pieces->list.items[at].last != last)
        return GEO_RANGE_ABSENT;
    take_out(pieces, at);
    return GEO_RANGE_DONE;
}

struct str geo_piece_text(const struct geo_piece *piece, struct arena *arena)
{
    if (piece->text.len != 0)
        return piece->text;
    return arena_printf(arena, "%u.%u.%u.%u-%u.%u.%u.%u", piece->first >> 24, piece->first >> 16 & 255, piece->first >> 8 & 255,
                        piece->first & 255, piece->last >> 24, piece->last >> 16 & 255, piece->last >> 8 & 255, piece->last & 255);
}
