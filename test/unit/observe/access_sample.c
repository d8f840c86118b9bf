#include "access_sample.h"

#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "base/time.h"

void sample_init(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    setenv("TZ", "XST-3:30", 1);      /* three and a half hours east of Greenwich */
    tzset();
    fixture_init(&sample->fixture);
    struct arena *arena = &sample->fixture.arena;
    fields_init(&sample->request.fields, arena, 4);
    fields_init(&sample->response.fields, arena, 4);
    sample->client.peer_port = 4711;
    sample->config.fields.headers.default_mode = FIELD_MODE_DROP;
    sample->record = (struct access_record){
        .client = &sample->client, .request = &sample->request, .response = &sample->response, .method = METHOD_GET,
        .method_name = S("GET"), .path = S("/path"), .query = S("q=1"), .authority = S("site.example:8080"),
        .scheme = S("http"), .client_ip = S("192.0.2.1"), .entrypoint = S("web"), .router = S("main@file"),
        .service = S("app@file"), .server_url = S("http://10.0.0.1:80/base"), .request_id = S("id-1"),
        .protocol = S("HTTP/1.1"), .status = 200, .origin_status = 200, .began_wall = 1795341600 * TIME_S + 42,
        .total = 5 * TIME_MS, .queue = 10, .connect = 20, .first_byte = 30, .request_bytes = 3, .response_bytes = 12,
        .origin_bytes = 12, .attempts = 1, .number = 7};
    text_init(&sample->text, SIZE_MAX);
}

void sample_release(struct sample *sample)
{
    text_release(&sample->text);
    fixture_release(&sample->fixture);
}

void sample_rules(struct sample *sample, struct strmap *map, const char *name, const char *mode)
{
    struct strmap_item *items = arena_array(&sample->fixture.arena, struct strmap_item, map->count + 1);
    if (map->count != 0)
        memcpy(items, map->items, map->count * sizeof(*items));
    items[map->count] = (struct strmap_item){str_from(name), str_from(mode)};
    map->items = items;
    map->count++;
}

void sample_field(struct sample *sample, const char *name, const char *value)
{
    fields_add(&sample->request.fields, str_from(name), str_from(value));
}

struct str sample_line(struct sample *sample)
{
    struct access_format *format = access_format_new(&sample->config);
    text_clear(&sample->text);
    access_format_line(format, &sample->record, &sample->text);
    access_format_free(format);
    struct str line = text_str(&sample->text);
    assert_false(sample->text.overflow);
    assert_true(str_ends(line, S("\n")));
    line = str_first(line, line.len - 1);
    assert_int_equal(str_find_char(line, '\n', 0), -1);
    return line;
}
