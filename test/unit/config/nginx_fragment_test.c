#include "config/nginx/fragment.h"

#include "test.h"

TEST(nginx_fragment_has_servers_at_its_top)
{
    assert_true(nginx_is_fragment(S("server { listen 80; }\n")));
    assert_true(nginx_is_fragment(S("# a comment; with marks {\nupstream a { server b; }\nserver { }")));
    assert_true(nginx_is_fragment(S("map $a $b { default \"}\"; }\nserver { location ~ \"^/{2}\" { } }")));
    assert_true(nginx_is_fragment(S("limit_req_zone $binary_remote_addr zone=a:1m rate=1r/s; server { set $x ${host}; }")));
}

TEST(nginx_conf_with_blocks_of_the_main_level_is_no_fragment)
{
    assert_false(nginx_is_fragment(S("events { } http { server { } }")));
    assert_false(nginx_is_fragment(S("http { server { } }")));
    assert_false(nginx_is_fragment(S("user www-data; pid /run/x;")));
    assert_false(nginx_is_fragment(S("include /etc/nginx/conf.d/*.conf;")));
    assert_false(nginx_is_fragment(S("")));
    assert_false(nginx_is_fragment(S("# server { }")));
}

TEST(nginx_fragment_is_looked_for_in_any_bytes)
{
    assert_false(nginx_is_fragment(S("\"unterminated")));
    assert_false(nginx_is_fragment(S("}}}} {{{{ ;;; \\")));
    assert_false(nginx_is_fragment(S("x {")));
}
