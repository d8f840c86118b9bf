/* PROXY protocol headers: every prefix asks for more until the answer is there, and the answer is that of the
 * whole. */
#include <assert.h>
#include <stdlib.h>

#include "proto/proxyproto/proxyproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxyproto whole, part;
    size_t whole_length = 0, part_length = 0;
    enum status status = proxyproto_parse(str_of((const char *)data, size), &whole, &whole_length);
    assert(status != STATUS_OK || (whole_length >= 8 && whole_length <= size && whole_length <= 4096));
    enum status part_status = STATUS_AGAIN;
    for (size_t len = 0; len <= size && part_status == STATUS_AGAIN; len++) {
        char *copy = malloc(len != 0 ? len : 1);
        memcpy(copy, data, len);
        part_status = proxyproto_parse(str_of(copy, len), &part, &part_length);
        free(copy);
    }
    assert(part_status == status);
    if (status == STATUS_OK) {
        assert(part_length == whole_length);
        assert(part.local == whole.local);
        assert(memcmp(&part.source, &whole.source, sizeof(part.source)) == 0);
        assert(memcmp(&part.destination, &whole.destination, sizeof(part.destination)) == 0);
    }
    return 0;
}
