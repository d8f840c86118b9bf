#include "test.h"

#include "config/nginx/compile.h"
#include "nginx_text.h"

static struct fixture f;
static struct nginx_compile compile;
static struct nginx_scope *http, *server;

static void begin(const char *text)
{
    struct nginx_directive *root = nginx_text_read(&f, text);
    compile = (struct nginx_compile){.arena = &f.arena, .diag = &f.diag, .root = node_new(&f.arena, NODE_MAP, SPAN_NONE)};
    map_init(&compile.names, false);
    compile.main = nginx_scope_new(&compile, root, NGINX_MAIN, NULL);
    http = nginx_scope_new(&compile, nginx_here(compile.main, "http"), NGINX_HTTP, compile.main);
    server = nginx_scope_new(&compile, nginx_here(http, "server"), NGINX_SERVER, http);
}

static void end(void)
{
    nginx_scopes_release(&compile);
    nginx_members_release(&compile);
    map_release(&compile.names);
    fixture_release(&f);
}

TEST(nginx_inheritance_takes_the_nearest_level_that_says_anything)
{
    begin("http { test_many a; test_many b; test_flag on; test_word 5s; server { test_many c; test_word x; test_some k=1 size=8k; } }");
    const struct nginx_directive *all = nginx_all(http, "test_many");
    assert_str_equal(all->words[0].text, S("a"));
    assert_str_equal(nginx_same(all)->words[0].text, S("b"));
    assert_null(nginx_same(nginx_same(all)));
    assert_str_equal(nginx_all(server, "test_many")->words[0].text, S("c"));
    assert_null(nginx_same(nginx_all(server, "test_many")));
    assert_null(nginx_here(server, "test_flag"));
    assert_true(nginx_flag(server, "test_flag", false));
    assert_true(nginx_flag(server, "test_none", true));
    struct nginx_place outer = {.compile = &compile, .scope = http}, inner = {.compile = &compile, .scope = server};
    assert_int_equal(nginx_find_time(&outer, "test_word", 7), 5000);
    assert_int_equal(nginx_find_time(&inner, "test_word", 7), 7);
    assert_string_equal(nginx_text_said(&f), "nginx.conf:1:94: invalid value \"x\" in \"test_word\" directive");
    assert_int_equal(nginx_find_size(&inner, "test_none", 9), 9);
    struct str value;
    const struct nginx_word *word;
    const struct nginx_directive *some = nginx_here(server, "test_some");
    assert_true(nginx_parameter(some, 0, "size", &value, &word));
    assert_str_equal(value, S("8k"));
    assert_ptr_equal(word, &some->words[1]);
    assert_false(nginx_parameter(some, 1, "k", &value, NULL));
    end();
}

TEST(nginx_objects_have_names_of_their_own)
{
    begin("http { server { } }");
    struct nginx_place place = {.compile = &compile, .name = S("@a"), .router = node_new(&f.arena, NODE_MAP, SPAN_NONE)};
    struct node *first = nginx_middleware(&place, NGINX_CHAIN_HEADERS, "headers", SPAN_NONE);
    struct node *second = nginx_middleware(&place, NGINX_CHAIN_HEADERS, "headers", SPAN_NONE);
    assert_ptr_not_equal(first, second);
    assert_str_equal(node_at(place.chain[NGINX_CHAIN_HEADERS], 0)->text, S("~a-headers"));
    assert_str_equal(node_at(place.chain[NGINX_CHAIN_HEADERS], 1)->text, S("~a-headers-2"));
    struct node *section = nginx_section(&compile, "http.middlewares");
    assert_int_equal(section->count, 2);
    assert_ptr_equal(node_get(node_get(section, S("~a-headers-2")), S("headers")), second);
    assert_str_equal(nginx_unique(&compile, "middlewares", S("~a-headers-2")), S("~a-headers-2-2"));
    assert_str_equal(nginx_unique(&compile, "middlewares", S("~a-headers")), S("~a-headers-3"));
    nginx_put_time(&compile, nginx_service(&place, "respond", SPAN_NONE), "delay", 1500, SPAN_NONE);
    assert_str_equal(node_get(place.router, S("service"))->text, S("~a"));
    assert_str_equal(node_get(node_get(node_get(nginx_section(&compile, "http.services"), S("~a")), S("respond")), S("delay"))->text,
                     S("1500ms"));
    end();
}

TEST(nginx_members_of_large_maps_are_found_too)
{
    begin("http { server { } }");
    struct node *section = nginx_section(&compile, "http.routers");
    for (int i = 0; i < 1000; i++)
        nginx_put_number(&compile, section, arena_printf(&f.arena, "key%d", i).data, i, SPAN_NONE);
    assert_int_equal(section->count, 1000);
    for (int i = 0; i < 1000; i++)
        nginx_put_flag(&compile, section, arena_printf(&f.arena, "KEY%d", i).data, true, SPAN_NONE);
    assert_int_equal(section->count, 1000);
    assert_str_equal(node_get(section, S("key999"))->text, S("true"));
    end();
}
