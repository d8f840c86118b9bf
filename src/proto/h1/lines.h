/* The part of head parsing that requests and responses share: the field lines (RFC 9112 5), read in one pass,
 * with what framing needs noted on the way. Internal to h1. */
#ifndef PROTO_H1_LINES_H
#define PROTO_H1_LINES_H

#include "proto/h1/parse.h"

/* Reads forward over the bytes of a head, no further than the limit. Control bytes (that is, line ends) are
 * found 64 bytes at a time and remembered as a mask. */
struct h1_reader {
    const char *start;       /* of the bytes given */
    const char *at;          /* next byte to read */
    const char *end;         /* as far as may be read: what is there, or the limit */
    const char *block;       /* where the mask begins */
    uint64_t controls;
    enum status at_end;      /* what meeting the end means: AGAIN, or the limit's status */
};

/* The fields that decide about framing and the connection; how often each came and its last value. */
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

struct h1_reader h1_reader_over(struct str bytes, const struct h1_limits *limits);
/* False when a call that follows an AGAIN cannot end otherwise: no end of the head, no error of line ends and
 * no limit in what has come since. Moves head->seen. */
bool h1_may_be_complete(struct str bytes, const struct h1_limits *limits, struct h1_head *head);
/* Leaves head->seen so that the next call resumes, when `status` is AGAIN. */
enum status h1_suspend(struct str bytes, struct h1_head *head, enum status status);

/* Reads the field lines up to and including the empty line. */
enum status h1_read_lines(struct h1_reader *reader, const struct h1_limits *limits,
                          struct fields *fields, struct h1_facts *facts);

/* Reads one field line without its CRLF: for trailers. False when malformed. */
bool h1_split_line(struct str line, struct str *ret_name, struct str *ret_value);

/* ASCII case ignored, for a short lower-case literal. */
bool h1_is_word(struct str text, const char *lower, size_t len);
#define H1_IS(text, literal) h1_is_word((text), (literal), sizeof(literal) - 1)

#endif
