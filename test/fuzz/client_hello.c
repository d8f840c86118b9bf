/* ClientHellos: every prefix asks for more until the answer is there, and the answer is that of the whole; a name is one that
 * a host can have. */
#include <assert.h>
#include <stdlib.h>

#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status parse_copy(const uint8_t *data, size_t size, struct hello *ret_hello)
{
    char *copy = malloc(size != 0 ? size : 1);
    memcpy(copy, data, size);
    enum status status = hello_parse(str_of(copy, size), ret_hello);
    free(copy);
    return status;
}

static void check_name(const struct hello *hello)
{
    assert(hello->name_len <= HELLO_NAME_MAX && hello->name[hello->name_len] == '\0');
    for (size_t i = 0; i < hello->name_len; i++) {
        char c = hello->name[i];
        assert((c >= 'a' && c <= 'z') || ascii_digit(c) || c == '-' || c == '_' || c == '.');
    }
}

static bool is_same(const struct hello *one, const struct hello *other)
{
    return str_equal(hello_name(one), hello_name(other)) && one->rsa == other->rsa && one->ecdsa == other->ecdsa &&
           one->ed25519 == other->ed25519 && one->h2 == other->h2 && one->http1 == other->http1 &&
           one->acme == other->acme && one->alpn == other->alpn && one->tls13 == other->tls13;
}

/* Records of their own for each `step` bytes of the first one say the same. */
static void check_fragmented(const uint8_t *data, size_t size, const struct hello *whole)
{
    struct hello again;
    size_t length = (size_t)data[3] << 8 | data[4], step = 1 + data[size - 1] % 64, written = 0;
    if (size != 5 + length || length / step * 5 + length > HELLO_BYTES_MAX - 5)
        return;
    char *pieces = malloc(length * 6);
    for (size_t at = 0; at < length; at += step) {
        size_t count = length - at < step ? length - at : step;
        memcpy(pieces + written, (char[]){22, 3, 1, 0, (char)count}, 5);
        memcpy(pieces + written + 5, data + 5 + at, count);
        written += 5 + count;
    }
    assert(hello_parse(str_of(pieces, written), &again) == STATUS_OK);
    assert(is_same(&again, whole));
    free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hello whole, part;
    enum status status = parse_copy(data, size, &whole), part_status = STATUS_AGAIN;
    assert(status == STATUS_OK || status == STATUS_AGAIN || status == STATUS_BAD_REQUEST);
    assert(status != STATUS_AGAIN || size < HELLO_BYTES_MAX);
    size_t step = size < 4096 ? 1 : 61;
    for (size_t length = 0; part_status == STATUS_AGAIN; length += step) {
        length = length < size ? length : size;
        part_status = parse_copy(data, length, &part);
        if (length == size)
            break;
    }
    assert(part_status == status);
    if (status == STATUS_OK) {
        assert(is_same(&part, &whole));
        check_name(&whole);
        check_fragmented(data, size, &whole);
    }
    return 0;
}
