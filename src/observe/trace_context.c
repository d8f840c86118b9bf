#include "observe/trace_context.h"

#include <endian.h>

#include "base/hex.h"

#define STATE_MEMBERS_MAX 32
#define STATE_KEY_MAX 256
#define STATE_VALUE_MAX 256

/* ---- traceparent (3.2) ---- */

/* Lower case alone. */
static bool is_hex(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_digit(text.data[i]) && (text.data[i] < 'a' || text.data[i] > 'f'))
            return false;
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static struct str part(struct str text, size_t at, size_t len)
{
    return str_of(text.data + at, len);
}

static bool has_form(struct str text)
{
    return text.len >= TRACE_PARENT_SIZE && text.data[2] == '-' && text.data[35] == '-' && text.data[52] == '-' &&
           is_hex(part(text, 0, 2)) && is_hex(part(text, 3, 32)) && is_hex(part(text, 36, 16)) && is_hex(part(text, 53, 2));
}

bool trace_parent_parse(struct str text, struct trace_parent *ret_parent)
{
    uint8_t version, flags;
    if (!has_form(text))
        return false;
    hex_decode(part(text, 0, 2), &version);
    hex_decode(part(text, 53, 2), &flags);
    if (version == 0xff || (text.len > TRACE_PARENT_SIZE && (version == 0 || text.data[TRACE_PARENT_SIZE] != '-')))
        return false;
    hex_decode(part(text, TRACE_PARENT_ID_AT, 32), ret_parent->trace_id);
    uint64_t span;
    hex_decode(part(text, TRACE_PARENT_SPAN_AT, 16), &span);
    ret_parent->span = be64toh(span);
    ret_parent->sampled = (flags & 1) != 0;
    return !is_zero(ret_parent->trace_id, TRACE_ID_SIZE) && span != 0;
}

void trace_parent_format(const uint8_t trace_id[TRACE_ID_SIZE], uint64_t span, bool sampled, char out[TRACE_PARENT_SIZE])
{
    memcpy(out, "00-", 3);
    hex_encode(str_of((const char *)trace_id, TRACE_ID_SIZE), out + TRACE_PARENT_ID_AT);
    out[35] = '-';
    span_id_format(span, out + TRACE_PARENT_SPAN_AT);
    memcpy(out + 52, sampled ? "-01" : "-00", 3);
}

/* ---- tracestate (3.3) ---- */

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}

/* "vendor" or "tenant@vendor". */
static bool is_key(struct str key)
{
    ptrdiff_t at = str_find_char(key, '@', 0);
    if (key.len == 0 || key.len > STATE_KEY_MAX || !(ascii_digit(key.data[0]) || (key.data[0] >= 'a' && key.data[0] <= 'z')))
        return false;
    if (at >= 0 && ((size_t)at + 1 == key.len || key.data[at + 1] < 'a' || key.data[at + 1] > 'z'))
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (!is_key_char(key.data[i]) && (ptrdiff_t)i != at)
            return false;
    return true;
}

/* Visible ASCII and spaces, the last no space; no comma (that was split at) and no '='. */
static bool is_value(struct str value)
{
    if (value.len == 0 || value.len > STATE_VALUE_MAX || value.data[value.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7e || value.data[i] == '=')
            return false;
    return true;
}

static bool came_before(const struct str *keys, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(keys[i], key))
            return true;
    return false;
}

bool trace_state_is_valid(struct str text)
{
    struct str keys[STATE_MEMBERS_MAX], member;
    size_t count = 0;
    while (str_split(&text, ',', &member)) {
        member = str_trim(member);
        if (member.len == 0)
            continue;
        ptrdiff_t equals = str_find_char(member, '=', 0);
        if (equals < 0 || count == STATE_MEMBERS_MAX)
            return false;
        struct str key = str_first(member, (size_t)equals);
        if (!is_key(key) || !is_value(str_from_index(member, (size_t)equals + 1)) || came_before(keys, count, key))
            return false;
        keys[count++] = key;
    }
    return count != 0;
}

/* ---- sampling ---- */

void span_id_write(uint64_t id, uint8_t out[SPAN_ID_SIZE])
{
    uint64_t wire = htobe64(id);
    memcpy(out, &wire, SPAN_ID_SIZE);
}

/* As half of sixteen bytes, which are written at once. */
void span_id_format(uint64_t id, char out[2 * SPAN_ID_SIZE])
{
    uint64_t wire[2] = {htobe64(id), 0};
    char digits[4 * SPAN_ID_SIZE];
    hex_encode(str_of((const char *)wire, sizeof(wire)), digits);
    memcpy(out, digits, 2 * SPAN_ID_SIZE);
}

uint64_t trace_sampling_limit(double rate)
{
    if (rate >= 1)
        return UINT64_C(1) << 63;
    return rate > 0 ? (uint64_t)(rate * (double)(UINT64_C(1) << 63)) : 0;
}

bool trace_is_sampled(const uint8_t trace_id[TRACE_ID_SIZE], uint64_t limit)
{
    uint64_t chance;
    memcpy(&chance, trace_id + 8, sizeof(chance));
    return be64toh(chance) >> 1 < limit;
}
