/* Response heads; the first byte chooses the request's method. As for requests: the same in two pieces, and what is
 * accepted survives being written and read again. */
#include <assert.h>
#include <stdlib.h>

#include "proto/h1/write.h"

static const struct h1_limits limits = {.line_bytes = 200, .head_bytes = 1500, .field_count = 20};

struct parsed {
    struct arena arena;
    struct response response;
    struct h1_head head;
    enum status status;
};

static void begin(struct parsed *parsed)
{
    *parsed = (struct parsed){.status = STATUS_AGAIN};
    arena_init(&parsed->arena, ARENA_UNLIMITED);
    fields_init(&parsed->response.fields, &parsed->arena, 2);
}

static void feed(struct parsed *parsed, struct str bytes, enum method method)
{
    parsed->status = h1_parse_response(bytes, &limits, method, &parsed->response, &parsed->head);
}

static void check_split(const struct parsed *whole, struct str bytes, enum method method, size_t split)
{
    struct parsed parsed;
    begin(&parsed);
    char *first = malloc(split != 0 ? split : 1);
    memcpy(first, bytes.data, split);
    feed(&parsed, str_of(first, split), method);
    if (parsed.status == STATUS_AGAIN)
        feed(&parsed, bytes, method);
    assert(parsed.status == whole->status ||
           (parsed.status == STATUS_AGAIN && whole->status != STATUS_OK));
    if (whole->status == STATUS_OK) {
        assert(parsed.head.length == whole->head.length);
        assert(parsed.head.framing == whole->head.framing);
        assert(parsed.head.keep_alive == whole->head.keep_alive);
        assert(parsed.response.body_length == whole->response.body_length);
    }
    free(first);
    arena_release(&parsed.arena);
}

static char *write_response(const struct parsed *parsed, size_t *ret_len)
{
    char *out = malloc(h1_response_size(&parsed->response));
    *ret_len = h1_write_response(out, &parsed->response, parsed->head.framing, STR_NONE, STR_NONE);
    return out;
}

static void check_rewrite(const struct parsed *parsed, enum method method)
{
    static const struct h1_limits wide = {.line_bytes = 500, .head_bytes = 5000, .field_count = 50};
    struct parsed again;
    size_t len, len_again;
    char *out = write_response(parsed, &len);
    begin(&again);
    again.status =
        h1_parse_response(str_of(out, len), &wide, method, &again.response, &again.head);
    assert(again.status == STATUS_OK);
    assert(again.head.length == len);
    assert(again.head.framing == parsed->head.framing);
    assert(again.response.status == parsed->response.status);
    assert(again.response.body_length == parsed->response.body_length);
    char *out_again = write_response(&again, &len_again);
    assert(len == len_again && memcmp(out, out_again, len) == 0);
    free(out);
    free(out_again);
    arena_release(&again.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum method method = (enum method)(data[0] % METHOD_COUNT);
    struct str bytes = str_of((const char *)data + 1, size - 1);
    struct parsed whole;
    begin(&whole);
    feed(&whole, bytes, method);
    size_t step = bytes.len < 64 ? 1 : bytes.len / 16;
    for (size_t split = 0; split <= bytes.len; split += step)
        check_split(&whole, bytes, method, split);
    if (whole.status == STATUS_OK) {
        assert(whole.head.length <= bytes.len && whole.head.length <= limits.head_bytes);
        check_rewrite(&whole, method);
    }
    arena_release(&whole.arena);
    return 0;
}
