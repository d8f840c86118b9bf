/* Field lines. Refuses whatever another reader could take differently: bare CR or LF, controls, folded
 * lines, white space before the colon, names that are not tokens. */
#include "proto/h1/lines.h"

#include "http/field_id.h"
#include "http/token.h"
#include "proto/h1/scan.h"

/* Which fields are noted, and where. */
#define BIT(id) (UINT64_C(1) << FIELD_##id)
static const uint64_t noted = BIT(HOST) | BIT(CONTENT_LENGTH) | BIT(TRANSFER_ENCODING) |
                              BIT(CONNECTION) | BIT(UPGRADE) | BIT(EXPECT);
static const uint8_t slots[FIELD_COUNT] = {
    [FIELD_HOST] = H1_SLOT_HOST,
    [FIELD_CONTENT_LENGTH] = H1_SLOT_LENGTH,
    [FIELD_TRANSFER_ENCODING] = H1_SLOT_CODING,
    [FIELD_CONNECTION] = H1_SLOT_CONNECTION,
    [FIELD_UPGRADE] = H1_SLOT_UPGRADE,
    [FIELD_EXPECT] = H1_SLOT_EXPECT,
};

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

#define likely(condition) __builtin_expect((condition), 1)

/* A pass over the lines. Its members live in registers: its address goes to inlined functions only. Control
 * bytes (that is, line ends; also what is not ASCII, which is looked at when met) are found 64 bytes at a time
 * and remembered as a mask. */
struct pass {
    const char *at, *end;
    const char *block;            /* where the mask begins */
    uint64_t controls;
    struct field *field, *full;   /* the next to fill; where the room ends */
    uint64_t present;
};

/* The mask of fewer than 64 bytes, when there are no more. */
static __attribute__((noinline)) uint64_t short_controls(const char *at, size_t len)
{
    char block[64] = {0};
    memcpy(block, at, len);
    return scan_controls64(block) & ((UINT64_C(1) << len) - 1);
}

/* Moves on to the first block with a control that is not before `from`; the end when there is none. The last
 * block ends where the bytes end and overlaps the one before it. */
static inline const char *seek_control(struct pass *pass, const char *from)
{
    while (pass->end - pass->block > 64) {
        pass->block += 64;
        if (pass->end - pass->block < 64)
            pass->block = pass->end - 64;
        pass->controls = scan_controls64(pass->block);
        size_t offset = from > pass->block ? (size_t)(from - pass->block) : 0;
        uint64_t mask = offset < 64 ? pass->controls >> offset : 0;
        if (mask != 0)
            return pass->block + offset + (unsigned)__builtin_ctzll(mask);
    }
    return pass->end;
}

/* The first control byte at or behind `from`, or the end. */
static inline const char *next_control(struct pass *pass, const char *from)
{
    size_t offset = (size_t)(from - pass->block);
    uint64_t mask = offset < 64 ? pass->controls >> offset : 0;
    return mask != 0 ? from + (unsigned)__builtin_ctzll(mask) : seek_control(pass, from);
}

/* Bits for the 16 bytes at `at`. Where fewer are left (but the line that came before them is longer), those before are looked at too
 * and shifted out. */
static __attribute__((noinline)) uint64_t last_colons(const char *at, const char *end)
{
    ptrdiff_t left = end - at;
    return left < 2 ? 0 : scan_colons16(at - (16 - left)) >> (16 - left);
}
static __attribute__((noinline)) uint64_t last_odd(const char *at, const char *end)
{
    return scan_odd16(at - (16 - (end - at))) >> (16 - (end - at));
}

/* The quick way to the name at pass->at, in front of the control: its length, or 0. A known name needs no further
 * look at its characters, another one only whether they are the usual ones. */
static inline size_t read_name(const struct pass *pass, const char *control, enum field_id *ret_id)
{
    const bool far = pass->end - pass->at >= 16;
    uint64_t colons = likely(far) ? scan_colons16(pass->at) : last_colons(pass->at, pass->end);
    if (colons == 0)
        return 0;
    size_t len = (unsigned)__builtin_ctzll(colons);
    if (pass->at + len >= control)
        return 0;
    *ret_id = field_identify_clean(pass->at, len);
    if (*ret_id != FIELD_OTHER)
        return len;
    uint64_t odd = likely(far) ? scan_odd16(pass->at) : last_odd(pass->at, pass->end);
    return (odd & ((UINT64_C(1) << len) - 1)) == 0 ? len : 0;
}

/* The other way, byte by byte, where something unusual stands: the length of the name; 0 when the bytes end
 * first, -1 when it is no name. */
static __attribute__((noinline)) ptrdiff_t walk_name(const char *from, const char *end)
{
    const char *at = from;
    while (at < end && token_char[(unsigned char)*at])
        at++;
    if (at == end)
        return 0;
    return *at == ':' && at != from ? at - from : -1;
}

/* A line begins with a control, or nothing is left. */
static enum status empty_line_status(const char *at, const char *end, enum status at_end)
{
    if (at == end)
        return at_end;
    if (*at != '\r')
        return STATUS_BAD_FIELD;
    if (end - at < 2)
        return at_end;
    return at[1] == '\n' ? STATUS_END : STATUS_BAD_FIELD;
}

static inline bool is_line_end(const char *at, const char *end)
{
    return at < end - 1 && memcmp(at, "\r\n", 2) == 0;
}

/* The first control is no line end: HTAB is the one control that may stand in a value, and what is not ASCII is
 * none. Gives where the value stops. */
static __attribute__((noinline)) const char *walk_value(const char *at, const char *end)
{
    while (at < end && (*at == '\t' || ((unsigned char)*at >= 0x20 && *at != 0x7f)))
        at++;
    return at;
}

/* What it means that no line end stands where the value stops. */
static enum status value_status(const char *at, const char *end, enum status at_end)
{
    return at == end || (*at == '\r' && end - at == 1) ? at_end : STATUS_BAD_FIELD;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What stands between the colon and the line's end, without white space around it. */
static __attribute__((noinline)) struct str trim(const char *from, const char *end)
{
    while (from < end && is_blank(*from))
        from++;
    while (end > from && is_blank(end[-1]))
        end--;
    return str_of(from, (size_t)(end - from));
}

/* Mostly one space stands before the value and none behind it. The bytes are no controls but HTAB, CR and LF,
 * so what is above a space is no blank; `from[1]` may be the line's end. */
static inline void set_value(struct field *field, const char *from, const char *end)
{
    field->verbatim = *from == ' ' && (unsigned char)from[1] > ' ' && (unsigned char)end[-1] > ' ';
    field->value = field->verbatim ? str_of(from + 1, (size_t)(end - from) - 1) : trim(from, end);
}

static void note(struct h1_facts *facts, const struct field *field)
{
    uint8_t slot = slots[field->id];
    facts->count[slot]++;
    facts->value[slot] = field->value;
}

/* Makes room when the array is full, unless the limit is reached. */
static enum status make_room(struct fields *fields, uint32_t count, uint32_t limit)
{
    fields->count = count;
    if (count >= limit)
        return STATUS_TOO_MANY_FIELDS;
    return fields_grow(fields) ? STATUS_OK : STATUS_OUT_OF_MEMORY;
}

static inline void set_room(struct pass *pass, const struct fields *fields, uint32_t limit)
{
    pass->field = fields->items + fields->count;
    pass->full = fields->items + (fields->capacity < limit ? fields->capacity : limit);
}

_Static_assert(FIELD_COUNT <= 64, "what is present is one word here");

static inline void store_line(struct pass *pass, size_t name_len, enum field_id id, const char *end,
                              struct h1_facts *facts)
{
    struct field *field = pass->field++;
    uint64_t bit = UINT64_C(1) << id;
    field->name = str_of(pass->at, name_len);
    field->id = (uint8_t)id;
    set_value(field, pass->at + name_len + 1, end);
    pass->at = end + 2;
    pass->present |= bit;
    if ((bit & noted) != 0)
        note(facts, field);
}

/* All lines; END at the empty one. */
static inline enum status read_all(struct pass *pass, enum status at_end, uint32_t limit,
                                   struct fields *fields, struct h1_facts *facts)
{
    for (;;) {
        enum field_id id = FIELD_OTHER;
        const char *end = next_control(pass, pass->at);
        if (end == pass->at)
            return empty_line_status(end, pass->end, at_end);
        size_t name_len = read_name(pass, end, &id);
        if (!likely(name_len != 0)) {
            ptrdiff_t walked = walk_name(pass->at, pass->end);
            if (walked <= 0)
                return walked == 0 ? at_end : STATUS_BAD_FIELD;
            name_len = (size_t)walked;
            id = field_identify(pass->at, name_len);
        }
        if (!likely(pass->field != pass->full)) {
            enum status status = make_room(fields, (uint32_t)(pass->field - fields->items), limit);
            if (status != STATUS_OK)
                return status;
            set_room(pass, fields, limit);
        }
        if (!likely(is_line_end(end, pass->end))) {
            end = walk_value(end, pass->end);
            if (!is_line_end(end, pass->end))
                return value_status(end, pass->end, at_end);
        }
        store_line(pass, name_len, id, end, facts);
    }
}

enum status h1_read_lines(struct h1_reader *reader, const struct h1_limits *limits,
                          struct fields *fields, struct h1_facts *facts)
{
    struct pass pass = {.at = reader->at, .end = reader->end};
    set_room(&pass, fields, limits->field_count);
    if (pass.end - reader->start >= 64) {
        pass.block = pass.end - pass.at >= 64 ? pass.at : pass.end - 64;
        pass.controls = scan_controls64(pass.block);
    } else {
        pass.block = pass.at;
        pass.controls = short_controls(pass.at, (size_t)(pass.end - pass.at));
    }
    enum status status = read_all(&pass, reader->at_end, limits->field_count, fields, facts);
    fields->count = (uint32_t)(pass.field - fields->items);
    fields->present[0] = pass.present;
    fields->present[1] = 0;
    reader->at = pass.at + 2;
    return status == STATUS_END ? STATUS_OK : status;
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
