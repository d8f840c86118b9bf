#include "test.h"

#include <stdlib.h>

#include "base/base64.h"
#include "middleware/grpc_web_body.h"
#include "middleware/rig.h"

/* ---- bodies ---- */

struct body {
    struct arena arena;
    struct chunk_pool pool;
    struct chunkq in, out;
    struct fields trailers;
    struct filter *filter;
    struct text result;
};

static void begin(struct body *body)
{
    arena_init(&body->arena, ARENA_UNLIMITED);
    chunk_pool_init(&body->pool, 8, 8, 0);
    chunkq_init(&body->in);
    chunkq_init(&body->out);
    fields_init(&body->trailers, &body->arena, 4);
    text_init(&body->result, (size_t)4 << 20);
}

static void end(struct body *body)
{
    chunkq_release(&body->in);
    chunkq_release(&body->out);
    assert_int_equal(chunk_pool_in_use(&body->pool), 0);
    chunk_pool_release(&body->pool);
    arena_release(&body->arena);
    text_release(&body->result);
}

static void collect(struct body *body)
{
    while (body->out.bytes != 0) {
        struct str part = chunkq_front(&body->out);
        text_add(&body->result, part);
        chunkq_drop(&body->out, part.len);
    }
}

/* In stretches of `step` bytes, the last one with the end. */
static enum status put(struct body *body, struct str bytes, size_t step)
{
    enum status status;
    do {
        struct str part = str_first(bytes, step);
        bytes = str_from_index(bytes, part.len);
        chunkq_add_static(&body->in, part);
        status = body->filter->process(body->filter, &body->in, &body->out, bytes.len == 0);
        collect(body);
    } while (status == STATUS_OK && bytes.len != 0);
    return status;
}

static void assert_decoded(const char *text, struct str expected)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        struct body body;
        begin(&body);
        body.filter = grpc_web_decoder_new(&body.arena, &body.pool);
        assert_int_equal(put(&body, str_from(text), step), STATUS_OK);
        assert_str_equal(text_str(&body.result), expected);
        end(&body);
    }
}

TEST(base_64_is_taken_off_in_stretches_of_any_size)
{
    assert_decoded("AAAAAAVoZWxsbw==", S("\0\0\0\0\5hello"));
    assert_decoded("aGVsbG8gd29ybGQh", S("hello world!"));
    assert_decoded("aGVsbG8", S("hello"));
}

TEST(texts_that_were_padded_may_follow_each_other)
{
    assert_decoded("aA==ZWxsbw==IQ==", S("hello!"));
}

TEST(padding_in_a_long_text_ends_no_more_than_its_own_part)
{
    static char bytes[10000], text[2 * BASE64_ENCODED_SIZE(sizeof(bytes))];
    struct body body;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    size_t len = base64_encode(BASE64_STANDARD, str_of(bytes, 9001), text); /* padded behind more than is read at once */
    len += base64_encode(BASE64_STANDARD, str_of(bytes + 9001, sizeof(bytes) - 9001), text + len);
    begin(&body);
    body.filter = grpc_web_decoder_new(&body.arena, &body.pool);
    assert_int_equal(put(&body, str_of(text, len), len), STATUS_OK);
    assert_str_equal(text_str(&body.result), str_of(bytes, sizeof(bytes)));
    end(&body);
}

TEST(what_is_no_base_64_is_refused)
{
    static const char *const texts[] = {"a", "aGVs*G8=", "aGVs=G8=", "=", "aGVsbG8=a"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct body body;
        begin(&body);
        body.filter = grpc_web_decoder_new(&body.arena, &body.pool);
        assert_int_equal(put(&body, str_from(texts[i]), 3), STATUS_BAD_REQUEST);
        end(&body);
    }
}

TEST(a_body_that_comes_again_is_read_from_its_start)
{
    struct body body;
    begin(&body);
    body.filter = grpc_web_decoder_new(&body.arena, &body.pool);
    chunkq_add_static(&body.in, S("aGV"));
    assert_int_equal(body.filter->process(body.filter, &body.in, &body.out, false), STATUS_OK);
    body.filter->restart(body.filter);
    assert_int_equal(put(&body, S("aGVsbG8="), 5), STATUS_OK);
    assert_str_equal(text_str(&body.result), S("hello"));
    end(&body);
}

TEST(trailers_become_the_last_frame)
{
    struct body body;
    begin(&body);
    fields_add(&body.trailers, S("Grpc-Status"), S("0"));
    fields_add(&body.trailers, S("grpc-message"), S("fine"));
    body.filter = grpc_web_encoder_new(&body.arena, &body.pool, &body.trailers, false);
    assert_int_equal(put(&body, S("\0\0\0\0\2ab"), 3), STATUS_OK);
    assert_str_equal(text_str(&body.result), S("\0\0\0\0\2ab\x80\0\0\0\x24grpc-status: 0\r\ngrpc-message: fine\r\n"));
    assert_int_equal(body.trailers.count, 0);
    end(&body);
}

TEST(a_text_is_one_base_64_from_the_first_frame_to_the_trailers)
{
    for (size_t step = 1; step <= 7; step++) {
        struct body body;
        begin(&body);
        fields_add(&body.trailers, S("grpc-status"), S("0"));
        body.filter = grpc_web_encoder_new(&body.arena, &body.pool, &body.trailers, true);
        assert_int_equal(put(&body, S("\0\0\0\0\2ab"), step), STATUS_OK);
        assert_str_equal(text_str(&body.result), S("AAAAAAJhYoAAAAAQZ3JwYy1zdGF0dXM6IDANCg=="));
        end(&body);
    }
}

TEST(a_text_that_pauses_is_padded_so_that_nothing_is_held_back)
{
    struct body body;
    begin(&body);
    body.filter = grpc_web_encoder_new(&body.arena, &body.pool, &body.trailers, true);
    chunkq_add_static(&body.in, S("ab"));
    assert_int_equal(body.filter->process(body.filter, &body.in, &body.out, false), STATUS_OK);
    assert_int_equal(body.filter->flush(body.filter, &body.out), STATUS_OK);
    collect(&body);
    assert_str_equal(text_str(&body.result), S("YWI="));
    assert_int_equal(put(&body, S("c"), 1), STATUS_OK);
    assert_str_equal(text_str(&body.result), S("YWI=Yw=="));
    end(&body);
}

/* ---- heads ---- */

static struct rig rig;

static void ask(const char *method, const char *type)
{
    rig_begin(&rig, method, "http://a.example/echo.Echo/Say");
    if (type != NULL)
        rig_field(&rig, "Content-Type", type);
}

TEST(requests_of_grpc_web_become_grpc_and_others_stay)
{
    static const struct {
        const char *method, *type, *expected, *te;
    } cases[] = {
        {"POST", "application/grpc-web", "application/grpc", "trailers"},
        {"POST", "application/grpc-web+proto", "application/grpc+proto", "trailers"},
        {"POST", "application/grpc-web-text", "application/grpc", "trailers"},
        {"POST", "application/grpc-web-text+json", "application/grpc+json", "trailers"},
        {"POST", "application/grpc-webby", "application/grpc-webby", ""},
        {"POST", "application/grpc", "application/grpc", ""},
        {"GET", "application/grpc-web", "application/grpc-web", ""},
    };
    rig_init(&rig);
    assert_true(rig_configure(&rig, "grpcWeb", "allowOrigins: ['*']"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask(cases[i].method, cases[i].type);
        assert_int_equal(rig_request(&rig), VERDICT_NEXT);
        assert_str_equal(rig_request_field(&rig, "Content-Type"), str_from(cases[i].expected));
        assert_str_equal(rig_request_field(&rig, "TE"), str_from(cases[i].te));
        rig_finish(&rig);
    }
    rig_release(&rig);
}

TEST(preflights_of_allowed_origins_are_answered)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "grpcWeb", "allowOrigins: ['https://a.example']"));
    for (int allowed = 0; allowed < 2; allowed++) {
        ask("OPTIONS", NULL);
        rig_field(&rig, "Origin", allowed ? "https://a.example" : "https://b.example");
        rig_field(&rig, "Access-Control-Request-Headers", "content-type,X-Grpc-Web");
        assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
        assert_int_equal(rig.x.response.status, 204);
        assert_str_equal(rig_response_field(&rig, "Access-Control-Allow-Origin"), allowed ? S("https://a.example") : S(""));
        assert_str_equal(rig_response_field(&rig, "Access-Control-Allow-Headers"),
                         allowed ? S("content-type,X-Grpc-Web") : S(""));
        rig_finish(&rig);
    }
    ask("OPTIONS", NULL);
    rig_field(&rig, "Origin", "https://a.example");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(responses_of_grpc_get_the_type_of_the_request_and_the_fields_for_scripts)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "grpcWeb", "allowOrigins: ['*']"));
    ask("POST", "application/grpc-web-text+proto");
    rig_field(&rig, "Origin", "https://a.example");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_respond(&rig, 200);
    fields_add(&rig.x.response.fields, S("Content-Type"), S("application/grpc+proto"));
    fields_add(&rig.x.response.fields, S("X-Own"), S("1"));
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_str_equal(rig_response_field(&rig, "Content-Type"), S("application/grpc-web-text+proto"));
    assert_str_equal(rig_response_field(&rig, "Access-Control-Allow-Origin"), S("https://a.example"));
    assert_true(str_find(rig_response_field(&rig, "Access-Control-Expose-Headers"), S("X-Own")) > 0);
    assert_non_null(rig.x.response_filters);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(a_response_that_cannot_have_a_body_gets_none)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "grpcWeb", "allowOrigins: ['*']"));
    ask("POST", "application/grpc-web");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_respond(&rig, 204);
    fields_add(&rig.x.response.fields, S("Content-Type"), S("application/grpc"));
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig.x.response_filters);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(a_response_that_is_no_grpc_stays_as_it_is)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "grpcWeb", "allowOrigins: ['*']"));
    ask("POST", "application/grpc-web");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_respond(&rig, 502);
    fields_add(&rig.x.response.fields, S("Content-Type"), S("text/plain"));
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_str_equal(rig_response_field(&rig, "Content-Type"), S("text/plain"));
    assert_null(rig.x.response_filters);
    rig_finish(&rig);
    rig_release(&rig);
}
