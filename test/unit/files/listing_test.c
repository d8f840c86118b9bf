#include "files/listing.h"

#include "test.h"

#include <fcntl.h>
#include <jansson.h>

#include "place.h"

static struct str html_of(struct listing_entry entry, struct text *text)
{
    struct listing listing = {.path = S("/<p>&/"), .entries = &entry, .count = 1};
    text_init(text, LISTING_BYTES_MAX);
    listing_html(&listing, text);
    return text_str(text);
}

static bool has(struct str haystack, struct str needle)
{
    return str_find(haystack, needle) >= 0;
}

TEST(listing_escapes_names_in_html)
{
    struct text text;
    struct str html = html_of((struct listing_entry){.name = S("<script>\"'&.txt")}, &text);
    assert_false(has(html, S("<script>")));
    assert_true(has(html, S(">&lt;script&gt;&quot;'&amp;.txt</a>")));
    assert_true(has(html, S("href=\"./%3Cscript%3E%22%27%26.txt\"")));
    assert_true(has(html, S("<title>/&lt;p&gt;&amp;/</title>")));
    text_release(&text);
}

TEST(listing_references_cannot_be_taken_for_a_scheme)
{
    struct text text;
    struct str html = html_of((struct listing_entry){.name = S("javascript:alert(1)"), .folder = true}, &text);
    assert_true(has(html, S("href=\"./javascript%3Aalert%281%29/\"")));
    text_release(&text);
}

TEST(listing_shows_sizes_and_dates)
{
    struct text text;
    struct str html = html_of((struct listing_entry){.name = S("a"), .size = 1536, .modified = 86400 * 365}, &text);
    assert_true(has(html, S("<td>1.5 KiB</td><td>1971-01-01 00:00</td>")));
    text_release(&text);
    html = html_of((struct listing_entry){.name = S("a"), .size = INT64_MAX, .modified = -1}, &text);
    assert_true(has(html, S("<td>8.0 EiB</td><td>1969-12-31 23:59</td>")));
    text_release(&text);
}

TEST(listing_json_is_json_whatever_the_names)
{
    struct listing_entry entries[] = {{.name = S("sub"), .folder = true, .modified = 0},
                                      {.name = S("q\"\\\n\xff"), .size = INT64_C(5000000000), .modified = 1}};
    struct listing listing = {.path = S("/"), .entries = entries, .count = 2};
    struct text text;
    text_init(&text, LISTING_BYTES_MAX);
    listing_json(&listing, &text);
    json_t *list = json_loadb(text.data, text.len, 0, NULL);
    assert_int_equal(json_array_size(list), 2);
    const json_t *folder = json_array_get(list, 0), *file = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(folder, "type")), "directory");
    assert_null(json_object_get(folder, "size"));
    assert_string_equal(json_string_value(json_object_get(file, "name")), "q\"\\\n\xef\xbf\xbd");
    assert_int_equal(json_integer_value(json_object_get(file, "size")), INT64_C(5000000000));
    assert_string_equal(json_string_value(json_object_get(file, "modified")), "1970-01-01T00:00:01Z");
    json_decref(list);
    text_clear(&text);
    listing.count = 0;
    listing_json(&listing, &text);
    list = json_loadb(text.data, text.len, 0, NULL);
    assert_true(json_is_array(list));
    json_decref(list);
    text_release(&text);
}

TEST(listing_is_json_only_for_those_who_prefer_it)
{
    assert_false(listing_wants_json(S("")));
    assert_false(listing_wants_json(S("*/*")));
    assert_false(listing_wants_json(S("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")));
    assert_true(listing_wants_json(S("application/json")));
    assert_true(listing_wants_json(S("application/json, */*;q=0.1")));
    assert_true(listing_wants_json(S("text/html;q=0.5, application/json")));
    assert_false(listing_wants_json(S("text/html, application/json")));
    assert_false(listing_wants_json(S("application/json;q=0")));
}

TEST(listing_shows_what_may_be_served_and_nothing_else)
{
    struct place place;
    struct listing listing;
    place_init(&place);
    place_folder(&place, "root/sub");
    place_folder(&place, "root/sub/b");
    place_write(&place, "root/sub/a.txt", "four");
    place_write(&place, "root/sub/.hidden", "");
    place_write(&place, "root/sub/back\\slash", "");
    place_link(&place, "root/sub/in", "a.txt");
    place_link(&place, "root/sub/out", "../../secret.txt");
    place_link(&place, "root/sub/lost", "nowhere");
    assert_int_equal(mkfifo(place_at(&place, "root/sub/fifo"), 0644), 0);
    assert_true(place_serve(&place, ""));
    struct file_site *site = place.service.state;
    struct spot spot = {.root = &site->finder.own, .folder = site->finder.own.constant, .glue = S("/")};
    place_ask(&place, "/");
    unsigned before = place_descriptors();
    for (int follow = 1; follow >= 0; follow--) {
        site->finder.tree.follow = follow != 0;
        int folder = open(place_at(&place, "root/sub"), O_RDONLY | O_DIRECTORY);
        assert_true(listing_read(&site->finder, &place.x, &spot, S("sub/"), folder, false, &listing));
        assert_int_equal(listing.count, 2 + follow);
        assert_str_equal(listing.entries[0].name, S("b"));
        assert_true(listing.entries[0].folder);
        assert_str_equal(listing.entries[1].name, S("a.txt"));
        assert_int_equal(listing.entries[1].size, 4);
        assert_false(listing.cut);
    }
    assert_int_equal(place_descriptors(), before + 1);
    place_release(&place);
}

TEST(listing_of_a_huge_folder_is_cut)
{
    struct place place;
    struct listing listing;
    place_init(&place);
    for (int i = 0; i <= LISTING_ENTRIES_MAX; i++)
        place_write(&place, arena_printf(&place.fixture.arena, "root/%d", i).data, "");
    assert_true(place_serve(&place, ""));
    struct file_site *site = place.service.state;
    struct spot spot = {.root = &site->finder.own, .folder = site->finder.own.constant, .glue = S("/")};
    place_ask(&place, "/");
    int folder = open(place_at(&place, "root"), O_RDONLY | O_DIRECTORY);
    assert_true(listing_read(&site->finder, &place.x, &spot, S(""), folder, false, &listing));
    assert_int_equal(listing.count, LISTING_ENTRIES_MAX);
    assert_true(listing.cut);
    place_release(&place);
}
