#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "place.h"

static struct str body(struct place *place)
{
    return place_body(place, 65536);
}

/* root/: index.html, page.html (11 bytes), sub/index.html. */
static void home(struct place *place, const char *options)
{
    place_init(place);
    place_write(place, "root/index.html", "home");
    place_write(place, "root/page.html", "<p>page</p>");
    place_folder(place, "root/sub");
    place_write(place, "root/sub/index.html", "sub");
    place_folder(place, "root/bare");
    place_age(place, "root/page.html", 784111777, 5);
    assert_true(place_serve(place, options));
}

TEST(files_have_validators_that_change_with_the_file)
{
    struct place place;
    home(&place, "");
    assert_int_equal(place_get(&place, "/page.html"), 200);
    assert_str_equal(body(&place), S("<p>page</p>"));
    assert_int_equal(place.x.response.body_length, 11);
    assert_str_equal(place_value(&place, FIELD_CONTENT_TYPE), S("text/html; charset=utf-8"));
    assert_str_equal(place_value(&place, FIELD_LAST_MODIFIED), S("Sun, 06 Nov 1994 08:49:37 GMT"));
    struct str first = arena_str(&place.fixture.arena, place_value(&place, FIELD_ETAG));
    assert_true(str_starts(first, S("\"")) && str_find(first, S("-b-")) > 0);
    place_age(&place, "root/page.html", 784111777, 6);      /* a nanosecond */
    place_get(&place, "/page.html");
    assert_false(str_equal(place_value(&place, FIELD_ETAG), first));
    place_write(&place, "root/other", "<p>page</p>");       /* the same time and length, another file */
    place_age(&place, "root/other", 784111777, 5);
    assert_int_equal(rename(place_at(&place, "root/other"), place_at(&place, "root/page.html")), 0);
    place_get(&place, "/page.html");
    assert_false(str_equal(place_value(&place, FIELD_ETAG), first));
    place_release(&place);
}

TEST(files_from_before_1970_or_tomorrow_have_no_false_date)
{
    struct place place;
    home(&place, "");
    place_age(&place, "root/page.html", -5, 0);
    assert_int_equal(place_get(&place, "/page.html"), 200);
    assert_null(place_value(&place, FIELD_LAST_MODIFIED).data);
    place_age(&place, "root/page.html", 1900000000, 0);
    assert_int_equal(place_get(&place, "/page.html"), 200);
    assert_str_equal(place_value(&place, FIELD_LAST_MODIFIED), S("Fri, 15 Jan 2027 08:00:00 GMT"));
    place_release(&place);
}

TEST(files_answer_conditions)
{
    struct place place;
    home(&place, "maxAge: 1h\nheaders: {X-More: yes}");
    place_get(&place, "/page.html");
    struct str etag = arena_str(&place.fixture.arena, place_value(&place, FIELD_ETAG));
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_IF_NONE_MATCH, etag.data);
    assert_int_equal(place_pick(&place), 304);
    assert_str_equal(place_value(&place, FIELD_ETAG), etag);
    assert_str_equal(place_value(&place, FIELD_CACHE_CONTROL), S("max-age=3600"));
    assert_str_equal(fields_value_name(&place.x.response.fields, S("X-More")), S("yes"));
    assert_null(place_value(&place, FIELD_CONTENT_TYPE).data);
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_IF_MATCH, "\"other\"");
    assert_int_equal(place_pick(&place), 412);
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_IF_NONE_MATCH, etag.data);
    place_field(&place, FIELD_RANGE, "bytes=0-1");
    place.x.detour = true;      /* an error's page is whole, whatever the client asked for */
    assert_int_equal(place_pick(&place), 200);
    place_release(&place);
}

TEST(files_give_one_range)
{
    struct place place;
    home(&place, "");
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_RANGE, "bytes=3-6");
    assert_int_equal(place_pick(&place), 206);
    assert_str_equal(place_value(&place, FIELD_CONTENT_RANGE), S("bytes 3-6/11"));
    assert_int_equal(place.x.response.body_length, 4);
    assert_str_equal(body(&place), S("page"));
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_RANGE, "bytes=11-");
    assert_int_equal(place_pick(&place), 416);
    assert_str_equal(place_value(&place, FIELD_CONTENT_RANGE), S("bytes */11"));
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_RANGE, "bytes=3-6");
    place_field(&place, FIELD_IF_RANGE, "\"other\"");
    assert_int_equal(place_pick(&place), 200);
    place_ask(&place, "/page.html");
    place_field(&place, FIELD_RANGE, "bytes=3-6");
    place.x.stream.request.method = METHOD_HEAD;
    assert_int_equal(place_pick(&place), 200);
    assert_int_equal(place.x.response.body_length, 11);
    assert_str_equal(body(&place), STR_NONE);
    place_release(&place);
}

TEST(files_give_several_ranges_as_parts)
{
    struct place place;
    home(&place, "");
    for (size_t step = 1; step < 200; step += 13) {
        place_ask(&place, "/page.html");
        place_field(&place, FIELD_RANGE, "bytes=0-2,-4");
        assert_int_equal(place_pick(&place), 206);
        struct str type = place_value(&place, FIELD_CONTENT_TYPE), prefix = S("multipart/byteranges; boundary=");
        assert_true(str_starts(type, prefix));
        assert_null(place_value(&place, FIELD_CONTENT_RANGE).data);
        struct str boundary = str_from_index(type, prefix.len);
        struct str expected = arena_printf(&place.fixture.arena,
                                           "--%.*s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: bytes 0-2/11\r\n\r\n"
                                           "<p>\r\n--%.*s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Range: bytes 7-10/11"
                                           "\r\n\r\n</p>\r\n--%.*s--\r\n",
                                           STR_ARGS(boundary), STR_ARGS(boundary), STR_ARGS(boundary));
        assert_int_equal(place.x.response.body_length, expected.len);
        assert_str_equal(place_body(&place, step), expected);
    }
    place_release(&place);
}

TEST(files_send_a_folders_index_and_redirect_to_its_slash)
{
    struct place place;
    home(&place, "index: [none.html, index.html]");
    assert_int_equal(place_get(&place, "/"), 200);
    assert_str_equal(body(&place), S("home"));
    assert_int_equal(place_get(&place, "/sub/"), 200);
    assert_str_equal(body(&place), S("sub"));
    assert_int_equal(place_get(&place, "/sub?a=b"), 301);
    assert_str_equal(place_value(&place, FIELD_LOCATION), S("./sub/?a=b"));
    assert_int_equal(place_get(&place, "/bare/"), 404);
    assert_int_equal(place_get(&place, "/absent/"), 404);
    place_release(&place);
}

TEST(files_redirect_by_the_path_that_the_client_knows)
{
    struct place place;
    home(&place, "");
    place_ask(&place, "/sub");
    place.x.original_path = S("//evil.example/shown");
    assert_int_equal(place_pick(&place), 301);
    assert_str_equal(place_value(&place, FIELD_LOCATION), S("./shown/"));
    place_ask(&place, "/sub");
    place.x.original_path = S("/shown/");      /* it has its slash already: a redirection would come back */
    assert_int_equal(place_pick(&place), 200);
    assert_str_equal(body(&place), S("sub"));
    place_release(&place);
}

TEST(files_let_an_application_answer_for_its_own_paths)
{
    struct place place;
    home(&place, "spa: true\nmaxAge: 1h");
    assert_int_equal(place_get(&place, "/some/route"), 200);
    assert_str_equal(body(&place), S("home"));
    assert_str_equal(place_value(&place, FIELD_CACHE_CONTROL), S("no-cache"));
    assert_int_equal(place_get(&place, "/bare/"), 200);
    assert_int_equal(place_get(&place, "/"), 200);
    assert_str_equal(place_value(&place, FIELD_CACHE_CONTROL), S("no-cache"));
    assert_int_equal(place_get(&place, "/page.html"), 200);
    assert_str_equal(place_value(&place, FIELD_CACHE_CONTROL), S("max-age=3600"));
    assert_int_equal(place_get(&place, "/.env"), 404);
    assert_true(place_serve(&place, "spa: /page.html"));
    assert_int_equal(place_get(&place, "/some/route"), 200);
    assert_str_equal(body(&place), S("<p>page</p>"));
    assert_true(place_serve(&place, "spa: /absent.html"));
    assert_int_equal(place_get(&place, "/some/route"), 404);
    place_release(&place);
}

static void ask_for(struct place *place, const char *accept, const char *coding, const char *expected)
{
    place_ask(place, "/page.html");
    if (accept != NULL)
        place_field(place, FIELD_ACCEPT_ENCODING, accept);
    assert_int_equal(place_pick(place), 200);
    assert_str_equal(place_value(place, FIELD_CONTENT_ENCODING), str_from(coding));
    assert_str_equal(body(place), str_from(expected));
    assert_str_equal(place_value(place, FIELD_CONTENT_TYPE), S("text/html; charset=utf-8"));
    assert_str_equal(place_value(place, FIELD_VARY), S("Accept-Encoding"));
}

TEST(files_choose_sidecars_by_what_the_client_prefers)
{
    struct place place;
    home(&place, "precompressed: [zstd, gzip, br]");
    place_write(&place, "root/page.html.gz", "GZ");
    place_write(&place, "root/page.html.br", "BR");
    place_folder(&place, "root/page.html.zst");
    ask_for(&place, NULL, NULL, "<p>page</p>");
    ask_for(&place, "gzip", "gzip", "GZ");
    ask_for(&place, "br, gzip, zstd", "gzip", "GZ");      /* equal to the client: the site's order; zstd is no file */
    ask_for(&place, "gzip;q=0.5, br", "br", "BR");
    ask_for(&place, "gzip;q=0, br;q=0, *", NULL, "<p>page</p>");
    ask_for(&place, "identity, gzip;q=0.5", NULL, "<p>page</p>");
    ask_for(&place, "*", "gzip", "GZ");
    ask_for(&place, "deflate", NULL, "<p>page</p>");
    place_link(&place, "root/index.html.gz", "../secret.txt");
    place_ask(&place, "/");
    place_field(&place, FIELD_ACCEPT_ENCODING, "gzip");
    assert_int_equal(place_pick(&place), 200);
    assert_str_equal(body(&place), S("home"));
    assert_int_equal(place_get(&place, "/absent.html"), 404);
    place_release(&place);
}

TEST(files_list_folders_when_told_to)
{
    struct place place;
    home(&place, "browse: true");
    place_write(&place, "root/bare/x.txt", "1");
    assert_int_equal(place_get(&place, "/bare/"), 200);
    assert_str_equal(place_value(&place, FIELD_CONTENT_TYPE), S("text/html; charset=utf-8"));
    assert_true(str_find(body(&place), S("x.txt")) > 0);
    place_ask(&place, "/bare/");
    place_field(&place, FIELD_ACCEPT, "application/json");
    assert_int_equal(place_pick(&place), 200);
    assert_str_equal(place_value(&place, FIELD_CONTENT_TYPE), S("application/json"));
    assert_int_equal(place_get(&place, "/sub/"), 200);      /* an index goes before */
    assert_str_equal(body(&place), S("sub"));
    place_release(&place);
}

TEST(files_refuse_methods_that_would_change_them)
{
    struct place place;
    home(&place, "");
    place_ask(&place, "/page.html");
    place.x.stream.request.method = METHOD_POST;
    assert_int_equal(place_pick(&place), 405);
    assert_str_equal(fields_value_name(&place.x.response.fields, S("Allow")), S("GET, HEAD"));
    assert_int_equal(place.x.failure, STATUS_FILE_METHOD);
    place_release(&place);
}

TEST(files_close_what_they_open)
{
    static const char *const paths[] = {"/page.html", "/sub", "/sub/", "/bare/", "/absent", "/", "/.env", "/large"};
    struct place place;
    home(&place, "browse: true\nprecompressed: true");
    place_write(&place, "root/page.html.gz", "GZ");
    place_write(&place, "root/large", "");
    assert_int_equal(truncate(place_at(&place, "root/large"), 100000), 0);
    place_get(&place, "/");      /* opens the root */
    place_ask(&place, "/");
    unsigned before = place_descriptors();
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        static const char *const ranges[] = {"", "bytes=0-1", "bytes=0-1,4-5", "bytes=999999-"};
        for (size_t j = 0; j < sizeof(ranges) / sizeof(ranges[0]); j++) {
            place_ask(&place, paths[i]);
            place_field(&place, FIELD_RANGE, ranges[j]);
            place_field(&place, FIELD_ACCEPT_ENCODING, "gzip");
            place_pick(&place);
            place_ask(&place, "/");
            assert_int_equal(place_descriptors(), before);
        }
    }
    place_release(&place);
}

TEST(files_offer_large_bodies_to_sendfile_and_read_small_ones)
{
    struct place place;
    home(&place, "");
    place_write(&place, "root/large", "x");
    assert_int_equal(truncate(place_at(&place, "root/large"), 100000), 0);
    off_t *offset;
    int64_t *left;
    assert_int_equal(place_get(&place, "/page.html"), 200);
    assert_int_equal(place.x.response_source->ops->file(place.x.response_source, &offset, &left), -1);
    assert_int_equal(place_get(&place, "/large"), 200);
    assert_true(place.x.response_source->ops->file(place.x.response_source, &offset, &left) >= 0);
    assert_int_equal(*offset, 0);
    assert_int_equal(*left, 100000);
    *offset = 99999;
    *left = 1;
    struct str rest = body(&place);
    assert_int_equal(rest.len, 1);
    assert_int_equal(place.x.response_source->ops->file(place.x.response_source, &offset, &left), -1);
    place_release(&place);
}

TEST(files_that_shrink_break_the_body_instead_of_ending_it)
{
    struct place place;
    struct chunkq queue;
    home(&place, "");
    assert_int_equal(place_get(&place, "/page.html"), 200);
    assert_int_equal(truncate(place_at(&place, "root/page.html"), 4), 0);
    struct body_source *source = place.x.response_source;
    chunkq_init(&queue);
    assert_int_equal(source->ops->read(source, &queue, 65536), STATUS_OK);
    assert_int_equal(queue.bytes, 4);
    assert_int_equal(source->ops->read(source, &queue, 65536), STATUS_FILE_ERROR);
    chunkq_release(&queue);
    place_release(&place);
}

TEST(files_options_are_checked)
{
    struct place place;
    place_init(&place);
    assert_false(place_serve(&place, "spa: app.html\nprecompressed: [lzma]\nindex: ['']"));
    assert_false(place_serve(&place, "headers: {'bad name': x}"));
    const char *report = fixture_rendered(&place.fixture);
    assert_non_null(strstr(report, "is neither true nor false nor a path"));
    assert_non_null(strstr(report, "is none of br, zstd, gzip"));
    assert_non_null(strstr(report, "is not the name of a file"));
    assert_non_null(strstr(report, "'bad name' is not the name of a header field"));
    place_release(&place);
}
