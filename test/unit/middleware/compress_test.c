#include "test.h"

#include <brotli/decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "base/rand.h"
#include "middleware/compress.h"
#include "middleware/compress_filter.h"
#include "middleware/rig.h"

/* ---- bodies through a filter ---- */

#define PLAIN_MAX ((size_t)4 << 20)

struct pipe {
    struct arena arena;
    struct chunk_pool pool;
    struct chunkq in, out;
    struct filter *filter;
    char *coded, *plain;
    size_t coded_len, plain_len;
};

static void open_pipe_at(struct pipe *pipe, const char *name, int level, int64_t length)
{
    memset(pipe, 0, sizeof(*pipe));
    arena_init(&pipe->arena, ARENA_UNLIMITED);
    chunk_pool_init(&pipe->pool, 8, 8, 0);
    chunkq_init(&pipe->in);
    chunkq_init(&pipe->out);
    pipe->coded = memory_alloc(PLAIN_MAX * 2);
    pipe->plain = memory_alloc(PLAIN_MAX);
    assert_non_null(codec_find(str_from(name)));
    pipe->filter = compress_filter_new(&pipe->arena, &pipe->pool, codec_find(str_from(name)), level, length);
    assert_non_null(pipe->filter);
}

static void open_pipe(struct pipe *pipe, const char *name, int64_t length)
{
    open_pipe_at(pipe, name, -1, length);
}

static void close_pipe(struct pipe *pipe)
{
    pipe->filter->release(pipe->filter);
    chunkq_release(&pipe->in);
    chunkq_release(&pipe->out);
    assert_int_equal(chunk_pool_in_use(&pipe->pool), 0);
    chunk_pool_release(&pipe->pool);
    arena_release(&pipe->arena);
    free(pipe->coded);
    free(pipe->plain);
}

static void collect(struct pipe *pipe)
{
    while (pipe->out.bytes != 0) {
        struct str part = chunkq_front(&pipe->out);
        assert_true(pipe->coded_len + part.len <= PLAIN_MAX * 2);
        memcpy(pipe->coded + pipe->coded_len, part.data, part.len);
        pipe->coded_len += part.len;
        chunkq_drop(&pipe->out, part.len);
    }
}

static void put(struct pipe *pipe, struct str bytes, bool end)
{
    assert_true(chunkq_add_copy(&pipe->in, &pipe->pool, bytes));
    do {
        assert_int_equal(pipe->filter->process(pipe->filter, &pipe->in, &pipe->out, end), STATUS_OK);
        collect(pipe);
    } while (pipe->filter->more);
    assert_int_equal(pipe->in.bytes, 0);
}

static void flush(struct pipe *pipe)
{
    assert_int_equal(pipe->filter->flush(pipe->filter, &pipe->out), STATUS_OK);
    collect(pipe);
}

static void decode_gzip(struct pipe *pipe)
{
    z_stream stream = {.next_in = (Bytef *)pipe->coded, .avail_in = (uInt)pipe->coded_len,
                       .next_out = (Bytef *)pipe->plain, .avail_out = PLAIN_MAX};
    assert_int_equal(inflateInit2(&stream, 31), Z_OK);
    int result = inflate(&stream, Z_SYNC_FLUSH);
    assert_true(result == Z_STREAM_END || result == Z_OK);
    pipe->plain_len = stream.total_out;
    inflateEnd(&stream);
}

static void decode_brotli(struct pipe *pipe)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)pipe->coded;
    uint8_t *out = (uint8_t *)pipe->plain;
    size_t in_len = pipe->coded_len, room = PLAIN_MAX;
    assert_int_not_equal(BrotliDecoderDecompressStream(state, &in_len, &in, &room, &out, NULL),
                         BROTLI_DECODER_RESULT_ERROR);
    pipe->plain_len = PLAIN_MAX - room;
    BrotliDecoderDestroyInstance(state);
}

static void decode_zstd(struct pipe *pipe)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {pipe->coded, pipe->coded_len, 0};
    ZSTD_outBuffer out = {pipe->plain, PLAIN_MAX, 0};
    while (in.pos < in.size)
        assert_false(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
    pipe->plain_len = out.pos;
    ZSTD_freeDCtx(context);
}

/* What a client sees of the coded bytes so far. */
static struct str decoded(struct pipe *pipe, const char *name)
{
    if (strcmp(name, "gzip") == 0)
        decode_gzip(pipe);
    else if (strcmp(name, "br") == 0)
        decode_brotli(pipe);
    else
        decode_zstd(pipe);
    return str_of(pipe->plain, pipe->plain_len);
}

static const char *const names[] = {"gzip", "br", "zstd"};
#define EACH_CODEC(i) for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)

static char *text_of(size_t size)
{
    char *text = memory_alloc(size);
    for (size_t at = 0; at < size; at++)
        text[at] = "the quick brown fox jumps over the lazy dog; "[(at + at / 97) % 45];
    return text;
}

TEST(compress_gives_back_what_went_in)
{
    char *text = text_of(1000000);
    EACH_CODEC(i) {
        struct pipe pipe;
        open_pipe(&pipe, names[i], 1000000);
        for (size_t at = 0; at < 1000000; at += 50000)
            put(&pipe, str_of(text + at, 50000), at == 950000);
        assert_in_range(pipe.coded_len, 1, 300000);
        assert_str_equal(decoded(&pipe, names[i]), str_of(text, 1000000));
        close_pipe(&pipe);
    }
    free(text);
}

TEST(compress_takes_tiny_pieces_and_an_end_of_its_own)
{
    char *text = text_of(5000);
    EACH_CODEC(i) {
        struct pipe pipe;
        open_pipe(&pipe, names[i], -1);
        for (size_t at = 0; at < 5000; at++)
            put(&pipe, str_of(text + at, 1), false);
        put(&pipe, STR_NONE, true);
        assert_str_equal(decoded(&pipe, names[i]), str_of(text, 5000));
        close_pipe(&pipe);
    }
    free(text);
}

TEST(compress_takes_what_is_slow_to_code_in_steps)
{
    char *text = text_of(100000);
    struct pipe pipe;
    open_pipe_at(&pipe, "gzip", 9, -1);
    assert_true(chunkq_add_copy(&pipe.in, &pipe.pool, str_of(text, 60000)));
    assert_int_equal(pipe.filter->process(pipe.filter, &pipe.in, &pipe.out, false), STATUS_OK);
    assert_in_range(pipe.in.bytes, 40000, 59999);
    assert_true(pipe.filter->more);
    put(&pipe, str_of(text + 60000, 10000), false);
    flush(&pipe);
    assert_str_equal(decoded(&pipe, "gzip"), str_of(text, 70000));
    put(&pipe, str_of(text + 70000, 30000), true);
    assert_str_equal(decoded(&pipe, "gzip"), str_of(text, 100000));
    close_pipe(&pipe);
    free(text);
}

TEST(compress_carries_what_cannot_be_compressed)
{
    char *noise = memory_alloc(2000000);
    rand_bytes(noise, 2000000);
    EACH_CODEC(i) {
        struct pipe pipe;
        open_pipe(&pipe, names[i], -1);
        put(&pipe, str_of(noise, 2000000), true);
        assert_in_range(pipe.coded_len, 1990000, 2010000);
        assert_str_equal(decoded(&pipe, names[i]), str_of(noise, 2000000));
        close_pipe(&pipe);
    }
    free(noise);
}

TEST(compress_flush_makes_everything_readable)
{
    EACH_CODEC(i) {
        struct pipe pipe;
        open_pipe(&pipe, names[i], -1);
        put(&pipe, S("data: one\n\n"), false);
        flush(&pipe);
        assert_str_equal(decoded(&pipe, names[i]), S("data: one\n\n"));
        size_t before = pipe.coded_len;
        flush(&pipe);
        assert_int_equal(pipe.coded_len, before);
        put(&pipe, S("data: two\n\n"), false);
        flush(&pipe);
        assert_str_equal(decoded(&pipe, names[i]), S("data: one\n\ndata: two\n\n"));
        put(&pipe, STR_NONE, true);
        assert_str_equal(decoded(&pipe, names[i]), S("data: one\n\ndata: two\n\n"));
        close_pipe(&pipe);
    }
}

TEST(compress_does_not_flush_bodies_whose_length_promises_the_rest)
{
    EACH_CODEC(i) {
        struct pipe pipe;
        open_pipe(&pipe, names[i], 9);
        put(&pipe, S("abc"), false);
        size_t before = pipe.coded_len;
        flush(&pipe);
        assert_int_equal(pipe.coded_len, before);
        put(&pipe, S("defghi"), true);
        assert_str_equal(decoded(&pipe, names[i]), S("abcdefghi"));
        close_pipe(&pipe);
    }
}

TEST(compress_of_an_empty_body_is_a_whole_one)
{
    EACH_CODEC(i) {
        struct pipe pipe;
        open_pipe(&pipe, names[i], -1);
        put(&pipe, STR_NONE, true);
        assert_int_not_equal(pipe.coded_len, 0);
        assert_int_equal(decoded(&pipe, names[i]).len, 0);
        close_pipe(&pipe);
    }
}

TEST(compress_coders_are_clean_when_used_again)
{
    EACH_CODEC(i) {
        for (unsigned round = 0; round < 20; round++) {
            struct pipe pipe;
            open_pipe(&pipe, names[i], round % 2 == 0 ? -1 : 100);
            put(&pipe, S("left in the middle"), false);
            close_pipe(&pipe);
            open_pipe(&pipe, names[i], -1);
            put(&pipe, S("whole"), true);
            assert_str_equal(decoded(&pipe, names[i]), S("whole"));
            close_pipe(&pipe);
        }
    }
}

/* All of `input`, and what the coder has to say to the step, `room` bytes at a time. */
static void run_codec(struct pipe *pipe, const struct codec *codec, void *coder, enum codec_step step, struct str input, size_t room)
{
    bool more = true;
    while (input.len != 0 || more) {
        size_t written;
        assert_true(pipe->coded_len + room <= PLAIN_MAX);
        assert_true(codec->run(coder, step, &input, pipe->coded + pipe->coded_len, room, &written, &more));
        pipe->coded_len += written;
    }
}

TEST(compress_gives_back_what_went_in_at_every_level_of_gzip)
{
    char *text = text_of(300000);
    rand_bytes(text + 100000, 70000);
    const struct codec *codec = codec_find(S("gzip"));
    for (int level = 0; level <= codec->level_max; level++) {
        for (size_t room = CODEC_ROOM; room <= 40000; room = room * 5 + 3) {
            struct pipe pipe;
            open_pipe(&pipe, "gzip", -1);
            void *coder = codec->take(-1, level);
            run_codec(&pipe, codec, coder, CODEC_GO, str_of(text, 99000), room);
            run_codec(&pipe, codec, coder, CODEC_FLUSH, str_of(text + 99000, 1000), room);
            assert_str_equal(decoded(&pipe, "gzip"), str_of(text, 100000));
            run_codec(&pipe, codec, coder, CODEC_END, str_of(text + 100000, 200000), room);
            assert_str_equal(decoded(&pipe, "gzip"), str_of(text, 300000));
            codec->give(coder);
            close_pipe(&pipe);
        }
    }
    free(text);
}

/* ---- the decision ---- */

static const char *chosen(const char *encodings, const char *accepted)
{
    static struct str name;
    const struct codec *codecs[4];
    struct compress_choice choice = {.codecs = codecs};
    struct str rest = str_from(encodings), word;
    while (str_split(&rest, ' ', &word))
        codecs[choice.codec_count++] = codec_find(word);
    const struct codec *codec = compress_choose(&choice, str_from(accepted));
    name = codec != NULL ? codec->name : S("-");
    return name.data;
}

TEST(compress_prefers_what_the_client_likes_then_what_the_server_does)
{
    assert_string_equal(chosen("gzip br zstd", "gzip, br, zstd"), "gzip");
    assert_string_equal(chosen("zstd br gzip", "gzip, br, zstd"), "zstd");
    assert_string_equal(chosen("gzip br", "gzip;q=0.1, br;q=0.9"), "br");
    assert_string_equal(chosen("gzip br", "GZIP"), "gzip");
    assert_string_equal(chosen("br gzip", "*"), "br");
    assert_string_equal(chosen("br gzip", "*, br;q=0"), "gzip");
    assert_string_equal(chosen("br gzip", "gzip;q=0.5, identity;q=0"), "gzip");
}

TEST(compress_leaves_bodies_to_clients_that_want_them_so)
{
    assert_string_equal(chosen("gzip br", NULL), "-");
    assert_string_equal(chosen("gzip br", ""), "-");
    assert_string_equal(chosen("gzip br", "identity"), "-");
    assert_string_equal(chosen("gzip br", "deflate, zstd"), "-");
    assert_string_equal(chosen("gzip br", "gzip;q=0, *;q=0"), "-");
    assert_string_equal(chosen("gzip br", "gzip;q=0.5, identity"), "-");
}

/* "coding|vary" of a response of 5000 bytes with these fields. */
static const char *told(struct rig *rig, const char *const *fields, int64_t length)
{
    static char text[200];
    rig_begin(rig, "GET", "http://a/");
    rig_field(rig, "Accept-Encoding", "gzip");
    rig_respond(rig, 200);
    for (; fields != NULL && *fields != NULL; fields += 2)
        fields_add(&rig->x.response.fields, str_from(fields[0]), str_from(fields[1]));
    rig->x.response.body_length = length;
    assert_int_equal(rig_response(rig), VERDICT_NEXT);
    struct filter *filter = rig->x.response_filters;
    bool coded = rig_response_field(rig, "Content-Encoding").len != 0 && filter != NULL;
    assert_int_equal(rig->x.response.body_length, coded ? -1 : length);
    if (filter != NULL)
        filter->release(filter);
    snprintf(text, sizeof(text), "%.*s|%.*s", STR_ARGS(rig_response_field(rig, "Content-Encoding")),
             STR_ARGS(rig_response_field(rig, "Vary")));
    rig_finish(rig);
    return text;
}

#define FIELD_LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(compress_changes_what_it_may)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", "{}"));
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "text/html"), 5000), "gzip|Accept-Encoding");
    assert_string_equal(told(&rig, NULL, 5000), "gzip|Accept-Encoding");
    assert_string_equal(told(&rig, FIELD_LIST("Vary", "accept-encoding"), 5000), "gzip|accept-encoding");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "text/html"), 1023), "|Accept-Encoding");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "image/svg+xml"), 1024), "gzip|Accept-Encoding");
    rig_release(&rig);
}

TEST(compress_leaves_alone_what_it_must)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", "{}"));
    assert_string_equal(told(&rig, FIELD_LIST("Content-Encoding", "br"), 5000), "br|");
    assert_string_equal(told(&rig, FIELD_LIST("Cache-Control", "public, no-transform"), 5000), "|");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Range", "bytes 0-1/2"), 5000), "|");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "application/grpc+proto"), 5000), "|");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "image/PNG"), 5000), "|");
    rig_release(&rig);
}

TEST(compress_knows_types_that_are_listed)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", "excludedContentTypes: [text/css]"));
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "Text/CSS; charset=utf-8"), 5000), "|");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "text/html"), 5000), "gzip|Accept-Encoding");
    assert_true(rig_configure(&rig, "compress", "includedContentTypes: [image/png]"));
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "image/png"), 5000), "gzip|Accept-Encoding");
    assert_string_equal(told(&rig, FIELD_LIST("Content-Type", "text/html"), 5000), "|");
    assert_false(rig_configure(&rig, "compress", "{includedContentTypes: [a/b], excludedContentTypes: [c/d]}"));
    assert_false(rig_configure(&rig, "compress", "{encodings: [deflate]}"));
    rig_release(&rig);
}

TEST(compress_weakens_the_tag_and_forgets_what_described_the_bytes)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", "{}"));
    told(&rig, FIELD_LIST("ETag", "\"e\"", "Accept-Ranges", "bytes", "Content-MD5", "x"), 5000);
    assert_str_equal(rig_response_field(&rig, "ETag"), S("W/\"e\""));
    assert_int_equal(rig_response_field(&rig, "Accept-Ranges").len, 0);
    assert_int_equal(rig_response_field(&rig, "Content-MD5").len, 0);
    told(&rig, FIELD_LIST("ETag", "W/\"e\""), 5000);
    assert_str_equal(rig_response_field(&rig, "ETag"), S("W/\"e\""));
    rig_release(&rig);
}

/* The coding of a response to a request with Via: its fields as FIELD_LIST. */
static const char *told_to_proxy(const char *proxied, const char *authorization, const char *const *fields)
{
    static char text[40];
    struct rig rig;
    char yaml[100];
    snprintf(yaml, sizeof(yaml), "{proxied: [%s]}", proxied);
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", yaml));
    rig_begin(&rig, "GET", "http://a/");
    rig_field(&rig, "Accept-Encoding", "gzip");
    rig_field(&rig, "Via", "1.1 cache");
    if (authorization != NULL)
        rig_field(&rig, "Authorization", authorization);
    rig_respond(&rig, 200);
    for (; fields != NULL && *fields != NULL; fields += 2)
        fields_add(&rig.x.response.fields, str_from(fields[0]), str_from(fields[1]));
    rig.x.response.body_length = 5000;
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    snprintf(text, sizeof(text), "%.*s", STR_ARGS(rig_response_field(&rig, "Content-Encoding")));
    if (rig.x.response_filters != NULL)
        rig.x.response_filters->release(rig.x.response_filters);
    rig_finish(&rig);
    rig_release(&rig);
    return text;
}

TEST(compress_heeds_what_proxies_may_make_of_it)
{
    const char *const *old = FIELD_LIST("Expires", "Thu, 01 Jan 1970 00:00:01 GMT");
    const char *const *fresh = FIELD_LIST("Expires", "Thu, 31 Dec 2099 23:55:55 GMT");
    const char *const *private = FIELD_LIST("Cache-Control", "max-age=1, private");
    const char *const *dated = FIELD_LIST("Last-Modified", "Thu, 01 Jan 1970 00:00:01 GMT");
    const char *const *tagged = FIELD_LIST("ETag", "\"x\"");
    assert_string_equal(told_to_proxy("any", NULL, fresh), "gzip");
    assert_string_equal(told_to_proxy("off", NULL, NULL), "");
    assert_string_equal(told_to_proxy("expired", NULL, old), "gzip");
    assert_string_equal(told_to_proxy("expired", NULL, fresh), "");
    assert_string_equal(told_to_proxy("no-cache", NULL, old), "");
    assert_string_equal(told_to_proxy("private", NULL, private), "gzip");
    assert_string_equal(told_to_proxy("no-cache, no-store", NULL, private), "");
    assert_string_equal(told_to_proxy("no_last_modified", NULL, dated), "");
    assert_string_equal(told_to_proxy("no_last_modified", NULL, tagged), "gzip");
    assert_string_equal(told_to_proxy("no_etag", NULL, tagged), "");
    assert_string_equal(told_to_proxy("no_etag", NULL, dated), "gzip");
    assert_string_equal(told_to_proxy("auth", "Basic x", fresh), "gzip");
    assert_string_equal(told_to_proxy("auth, private", NULL, private), "gzip");
}

TEST(compress_tells_head_what_get_would_be_told)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", "{minLength: 10}"));
    rig_begin(&rig, "HEAD", "http://a/");
    rig_field(&rig, "Accept-Encoding", "gzip");
    rig_respond(&rig, 200);
    rig.x.response.body_length = 5000;
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_true(str_equal(rig_response_field(&rig, "Content-Encoding"), S("gzip")));
    assert_null(rig.x.response_filters);
    assert_int_equal(rig.x.response.body_length, BODY_UNKNOWN);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(compress_may_be_kept_to_statuses_and_versions)
{
    struct rig rig;
    rig_init(&rig);
    assert_true(rig_configure(&rig, "compress", "{onStatus: [200, 404], httpVersion: '1.1', vary: false}"));
    assert_string_equal(told(&rig, NULL, 5000), "gzip|");
    rig_begin(&rig, "GET", "http://a/");
    rig_field(&rig, "Accept-Encoding", "gzip");
    rig_respond(&rig, 500);
    rig.x.response.body_length = 5000;
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig.x.response_filters);
    rig_finish(&rig);
    rig_begin(&rig, "GET", "http://a/");
    rig.x.stream.request.version = HTTP_1_0;
    rig_field(&rig, "Accept-Encoding", "gzip");
    rig_respond(&rig, 200);
    rig.x.response.body_length = 5000;
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig.x.response_filters);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(compress_packs_better_at_higher_levels)
{
    char body[60000];
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = "a quick brown fox "[i * i % 18];
    EACH_CODEC(i) {
        size_t sizes[2];
        const int levels[2] = {1, 9};
        for (unsigned j = 0; j < 2; j++) {
            const struct codec *codec = codec_find(str_from(names[i]));
            void *coder = codec->take(sizeof(body), levels[j]);
            static char out[70000];
            struct str input = str_of(body, sizeof(body));
            bool more;
            assert_true(codec->run(coder, CODEC_END, &input, out, sizeof(out), &sizes[j], &more));
            codec->give(coder);
        }
        assert_in_range(sizes[1], 1, sizes[0]);
    }
}
