/* What nginx.conf says of responses, as options of the model. */
#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "config/nginx/compile.h"
#include "nginx_text.h"

static void add_node(struct text *out, const struct node *node)
{
    bool map = node->kind == NODE_MAP;
    if (node->kind != NODE_MAP && node->kind != NODE_LIST) {
        text_add(out, node->text.len != 0 ? node->text : S("''"));
        return;
    }
    text_add_char(out, map ? '{' : '[');
    NODE_FOREACH(node, it) {
        text_add(out, it == node->first ? S("") : S(" "));
        if (map)
            text_addf(out, "%.*s:", STR_ARGS(it->key));
        add_node(out, it);
    }
    text_add_char(out, map ? '}' : ']');
}

/* The options of that type of the middlewares of the router of `location /`, one after the other; what was reported instead. */
static const char *options_of(const char *type, const char *text)
{
    static char shown[4000];
    struct fixture f;
    struct nginx_directive *tree = nginx_text_read(&f, text);
    struct node *root = node_new(&f.arena, NODE_MAP, SPAN_NONE);
    assert_non_null(tree);
    if (f.diag.errors == 0)
        nginx_compile(tree, NULL, root, &f.arena, &f.diag);
    struct text out;
    text_init(&out, 1 << 20);
    const struct node *http = node_get(root, S("http")), *middlewares = node_get(http, S("middlewares"));
    NODE_FOREACH(node_get(http, S("routers")), router) {
        const struct node *location = node_get(router, S("location")), *path = node_get(location, S("path"));
        if (path == NULL || !str_equal(path->text, S("/")))
            continue;
        NODE_FOREACH(node_get(router, S("middlewares")), name) {
            const struct node *options = node_get(node_get(middlewares, name->text), str_from(type));
            if (options != NULL)
                add_node(&out, options);
        }
        if (str_equal(str_from(type), S("router")) && node_get(router, S("serverHeader")) != NULL)
            add_node(&out, node_get(router, S("serverHeader")));
    }
    snprintf(shown, sizeof(shown), "%.*s%s", STR_ARGS(text_str(&out)), f.diag.errors != 0 ? nginx_text_said(&f) : "");
    text_release(&out);
    fixture_release(&f);
    return shown;
}

#define LEVELS(http, server, location) \
    "events {} http { " http " server { listen 8080; " server " location / { " location " } } }"

TEST(nginx_add_header_becomes_fields_with_templates)
{
    assert_string_equal(options_of("responseHeaders", LEVELS("", "", "add_header X-A $uri; add_header X-B 'b c' always;")),
                        "{add:[{name:X-A value:${uri}} {name:X-B value:b c always:true}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("", "", "add_header ETag ''; add_header last-modified x;")),
                        "{add:[{name:ETag value:'' replace:true} {name:last-modified value:x replace:true}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("", "", "add_trailer ETag $host;")),
                        "{trailers:[{name:ETag value:${host}}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("", "", "")), "");
}

TEST(nginx_add_header_is_inherited_whole_or_not_at_all_or_merged)
{
    assert_string_equal(options_of("responseHeaders", LEVELS("add_header H 1;", "", "")), "{add:[{name:H value:1}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("add_header H 1;", "add_header S 1;", "add_header L 1;")),
                        "{add:[{name:L value:1}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("add_header H 1;", "add_header S 1; add_header_inherit merge;",
                                                             "add_header L 1;")),
                        "{add:[{name:L value:1} {name:S value:1} {name:H value:1}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("add_header H 1;", "add_header S 1;",
                                                             "add_header L 1; add_header_inherit merge;")),
                        "{add:[{name:L value:1} {name:S value:1}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("add_header H 1;", "", "add_header_inherit off;")), "");
}

TEST(nginx_expires_goes_along)
{
    assert_string_equal(options_of("responseHeaders", LEVELS("expires 30d;", "", "add_header A b;")), "{expires:30d add:[{name:A value:b}]}");
    assert_string_equal(options_of("responseHeaders", LEVELS("expires 30d;", "", "expires off;")), "");
    assert_string_equal(options_of("responseHeaders", LEVELS("", "expires modified +$arg_e;", "")), "{expires:modified +${arg_e}}");
    assert_non_null(strstr(options_of("responseHeaders", LEVELS("", "expires changed 3h;", "")), "invalid value \"changed\""));
}

TEST(nginx_error_page_becomes_pages)
{
    assert_string_equal(options_of("errorPages", LEVELS("", "error_page 404 /404.html;", "")), "{pages:[{status:[404] to:/404.html}]}");
    assert_string_equal(options_of("errorPages", LEVELS("", "", "error_page 500 502 =200 /e?$args; error_page 404 = @f; "
                                                                "recursive_error_pages on;")),
                        "{pages:[{status:[500 502] response:200 to:/e?${args}} {status:[404] response:page to:@f}] recursive:true}");
    assert_non_null(strstr(options_of("errorPages", LEVELS("", "error_page 200 /x;", "")), "value \"200\" must be between 300 and 599"));
    assert_non_null(strstr(options_of("errorPages", LEVELS("", "error_page 499 /x;", "")), "invalid value \"499\""));
    assert_non_null(strstr(options_of("errorPages", LEVELS("", "error_page 404 =abc /x;", "")), "invalid value \"=abc\""));
    assert_non_null(strstr(options_of("errorPages", LEVELS("", "error_page =200 /x;", "")), "invalid value \"=200\""));
}

TEST(nginx_server_tokens_name_the_server_where_they_differ)
{
    assert_string_equal(options_of("router", LEVELS("server_tokens off;", "", "")), "");
    assert_string_equal(options_of("router", LEVELS("", "server_tokens off;", "")), "portico");
    assert_string_equal(options_of("router", LEVELS("server_tokens off;", "", "server_tokens shop;")), "shop");
}

TEST(nginx_gzip_becomes_compress)
{
    assert_string_equal(options_of("compress", LEVELS("gzip on;", "", "")),
                        "{encodings:[gzip] includedContentTypes:[text/html] minResponseBodyBytes:20 gzipLevel:1 proxied:[off] "
                        "httpVersion:1.1 vary:false onStatus:[200 403 404] waitForLength:false}");
    assert_string_equal(options_of("compress", LEVELS("gzip on;", "gzip_types a/b text/html *; gzip_vary on; gzip_comp_level 9; "
                                                                  "gzip_min_length 1k; gzip_proxied expired auth; "
                                                                  "gzip_http_version 1.0; gzip_disable msie6 ^x;", "")),
                        "{encodings:[gzip] includedContentTypes:[text/html a/b *] minResponseBodyBytes:1024 gzipLevel:9 "
                        "proxied:[expired auth] disable:[msie6 ^x] httpVersion:1.0 vary:true onStatus:[200 403 404] waitForLength:false}");
    assert_string_equal(options_of("compress", LEVELS("gzip on;", "", "gzip off;")), "");
    assert_non_null(strstr(options_of("compress", LEVELS("gzip on; gzip_comp_level 10;", "", "")), "value must be between 1 and 9"));
    assert_non_null(strstr(options_of("compress", LEVELS("gzip on;", "brotli on; zstd on;", "")), "}{encodings:[br] "));
}

TEST(nginx_limit_rate_becomes_bandwidth)
{
    assert_string_equal(options_of("bandwidth", LEVELS("limit_rate 12k;", "limit_rate_after $arg_a;", "")), "{rate:12k after:${arg_a}}");
    assert_non_null(strstr(options_of("bandwidth", LEVELS("limit_rate fast;", "", "")), "invalid value \"fast\" in \"limit_rate\" directive"));
}
