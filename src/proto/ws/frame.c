/* A frame is read as head, then payload. The head is collected byte by byte (it is short), payloads are passed on as they
 * come; only control payloads are kept, since they are told whole. */
#include "proto/ws/frame.h"

#include "base/utf8.h"

#define FINAL_BIT 0x80
#define RESERVED_BITS 0x70
#define MASK_BIT 0x80
#define LENGTH_BITS 0x7f

void ws_reader_init(struct ws_reader *reader, bool from_client, uint64_t message_max)
{
    *reader = (struct ws_reader){.from_client = from_client, .message_max = message_max, .head_needed = 2};
}

static bool is_control(enum ws_opcode opcode)
{
    return opcode >= WS_CLOSE;
}

void ws_mask(char *data, size_t length, const uint8_t mask[4], uint64_t at)
{
    uint8_t turned[8];
    uint64_t word, key;
    for (size_t i = 0; i < 8; i++)
        turned[i] = mask[(at + i) & 3];
    memcpy(&key, turned, 8);
    for (; length >= 8; data += 8, length -= 8) {
        memcpy(&word, data, 8);
        word ^= key;
        memcpy(data, &word, 8);
    }
    for (size_t i = 0; i < length; i++)
        data[i] = (char)(data[i] ^ turned[i]);
}

/* ---- heads ---- */

/* How long the head is, as far as its first two bytes tell. */
static uint8_t head_size(const uint8_t head[2])
{
    unsigned length = head[1] & LENGTH_BITS;
    unsigned extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    return (uint8_t)(2 + extended + ((head[1] & MASK_BIT) != 0 ? 4 : 0));
}

static bool opcode_is_known(unsigned opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

/* The payload's length; false when it could have been said in fewer bytes or has its highest bit set. */
static bool read_length(struct ws_reader *reader)
{
    unsigned length = reader->head[1] & LENGTH_BITS;
    unsigned extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    reader->left = extended == 0 ? length : 0;
    for (unsigned i = 0; i < extended; i++)
        reader->left = reader->left << 8 | reader->head[2 + i];
    if (extended == 2)
        return reader->left > 125;
    return extended == 0 || (reader->left > UINT16_MAX && reader->left <= INT64_MAX);
}

static bool begin_message(struct ws_reader *reader)
{
    bool goes_on = reader->opcode == WS_CONTINUATION;
    if (goes_on == (reader->message == WS_CONTINUATION))
        return false;
    if (!goes_on) {
        reader->message = reader->opcode;
        reader->message_bytes = 0;
        reader->partial_length = 0;
    }
    return true;
}

/* 0, or the close code for what is wrong with the frame. */
static unsigned begin_frame(struct ws_reader *reader)
{
    const uint8_t *head = reader->head;
    bool masked = (head[1] & MASK_BIT) != 0;
    if ((head[0] & RESERVED_BITS) != 0 || !opcode_is_known(head[0] & 0x0f) || masked != reader->from_client)
        return WS_CLOSE_PROTOCOL;
    reader->opcode = (enum ws_opcode)(head[0] & 0x0f);
    reader->final = (head[0] & FINAL_BIT) != 0;
    if (!read_length(reader))
        return WS_CLOSE_PROTOCOL;
    if (masked)
        memcpy(reader->mask, head + reader->head_needed - 4, 4);
    reader->payload_at = 0;
    reader->control_length = 0;
    if (is_control(reader->opcode))
        return reader->final && reader->left <= WS_CONTROL_MAX ? 0 : WS_CLOSE_PROTOCOL;
    if (!begin_message(reader))
        return WS_CLOSE_PROTOCOL;
    return reader->left <= reader->message_max - reader->message_bytes ? 0 : WS_CLOSE_TOO_LARGE;
}

/* Takes bytes of the head; *ret_code is set once it is whole and wrong. */
static size_t read_head(struct ws_reader *reader, const char *bytes, size_t length, unsigned *ret_code)
{
    size_t used = 0;
    while (used < length && reader->head_length < reader->head_needed) {
        reader->head[reader->head_length++] = (uint8_t)bytes[used++];
        if (reader->head_length == 2)
            reader->head_needed = head_size(reader->head);
    }
    if (reader->head_length == reader->head_needed) {
        *ret_code = begin_frame(reader);
        reader->in_payload = true;
    }
    return used;
}

/* ---- payloads ---- */

/* Text may be cut anywhere, inside of a sequence too: what is unfinished waits for the next piece. */
static bool text_goes_on(struct ws_reader *reader, struct str data)
{
    size_t at = 0;
    while (reader->partial_length != 0 && at < data.len) {
        reader->partial[reader->partial_length++] = data.data[at++];
        if (utf8_sequence(str_of(reader->partial, reader->partial_length)) != 0)
            reader->partial_length = 0;
        else if (reader->partial_length == sizeof(reader->partial))
            return false;
    }
    while (at < data.len) {
        struct str rest = str_from_index(data, at);
        size_t sequence = utf8_sequence(rest);
        if (sequence == 0 && rest.len >= sizeof(reader->partial))
            return false;
        if (sequence == 0) {
            memcpy(reader->partial, rest.data, rest.len);
            reader->partial_length = (uint8_t)rest.len;
            return true;
        }
        at += sequence;
    }
    return true;
}

static void end_frame(struct ws_reader *reader)
{
    reader->in_payload = false;
    reader->head_length = 0;
    reader->head_needed = 2;
}

static unsigned tell_piece(struct ws_reader *reader, struct str data, struct ws_event *event)
{
    reader->message_bytes += data.len;
    bool ends = reader->left == 0 && reader->final;
    if (reader->message == WS_TEXT && (!text_goes_on(reader, data) || (ends && reader->partial_length != 0)))
        return WS_CLOSE_BAD_TEXT;
    if (data.len != 0 || ends)
        *event = (struct ws_event){.what = WS_DATA, .opcode = reader->message, .data = data, .ends = ends};
    if (ends)
        reader->message = WS_CONTINUATION;
    return 0;
}

static bool close_code_is_good(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

static unsigned tell_close(const struct ws_reader *reader, struct ws_event *event)
{
    struct str payload = str_of(reader->control, reader->control_length);
    *event = (struct ws_event){.what = WS_CLOSED, .code = WS_CLOSE_NO_CODE};
    if (payload.len == 0)
        return 0;
    if (payload.len == 1)
        return WS_CLOSE_PROTOCOL;
    event->code = (unsigned)(uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1];
    event->data = str_from_index(payload, 2);
    if (!close_code_is_good(event->code))
        return WS_CLOSE_PROTOCOL;
    return utf8_valid(event->data) ? 0 : WS_CLOSE_BAD_TEXT;
}

static unsigned tell_control(const struct ws_reader *reader, struct ws_event *event)
{
    if (reader->opcode == WS_CLOSE)
        return tell_close(reader, event);
    *event = (struct ws_event){.what = reader->opcode == WS_PING ? WS_PINGED : WS_PONGED,
                               .data = str_of(reader->control, reader->control_length)};
    return 0;
}

/* Takes what there is of the payload; 0 or a close code. */
static unsigned read_payload(struct ws_reader *reader, char *bytes, size_t length, size_t *ret_used,
                             struct ws_event *event)
{
    size_t take = length < reader->left ? length : (size_t)reader->left;
    unsigned code = 0;
    if (reader->from_client)
        ws_mask(bytes, take, reader->mask, reader->payload_at);
    reader->payload_at += take;
    reader->left -= take;
    *ret_used = take;
    if (is_control(reader->opcode)) {
        if (take != 0)
            memcpy(reader->control + reader->control_length, bytes, take);
        reader->control_length = (uint8_t)(reader->control_length + take);
        if (reader->left == 0)
            code = tell_control(reader, event);
    } else {
        code = tell_piece(reader, str_of(bytes, take), event);
    }
    if (reader->left == 0)
        end_frame(reader);
    return code;
}

size_t ws_read(struct ws_reader *reader, char *bytes, size_t length, struct ws_event *ret_event)
{
    size_t used = 0;
    *ret_event = (struct ws_event){.what = WS_MORE};
    while (reader->broken == 0 && used < length && ret_event->what == WS_MORE) {
        size_t taken = 0;
        if (!reader->in_payload) {
            used += read_head(reader, bytes + used, length - used, &reader->broken);
            if (!reader->in_payload || reader->broken != 0 || (used == length && reader->left != 0))
                continue;
        }
        reader->broken = read_payload(reader, bytes + used, length - used, &taken, ret_event);
        used += taken;
    }
    if (reader->broken != 0)
        *ret_event = (struct ws_event){.what = WS_BROKEN, .code = reader->broken};
    return used;
}

/* ---- writing ---- */

size_t ws_write_head(char *out, enum ws_opcode opcode, bool final, uint64_t length, const uint8_t mask[4])
{
    unsigned extended = length <= 125 ? 0 : length <= UINT16_MAX ? 2 : 8;
    size_t size = 2 + extended;
    unsigned short_length = extended == 0 ? (unsigned)length : extended == 2 ? 126 : 127;
    out[0] = (char)((final ? FINAL_BIT : 0) | (unsigned)opcode);
    out[1] = (char)((mask != NULL ? MASK_BIT : 0) | short_length);
    for (unsigned i = 0; i < extended; i++)
        out[2 + i] = (char)(length >> 8 * (extended - 1 - i));
    if (mask != NULL) {
        memcpy(out + size, mask, 4);
        size += 4;
    }
    return size;
}

size_t ws_write_close(char *out, unsigned code)
{
    size_t head = ws_write_head(out, WS_CLOSE, true, 2, NULL);
    out[head] = (char)(code >> 8);
    out[head + 1] = (char)code;
    return head + 2;
}
