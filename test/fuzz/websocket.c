/* Any bytes as WebSocket frames, at once and in pieces: both readings must tell the same. The first byte says who sends and
 * where the bytes are cut. */
#include <assert.h>
#include <stdlib.h>

#include "base/str.h"
#include "proto/ws/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_MAX 300

/* What was told, order included, cuts of data left out. */
struct told {
    uint64_t hash;
    uint64_t message;
    unsigned broken;
};

static void note(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * 0x100000001b3U;
}

static void note_bytes(uint64_t *hash, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        note(hash, (uint8_t)bytes.data[i]);
}

static void take(struct told *told, const struct ws_reader *reader, const struct ws_event *event)
{
    if (event->what == WS_BROKEN) {
        assert(event->code == WS_CLOSE_PROTOCOL || event->code == WS_CLOSE_BAD_TEXT || event->code == WS_CLOSE_TOO_LARGE);
        told->broken = event->code;
        return;
    }
    if (event->what == WS_MORE)
        return;
    if (event->what == WS_DATA) {
        assert(event->opcode == WS_TEXT || event->opcode == WS_BINARY);
        assert(reader->message_bytes <= MESSAGE_MAX);
        note_bytes(&told->message, event->data);
        if (!event->ends)
            return;
        note(&told->hash, event->opcode);
        note(&told->hash, told->message);
        told->message = 0;
        return;
    }
    assert(event->data.len <= WS_CONTROL_MAX);
    note(&told->hash, event->what);
    note(&told->hash, event->code);
    note_bytes(&told->hash, event->data);
}

static struct told read_in_steps(const uint8_t *data, size_t size, bool from_client, size_t step)
{
    struct ws_reader reader;
    struct told told = {0};
    char *bytes = malloc(size + 1);
    memcpy(bytes, data, size);
    ws_reader_init(&reader, from_client, MESSAGE_MAX);
    for (size_t at = 0; at < size && told.broken == 0;) {
        struct ws_event event;
        size_t given = size - at < step ? size - at : step;
        size_t used = ws_read(&reader, bytes + at, given, &event);
        assert(used > 0 && used <= given);
        assert(event.what != WS_MORE || used == given);
        at += used;
        take(&told, &reader, &event);
    }
    free(bytes);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool from_client = (data[0] & 1) != 0;
    struct told whole = read_in_steps(data + 1, size - 1, from_client, size);
    struct told cut = read_in_steps(data + 1, size - 1, from_client, 1 + (data[0] >> 1) % 16);
    /* Text may be found out to be broken a little earlier in one reading, never only in one. */
    assert(whole.hash == cut.hash && whole.broken == cut.broken);
    return 0;
}
