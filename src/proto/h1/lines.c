/* Field lines. Refuses whatever another reader could take differently: bare CR or LF, controls, folded
 * lines, white space before the colon, names that are not tokens. */
#include "proto/h1/lines.h"

#include "http/field_id.h"
#include "http/token.h"
#include "proto/h1/scan.h"

static const uint8_t slots[FIELD_COUNT] = {
    [FIELD_HOST] = H1_SLOT_HOST,
    [FIELD_CONTENT_LENGTH] = H1_SLOT_LENGTH,
    [FIELD_TRANSFER_ENCODING] = H1_SLOT_CODING,
    [FIELD_CONNECTION] = H1_SLOT_CONNECTION,
    [FIELD_UPGRADE] = H1_SLOT_UPGRADE,
    [FIELD_EXPECT] = H1_SLOT_EXPECT,
};

struct h1_reader h1_reader_over(struct str bytes, const struct h1_limits *limits)
{
    struct h1_reader reader = {.start = bytes.data, .at = bytes.data, .block = bytes.data};
    bool limited = bytes.len >= limits->head_bytes;
    reader.end = bytes.data + (limited ? limits->head_bytes : bytes.len);
    reader.at_end = limited ? STATUS_FIELDS_TOO_LARGE : STATUS_AGAIN;
    return reader;
}

bool h1_may_be_complete(struct str bytes, const struct h1_limits *limits, struct h1_head *head)
{
    size_t line_limit = (size_t)limits->line_bytes + 4;
    if (bytes.len >= limits->head_bytes || (head->seen < line_limit && bytes.len >= line_limit))
        return true;
    while (head->seen < bytes.len) {
        const char *from = bytes.data + head->seen;
        const char *feed = memchr(from, '\n', bytes.len - head->seen);
        head->seen = feed != NULL ? (size_t)(feed - bytes.data) : bytes.len;
        if (feed == NULL)
            return false;
        if (head->seen == 0 || feed[-1] != '\r')
            return true;
        if (head->seen + 2 >= bytes.len)
            return false;
        if (feed[1] == '\r')
            return true;
        head->seen++;
    }
    return false;
}

enum status h1_suspend(struct str bytes, struct h1_head *head, enum status status)
{
    /* A line end among the last two bytes must be looked at again. */
    if (status == STATUS_AGAIN)
        head->seen = bytes.len > 2 ? bytes.len - 2 : 0;
    return status;
}

/* The mask of a block that is not wholly there: the byte behind the last counts as a control. */
static uint64_t last_block(const struct h1_reader *reader, size_t left)
{
    uint64_t mask;
    if (reader->end - reader->start >= 64) {
        mask = scan_controls64(reader->end - 64) >> (64 - left);
    } else {
        char block[64] = {0};
        memcpy(block, reader->block, left);
        mask = scan_controls64(block);
    }
    return mask | UINT64_C(1) << left;
}

/* Moves the mask to the block that begins at `from`. */
static inline uint64_t load_block(struct h1_reader *reader, const char *from)
{
    size_t left = (size_t)(reader->end - from);
    reader->block = from;
    reader->controls = left >= 64 ? scan_controls64(from) : left == 0 ? 1 : last_block(reader, left);
    return reader->controls;
}

/* The first control byte at or behind `from`, or the end. */
static inline const char *next_control(struct h1_reader *reader, const char *from)
{
    size_t offset = (size_t)(from - reader->block);
    uint64_t mask = offset < 64 ? reader->controls >> offset : 0;
    while (mask == 0) {
        from = offset < 64 ? reader->block + 64 : from;
        mask = load_block(reader, from);
        offset = 0;
    }
    return from + __builtin_ctzll(mask);
}

/* Walks a name byte by byte, where the quick way has met something unusual or too few bytes. */
static enum status walk_name(const struct h1_reader *reader, size_t *ret_len)
{
    const char *at = reader->at;
    while (at < reader->end && token_char[(unsigned char)*at])
        at++;
    if (at == reader->end)
        return reader->at_end;
    *ret_len = (size_t)(at - reader->at);
    return *at == ':' && *ret_len != 0 ? STATUS_OK : STATUS_BAD_FIELD;
}

/* The name at reader->at, up to its colon. A known name needs no further look at its characters. */
static inline enum status read_name(const struct h1_reader *reader, size_t *ret_len, enum field_id *ret_id)
{
    const char *name = reader->at;
    uint32_t colons = reader->end - name >= 16 ? scan_colons16(name) : 0;
    if (colons != 0) {
        *ret_len = (size_t)__builtin_ctz(colons);
        *ret_id = field_identify_inline(name, *ret_len);
        if (*ret_id != FIELD_OTHER)
            return STATUS_OK;
        if (*ret_len != 0 && (scan_odd16(name) & (colons - 1) & ~colons) == 0)
            return STATUS_OK;
    }
    enum status status = walk_name(reader, ret_len);
    if (status == STATUS_OK)
        *ret_id = field_identify_inline(name, *ret_len);
    return status;
}

/* Finds the CRLF that ends the value; HTAB is the one control that may stand in it. */
static inline enum status find_line_end(struct h1_reader *reader, const char *from, const char **ret_end)
{
    const char *end = next_control(reader, from);
    while (end != reader->end && *end == '\t')
        end = next_control(reader, end + 1);
    *ret_end = end;
    if (reader->end - end >= 2)
        return end[0] == '\r' && end[1] == '\n' ? STATUS_OK : STATUS_BAD_FIELD;
    return end == reader->end || *end == '\r' ? reader->at_end : STATUS_BAD_FIELD;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What stands between the colon and the line's end, without white space around it. */
static inline struct str trim(const char *from, const char *end)
{
    while (from < end && is_blank(*from))
        from++;
    while (end > from && is_blank(end[-1]))
        end--;
    return str_of(from, (size_t)(end - from));
}

static inline void note(struct h1_facts *facts, enum field_id id, struct str value)
{
    uint8_t slot = slots[id];
    if (slot != H1_SLOT_NONE) {
        facts->count[slot]++;
        facts->value[slot] = value;
    }
}

static inline enum status read_line(struct h1_reader *reader, struct field *field)
{
    const char *name = reader->at;
    size_t name_len = 0;
    enum field_id id = FIELD_OTHER;
    enum status status = read_name(reader, &name_len, &id);
    if (status != STATUS_OK)
        return status;
    const char *value = name + name_len + 1, *end;
    status = find_line_end(reader, value, &end);
    if (status != STATUS_OK)
        return status;
    field->name = str_of(name, name_len);
    field->value = trim(value, end);
    field->id = (uint8_t)id;
    field->verbatim = *value == ' ' && field->value.data == value + 1 &&
                      field->value.data + field->value.len == end;
    reader->at = end + 2;
    return STATUS_OK;
}

/* Whether the empty line stands here: OK or END (it does not), or what its lack means. */
static inline enum status read_empty_line(struct h1_reader *reader)
{
    const char *at = reader->at;
    if (at == reader->end)
        return reader->at_end;
    if (*at != '\r')
        return STATUS_END;
    if (reader->end - at < 2)
        return reader->at_end;
    reader->at += 2;
    return at[1] == '\n' ? STATUS_OK : STATUS_BAD_FIELD;
}

enum status h1_read_lines(struct h1_reader *reader, const struct h1_limits *limits,
                          struct fields *fields, struct h1_facts *facts)
{
    uint64_t present[2] = {0, 0};
    load_block(reader, reader->at);
    enum status status;
    while ((status = read_empty_line(reader)) == STATUS_END) {
        if (fields->count == limits->field_count)
            return STATUS_TOO_MANY_FIELDS;
        if (fields->count == fields->capacity && !fields_grow(fields))
            return STATUS_OUT_OF_MEMORY;
        struct field *field = &fields->items[fields->count];
        status = read_line(reader, field);
        if (status != STATUS_OK)
            return status;
        note(facts, field->id, field->value);
        present[field->id >> 6] |= UINT64_C(1) << (field->id & 63);
        fields->count++;
    }
    fields->present[0] = present[0];
    fields->present[1] = present[1];
    return status;
}

bool h1_split_line(struct str line, struct str *ret_name, struct str *ret_value)
{
    ptrdiff_t colon = str_find_char(line, ':', 0);
    if (colon < 0)
        return false;
    *ret_name = str_first(line, (size_t)colon);
    *ret_value = trim(line.data + colon + 1, line.data + line.len);
    return token_is_valid(*ret_name) && token_is_field_value(*ret_value);
}

bool h1_is_word(struct str text, const char *lower, size_t len)
{
    if (text.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (ascii_lower(text.data[i]) != lower[i])
            return false;
    return true;
}
