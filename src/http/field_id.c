/* The tables of well-known field names, built once from FIELD_TABLE before main. */
#include "http/field_id.h"

#include <assert.h>

static const struct str names[FIELD_COUNT] = {
    [FIELD_OTHER] = STR(""),
#define X(id, name) [FIELD_##id] = STR(name),
    FIELD_TABLE(X)
#undef X
};

struct field_slot field_slots[1 << FIELD_SLOT_BITS];
struct field_prefix field_prefixes[FIELD_COUNT];

static void build_slot(enum field_id id)
{
    uint64_t first, last;
    field_words(names[id].data, names[id].len, &first, &last);
    struct field_slot *slot = field_slot_of(first, last);
    assert(slot->id == FIELD_OTHER && "two field names share a slot: choose another FIELD_HASH");
    *slot = (struct field_slot){.first = first, .last = last, .len = (uint32_t)names[id].len, .id = id};
    if (slot->len > 16)
        slot->middle = field_load(names[id].data + 8, 8) | FIELD_FOLD;
}

/* Words begin with a capital; those that custom writes otherwise are overwritten. */
static void build_prefix(enum field_id id)
{
    struct field_prefix *prefix = &field_prefixes[id];
    size_t len = names[id].len;
    for (size_t i = 0; i < len; i++) {
        bool starts_word = i == 0 || names[id].data[i - 1] == '-';
        char c = names[id].data[i];
        prefix->text[i] = starts_word && ascii_alpha(c) ? (char)(c & ~0x20) : c;
    }
    if (id == FIELD_ETAG || id == FIELD_TE)
        prefix->text[1] &= ~0x20;
    if (id == FIELD_WWW_AUTHENTICATE)
        prefix->text[1] = prefix->text[2] = 'W';
    prefix->text[len] = ':';
    prefix->text[len + 1] = ' ';
    prefix->name_len = (uint8_t)len;
}

__attribute__((constructor)) static void build_tables(void)
{
    for (int id = FIELD_OTHER + 1; id < FIELD_COUNT; id++) {
        assert(names[id].len >= 2 && names[id].len <= FIELD_NAME_MAX);
        build_slot((enum field_id)id);
        build_prefix((enum field_id)id);
    }
}

enum field_id field_identify(const char *name, size_t len)
{
    return field_identify_inline(name, len);
}

struct str field_name(enum field_id id)
{
    return names[id];
}

struct str field_title(enum field_id id)
{
    return str_of(field_prefixes[id].text, field_prefixes[id].name_len);
}
