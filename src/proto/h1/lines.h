/* The part of head parsing that requests and responses share: the field lines (RFC 9112 5), read in one pass,
 * with what framing needs noted on the way. Internal to h1. */
#ifndef PROTO_H1_LINES_H
#define PROTO_H1_LINES_H

#include "proto/h1/parse.h"

/* Reads forward over the bytes of a head, no further than the limit. */
struct h1_reader {
    const char *start;       /* of the bytes given */
    const char *at;          /* next byte to read */
    const char *end;         /* as far as may be read: what is there, or the limit */
    enum status at_end;      /* what meeting the end means: AGAIN, or the limit's status */
};

/* The fields that decide about framing and the connection; how often each came and its last value (not set
 * where the count is 0). */
enum h1_slot {
    H1_SLOT_NONE,
    H1_SLOT_HOST,
    H1_SLOT_LENGTH,
    H1_SLOT_CODING,
    H1_SLOT_CONNECTION,
    H1_SLOT_UPGRADE,
    H1_SLOT_EXPECT,
    H1_SLOT_COUNT
};

struct h1_facts {
    uint32_t count[H1_SLOT_COUNT];
    struct str value[H1_SLOT_COUNT];
};

static inline struct h1_reader h1_reader_over(struct str bytes, const struct h1_limits *limits)
{
    bool limited = bytes.len >= limits->head_bytes;
    return (struct h1_reader){
        .start = bytes.data,
        .at = bytes.data,
        .end = bytes.data + (limited ? limits->head_bytes : bytes.len),
        .at_end = limited ? STATUS_FIELDS_TOO_LARGE : STATUS_AGAIN,
    };
}

/* False when a call that follows an AGAIN cannot end otherwise: no end of the head, no error of line ends and
 * no limit in what has come since. Moves head->seen. */
bool h1_may_be_complete(struct str bytes, const struct h1_limits *limits, struct h1_head *head);
/* Leaves head->seen so that the next call resumes, when `status` is AGAIN. */
static inline enum status h1_suspend(struct str bytes, struct h1_head *head, enum status status)
{
    /* A line end among the last two bytes must be looked at again. */
    if (status == STATUS_AGAIN)
        head->seen = bytes.len > 2 ? bytes.len - 2 : 0;
    return status;
}

/* Reads the field lines up to and including the empty line. At least 14 bytes stand before reader->at: the
 * request or status line. */
enum status h1_read_lines(struct h1_reader *reader, const struct h1_limits *limits,
                          struct fields *fields, struct h1_facts *facts);

/* Reads one field line without its CRLF: for trailers. False when malformed. */
bool h1_split_line(struct str line, struct str *ret_name, struct str *ret_value);

/* Whether text without controls is a lower-case literal of 4 to 16 bytes, ASCII case ignored: in words. */
static inline bool h1_is_word(struct str text, const char *lower, size_t len)
{
    const uint64_t fold = UINT64_C(0x2020202020202020);
    uint64_t first = 0, last = 0, lower_first = 0, lower_last = 0;
    size_t size = len >= 8 ? 8 : 4;
    if (text.len != len)
        return false;
    memcpy(&first, text.data, size);
    memcpy(&last, text.data + len - size, size);
    memcpy(&lower_first, lower, size);
    memcpy(&lower_last, lower + len - size, size);
    return (first | fold) == (lower_first | fold) && (last | fold) == (lower_last | fold);
}
#define H1_IS(text, literal) h1_is_word((text), (literal), sizeof(literal) - 1)

#endif
