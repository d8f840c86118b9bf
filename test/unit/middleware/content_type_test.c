#include "test.h"

#include "exchange/hold.h"
#include "middleware/rig.h"
#include "middleware/sniff.h"

#define assert_sniffed(bytes, type) assert_str_equal(sniff_type(S(bytes)), S(type))

TEST(sniffing_knows_markup)
{
    assert_sniffed("<!DOCTYPE html><html>", "text/html; charset=utf-8");
    assert_sniffed(" \r\n\t<hTmL>", "text/html; charset=utf-8");
    assert_sniffed("<!-- x -->", "text/html; charset=utf-8");
    assert_sniffed("<p>x", "text/html; charset=utf-8");
    assert_sniffed("<pre>x", "text/plain; charset=utf-8");
    assert_sniffed("<b", "text/plain; charset=utf-8");
    assert_sniffed("\n<?xml version='1.0'?>", "text/xml; charset=utf-8");
}

TEST(sniffing_knows_images_sound_video_fonts_and_archives)
{
    assert_sniffed("%PDF-1.4", "application/pdf");
    assert_sniffed("\x89PNG\r\n\x1a\n....", "image/png");
    assert_sniffed("GIF89a...", "image/gif");
    assert_sniffed("\xff\xd8\xff\xe0", "image/jpeg");
    assert_sniffed("RIFF\x10\x20\x30\x40WEBPVP8 ", "image/webp");
    assert_sniffed("RIFF\x10\x20\x30\x40WAVEfmt ", "audio/wave");
    assert_sniffed("RIFF\x10\x20\x30\x40"
                   "AVI LIST",
                   "video/avi");
    assert_sniffed("ID3\x03", "audio/mpeg");
    assert_sniffed("OggS\0\x02", "application/ogg");
    assert_sniffed("\x1a\x45\xdf\xa3\x01", "video/webm");
    assert_sniffed("\0\0\0\x18"
                   "ftypmp42\0\0\0\0isommp42",
                   "video/mp4");
    assert_sniffed("\0\0\0\x18"
                   "ftypisom\0\0\0\0isommp41",
                   "video/mp4");
    assert_sniffed("wOF2\0\x01", "font/woff2");
    assert_sniffed("PK\x03\x04", "application/zip");
    assert_sniffed("\x1f\x8b\x08\0", "application/x-gzip");
    assert_sniffed("\0asm\x01\0\0\0", "application/wasm");
}

TEST(sniffing_tells_text_from_bytes)
{
    assert_sniffed("", "text/plain; charset=utf-8");
    assert_sniffed("gr\xc3\xbc\xc3\x9f"
                   "e\n",
                   "text/plain; charset=utf-8");
    assert_sniffed("\xef\xbb\xbfhello", "text/plain; charset=utf-8");
    assert_sniffed("\xfe\xff\0h\0i", "text/plain; charset=utf-16be");
    assert_sniffed("abc\x01", "application/octet-stream");
    assert_sniffed("\0\0\0\x10"
                   "ftypmp42",
                   "application/octet-stream");
}

/* --- the middleware --- */

static struct rig rig;
static struct str coming; /* what the server's body gives next */
static enum status then; /* and afterwards */

static enum status read_coming(struct body_source *source, struct chunkq *into, size_t max)
{
    struct str part = str_first(coming, max);
    if (part.len == 0)
        return then;
    chunkq_add_static(into, part);
    coming = str_from_index(coming, part.len);
    return STATUS_OK;
}

static const struct body_source_ops coming_source = {.read = read_coming};

static void release_nothing(struct upstream_stream *stream, bool reusable)
{
}

static const struct upstream_ops ops = {.release = release_nothing};

static void on_expire(struct timer *timer)
{
    rig.x.expired = true;
    rig.x.waiting = false;
}

static void respond(const char *method, struct str body, enum status afterwards)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "contentType", "{}"));
    rig_begin(&rig, method, "http://example.com/");
    rig_respond(&rig, 200);
    rig.x.upstream.ops = &ops;
    rig.x.upstream.source.ops = &coming_source;
    rig.x.upstream_bound = rig.x.upload_done = true;
    timer_init(&rig.x.timer, on_expire);
    coming = body;
    then = afterwards;
}

static void end(void)
{
    timer_cancel(&rig.x.timer);
    exchange_drop_response(&rig.x);
    rig_release(&rig);
}

/* All that the client would get of the body. */
static struct str relayed(void)
{
    static char text[4096];
    struct chunkq out;
    chunkq_init(&out);
    struct body_source *source = hold_response_source(&rig.x);
    then = STATUS_END;
    while (source->ops->read(source, &out, 1000) == STATUS_OK)
        continue;
    size_t len = 0;
    for (struct str front; (front = chunkq_front(&out)).len != 0; chunkq_drop(&out, front.len)) {
        assert_true(len + front.len <= sizeof(text));
        memcpy(text + len, front.data, front.len);
        len += front.len;
    }
    chunkq_release(&out);
    return str_of(text, len);
}

TEST(content_type_is_found_in_the_first_bytes_and_none_is_lost)
{
    static char body[2000];
    memset(body, 'x', sizeof(body));
    memcpy(body, "<html>", 6);
    respond("GET", str_of(body, sizeof(body)), STATUS_END);
    rig.x.response.body_length = sizeof(body);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_str_equal(rig_response_field(&rig, "Content-Type"), S("text/html; charset=utf-8"));
    assert_int_equal(rig.x.response.body_length, sizeof(body));
    assert_str_equal(relayed(), str_of(body, sizeof(body)));
    end();
}

TEST(content_type_waits_for_bytes)
{
    respond("GET", S(""), STATUS_AGAIN);
    assert_int_equal(rig_response(&rig), VERDICT_WAIT);
    assert_true(rig.x.resume_on_facts);
    coming = S("%PDF-1.7");
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_false(rig.x.resume_on_facts);
    assert_str_equal(rig_response_field(&rig, "Content-Type"), S("application/pdf"));
    assert_str_equal(relayed(), S("%PDF-1.7"));
    end();
}

TEST(content_type_lets_a_slow_stream_go_on_without)
{
    respond("GET", S(""), STATUS_AGAIN);
    assert_int_equal(rig_response(&rig), VERDICT_WAIT);
    rig_wait(&rig);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig_response_field(&rig, "Content-Type").data);
    assert_false(rig.x.resume_on_facts);
    coming = S("late");
    assert_str_equal(relayed(), S("late"));
    end();
}

TEST(content_type_waits_again_after_somebody_else_has_waited)
{
    respond("GET", S(""), STATUS_AGAIN);
    assert_int_equal(exchange_peek_response(&rig.x, 1024, TIME_MS), HOLD_WAIT);
    rig_wait(&rig);
    assert_int_equal(exchange_peek_response(&rig.x, 1024, TIME_MS), HOLD_READY);
    assert_int_equal(rig_response(&rig), VERDICT_WAIT);
    rig_wait(&rig);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    end();
}

TEST(a_look_at_a_response_keeps_more_than_was_asked_for_in_memory)
{
    static char body[60000];
    memset(body, 'x', sizeof(body));
    respond("GET", str_of(body, sizeof(body)), STATUS_AGAIN);
    assert_int_equal(exchange_peek_response(&rig.x, 16, TIME_MS), HOLD_READY);
    struct str bytes;
    assert_int_equal(exchange_look_at_response(&rig.x, TIME_MS, &bytes), HOLD_READY);
    assert_int_equal(bytes.len, sizeof(body));
    end();
}

TEST(content_type_leaves_other_responses_alone)
{
    respond("HEAD", S("<html>"), STATUS_END);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig_response_field(&rig, "Content-Type").data);
    end();
    respond("GET", S("<html>"), STATUS_END);
    fields_add_id(&rig.x.response.fields, FIELD_CONTENT_TYPE, S("x/y"));
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_str_equal(rig_response_field(&rig, "Content-Type"), S("x/y"));
    end();
    respond("GET", S("<html>"), STATUS_END);
    fields_add_id(&rig.x.response.fields, FIELD_CONTENT_ENCODING, S("gzip"));
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig_response_field(&rig, "Content-Type").data);
    end();
    respond("GET", S(""), STATUS_END);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_null(rig_response_field(&rig, "Content-Type").data);
    end();
}
