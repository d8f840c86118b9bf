/* Paths and authorities: a sanitised path stays as it is, keeps no dots to climb with, and its routing form decodes to
 * what the path decodes to. */
#include <assert.h>

#include "http/uri.h"

static void check_path(struct arena *arena, struct str path)
{
    struct str clean = uri_sanitize_path(arena, path);
    assert(str_equal(uri_sanitize_path(arena, clean), clean));
    if (clean.len != 0 && clean.data[0] == '/') {
        assert(str_find(clean, S("/../")) < 0 && str_find(clean, S("/./")) < 0);
        assert(str_find(clean, S("//")) < 0 && !str_ends(clean, S("/..")));
    }
    struct str decoded, decoded_again, routing = uri_routing_path(arena, clean);
    assert((routing.data != NULL || clean.len == 0) == uri_decode(arena, clean, &decoded));
    if (routing.data != NULL && uri_decode(arena, routing, &decoded_again))
        assert(str_equal(decoded, decoded_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str text = str_of((const char *)data, size), host, again;
    struct uri uri;
    uint16_t port;
    arena_init(&arena, ARENA_UNLIMITED);
    check_path(&arena, text);
    if (uri_split_authority(&arena, text, &host, &port)) {
        assert(uri_split_authority(&arena, host, &again, &port));
        assert(str_equal(host, again));
    }
    if (uri_split(text, &uri))
        check_path(&arena, uri.path);
    arena_release(&arena);
    return 0;
}
