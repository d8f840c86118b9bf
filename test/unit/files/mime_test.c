#include "files/mime.h"

#include "test.h"

TEST(mime_types_come_by_the_last_extension_whatever_its_case)
{
    struct mime_types types;
    mime_init(&types);
    assert_str_equal(mime_of(&types, S("a.html")), S("text/html; charset=utf-8"));
    assert_str_equal(mime_of(&types, S("sub.d/A.CSS")), S("text/css; charset=utf-8"));
    assert_str_equal(mime_of(&types, S("a.tar.png")), S("image/png"));
    assert_str_equal(mime_of(&types, S("app.js")), S("text/javascript; charset=utf-8"));
    assert_str_equal(mime_of(&types, S("x.wasm")), S("application/wasm"));
    assert_str_equal(mime_of(&types, S("x.json")), S("application/json"));
    assert_str_equal(mime_of(&types, S("noextension")), S("application/octet-stream"));
    assert_str_equal(mime_of(&types, S("folder.html/noextension")), S("application/octet-stream"));
    assert_str_equal(mime_of(&types, S(".html")), S("application/octet-stream"));
    assert_str_equal(mime_of(&types, S("ends.")), S("application/octet-stream"));
    assert_str_equal(mime_of(&types, S("")), S("application/octet-stream"));
    mime_release(&types);
}

TEST(mime_tables_are_read_with_comments_and_the_first_word_counts)
{
    struct mime_types types;
    map_init(&types.by_extension, true);
    arena_init(&types.arena, ARENA_UNLIMITED);
    mime_add(&types, S("# text/none a\n\ntext/first\t\ta b # text/none c\napplication/second b  d\r\nnonsense e\napplication/bare"));
    assert_str_equal(mime_of(&types, S("x.a")), S("text/first; charset=utf-8"));
    assert_str_equal(mime_of(&types, S("x.b")), S("text/first; charset=utf-8"));
    assert_str_equal(mime_of(&types, S("x.d")), S("application/second"));
    assert_str_equal(mime_of(&types, S("x.c")), S("application/octet-stream"));
    assert_str_equal(mime_of(&types, S("x.e")), S("application/octet-stream"));
    mime_release(&types);
}
