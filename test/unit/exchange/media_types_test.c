#include "exchange/media_types.h"

#include "test.h"

TEST(media_types_go_by_the_end_of_the_name)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct strmap_item items[] = {{S("text/html"), S("html htm")}, {S("text/x"), S("x, GZ\thtm")}};
    struct media_types_config config = {.types = {.items = items, .count = 2}, .fallback = S("a/b")};
    struct media_types *types = media_types_new(&config, &arena);
    assert_str_equal(media_types_of(types, S("/a/b.html")), S("text/html"));
    assert_str_equal(media_types_of(types, S("b.HTM")), S("text/x"));
    assert_str_equal(media_types_of(types, S("/a.tar.gz")), S("text/x"));
    assert_str_equal(media_types_of(types, S("/a.html/b")), S("a/b"));
    assert_str_equal(media_types_of(types, S("/.html")), S("a/b"));
    assert_str_equal(media_types_of(types, S("/html")), S("a/b"));
    media_types_release(types);
    arena_release(&arena);
}
