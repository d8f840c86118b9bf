/* Request heads. Whatever the bytes: the answer is the same when they come in two pieces; and what is accepted can
 * be written, is then read as the same request, and is written the same again. */
#include <assert.h>
#include <stdlib.h>

#include "proto/h1/write.h"

static const struct h1_limits limits = {.line_bytes = 300, .head_bytes = 1500, .field_count = 20};

struct parsed {
    struct arena arena;
    struct request request;
    struct h1_head head;
    enum status status;
};

static void begin(struct parsed *parsed)
{
    *parsed = (struct parsed){.status = STATUS_AGAIN};
    arena_init(&parsed->arena, ARENA_UNLIMITED);
    fields_init(&parsed->request.fields, &parsed->arena, 2);
}

static void feed(struct parsed *parsed, const char *data, size_t len)
{
    parsed->status = h1_parse_request(str_of(data, len), &limits, &parsed->request, &parsed->head);
}

/* The first `split` bytes, from memory of that size, then all. */
static void check_split(const struct parsed *whole, const char *data, size_t size, size_t split)
{
    struct parsed parsed;
    begin(&parsed);
    char *first = malloc(split != 0 ? split : 1);
    memcpy(first, data, split);
    feed(&parsed, first, split);
    if (parsed.status == STATUS_AGAIN)
        feed(&parsed, data, size);
    /* A refusal may wait for the end of the head. */
    assert(parsed.status == whole->status ||
           (parsed.status == STATUS_AGAIN && whole->status != STATUS_OK));
    if (whole->status == STATUS_OK) {
        assert(parsed.head.length == whole->head.length);
        assert(parsed.head.framing == whole->head.framing);
        assert(parsed.request.fields.count == whole->request.fields.count);
        assert(str_equal(parsed.request.host, whole->request.host));
    }
    free(first);
    arena_release(&parsed.arena);
}

static char *write_request(const struct parsed *parsed, size_t *ret_len)
{
    char *out = malloc(h1_request_size(&parsed->request));
    struct str connection = parsed->request.upgrade.len != 0 ? S("upgrade") : STR_NONE;
    *ret_len = h1_write_request(out, &parsed->request, parsed->head.framing, connection);
    return out;
}

static void check_rewrite(const struct parsed *parsed)
{
    static const struct h1_limits wide = {.line_bytes = 5000, .head_bytes = 9000, .field_count = 50};
    struct parsed again;
    size_t len, len_again;
    char *out = write_request(parsed, &len);
    begin(&again);
    again.status = h1_parse_request(str_of(out, len), &wide, &again.request, &again.head);
    assert(again.status == STATUS_OK);
    assert(again.head.length == len);
    assert(again.head.framing == parsed->head.framing);
    assert(again.request.body_length == parsed->request.body_length);
    assert(str_equal(again.request.method_name, parsed->request.method_name));
    assert(str_equal(again.request.path, parsed->request.path));
    assert(str_equal(again.request.query, parsed->request.query));
    assert(str_equal(again.request.host, parsed->request.host));
    assert(str_equal(again.request.upgrade, parsed->request.upgrade));
    char *out_again = write_request(&again, &len_again);
    assert(len == len_again && memcmp(out, out_again, len) == 0);
    free(out);
    free(out_again);
    arena_release(&again.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct parsed whole;
    begin(&whole);
    feed(&whole, bytes, size);
    size_t step = size < 64 ? 1 : size / 16;
    for (size_t split = 0; split <= size; split += step)
        check_split(&whole, bytes, size, split);
    if (whole.status == STATUS_OK) {
        assert(whole.head.length <= size && whole.head.length <= limits.head_bytes);
        assert(memcmp(bytes + whole.head.length - 4, "\r\n\r\n", 4) == 0);
        check_rewrite(&whole);
    }
    arena_release(&whole.arena);
    return 0;
}
