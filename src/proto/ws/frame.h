/* WebSocket frames (RFC 6455 5): bytes in, pieces of messages out; and heads of frames to send. No I/O.
 *
 * A reader is given bytes as they come and takes them frame by frame; payloads are unmasked where they stand. A message may
 * come in any number of fragments with control frames in between; what is told is its pieces, in order. What RFC 6455 asks
 * to be refused is refused here: masks that are missing (or there, from a server), reserved bits and opcodes, long or
 * fragmented control frames, fragments out of order, text that is not UTF-8, bad close codes, messages that are too large.
 *
 * Ownership: none; a reader holds no memory. Threading: one owner. */
#ifndef PROTO_WS_FRAME_H
#define PROTO_WS_FRAME_H

#include "base/str.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* RFC 6455 7.4.1. */
enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL = 1002,
    WS_CLOSE_NO_CODE = 1005,          /* the peer gave none; never on the wire */
    WS_CLOSE_BAD_TEXT = 1007,
    WS_CLOSE_TOO_LARGE = 1009,
};

#define WS_HEAD_MAX 14
#define WS_CONTROL_MAX 125            /* bytes of a control frame's payload */

enum ws_happening {
    WS_MORE,          /* all bytes were taken; nothing to tell */
    WS_DATA,          /* a piece of a message */
    WS_PINGED,        /* `data` is to be sent back in a pong */
    WS_PONGED,
    WS_CLOSED,        /* the peer closes: `code`, and its reason in `data` */
    WS_BROKEN,        /* the peer broke the rules: to be told `code`, then closed. Final */
};

struct ws_event {
    enum ws_happening what;
    enum ws_opcode opcode;            /* WS_DATA: the message's, WS_TEXT or WS_BINARY */
    struct str data;                  /* valid until the next call */
    bool ends;                        /* WS_DATA: the message is complete with it; data may then be empty */
    unsigned code;                    /* WS_CLOSED, WS_BROKEN */
};

struct ws_reader {
    bool from_client;                 /* frames come masked; else they must not be */
    uint64_t message_max;             /* bytes of one message */
    /* The frame under way. */
    uint8_t head[WS_HEAD_MAX], head_length, head_needed;
    bool in_payload, final;
    enum ws_opcode opcode;
    uint64_t left;
    uint8_t mask[4];
    uint64_t payload_at;
    /* The message under way; WS_CONTINUATION: none. */
    enum ws_opcode message;
    uint64_t message_bytes;
    char control[WS_CONTROL_MAX];
    uint8_t control_length;
    char partial[4];                  /* an unfinished UTF-8 sequence at the end of the last piece of text */
    uint8_t partial_length;
    unsigned broken;                  /* close code; 0: all is well */
};

void ws_reader_init(struct ws_reader *reader, bool from_client, uint64_t message_max);
/* Takes bytes up to the next thing worth telling, at least one when there is any; gives how many. */
size_t ws_read(struct ws_reader *reader, char *bytes, size_t length, struct ws_event *ret_event);

/* The head of a frame to `out`, which has WS_HEAD_MAX bytes; gives its length. mask NULL: a server's frame. */
size_t ws_write_head(char *out, enum ws_opcode opcode, bool final, uint64_t length, const uint8_t mask[4]);
/* A whole close frame of a server; `out` has 4 bytes. */
size_t ws_write_close(char *out, unsigned code);
/* Masks or unmasks, which is the same; `at`: the offset of data[0] in its payload. */
void ws_mask(char *data, size_t length, const uint8_t mask[4], uint64_t at);

#endif
