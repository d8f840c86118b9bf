/* Unpacks gzip for clients that do not take it: content that is stored or sent by servers in that coding alone. */
#include "exchange/middleware.h"
#include "http/token.h"
#include "middleware/codec.h"
#include "middleware/compress_filter.h"

#include <stdlib.h>
#include <zlib.h>

#include "middleware/codec_store.h"

struct gunzip {
    const struct node *origin;
    bool direct, vary;
};

static const struct option options[] = {
    OPTION(BOOL, struct gunzip, direct, .help = "Unpack for HTTP/1.0 and for requests that came through a proxy (Via) whatever they take."),
    OPTION(BOOL, struct gunzip, vary, .fallback = "true", .help = "Responses in gzip, unpacked or not, say \"Vary: Accept-Encoding\"."),
};
static const struct option_table table =
    OPTION_TABLE(struct gunzip, options, .summary = "Unpacks gzip for clients that do not take it.");

/* ---- the coder ---- */

#define WINDOW_BITS (16 + MAX_WBITS)

struct unpacker {
    z_stream stream;
    bool ended;          /* behind a member's end: nothing, or another member */
};

static void destroy(void *coder)
{
    struct unpacker *unpacker = coder;
    inflateEnd(&unpacker->stream);
    free(unpacker);
}

static void *take(int64_t length, int level)
{
    struct unpacker *unpacker = codec_store_get(CODEC_STORE_GUNZIP);
    if (unpacker != NULL)
        return unpacker;
    unpacker = calloc(1, sizeof(*unpacker));
    if (unpacker != NULL && inflateInit2(&unpacker->stream, WINDOW_BITS) != Z_OK) {
        free(unpacker);
        return NULL;
    }
    return unpacker;
}

static void give(void *coder)
{
    struct unpacker *unpacker = coder;
    inflateReset(&unpacker->stream);
    unpacker->ended = false;
    codec_store_put(CODEC_STORE_GUNZIP, unpacker, destroy);
}

static bool run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written, bool *ret_more)
{
    struct unpacker *unpacker = coder;
    z_stream *stream = &unpacker->stream;
    *ret_written = 0;
    *ret_more = false;
    if (unpacker->ended && input->len == 0)
        return true;
    if (unpacker->ended && inflateReset(stream) != Z_OK)
        return false;
    unpacker->ended = false;
    uInt offered = input->len < UINT32_MAX ? (uInt)input->len : UINT32_MAX;
    stream->next_in = (Bytef *)(uintptr_t)input->data;
    stream->avail_in = offered;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)room;
    int result = inflate(stream, Z_SYNC_FLUSH);
    *input = str_from_index(*input, offered - stream->avail_in);
    *ret_written = room - stream->avail_out;
    unpacker->ended = result == Z_STREAM_END;
    *ret_more = stream->avail_out == 0 && !unpacker->ended;
    if (step == CODEC_END && input->len == 0 && !*ret_more && !unpacker->ended)
        return false;      /* it is cut off */
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

static const struct codec unpack = {.name = STR("gunzip"), .take = take, .give = give, .run = run};

/* ---- the middleware ---- */

static bool takes_gzip(struct exchange *x, const struct gunzip *gunzip)
{
    const struct request *request = exchange_request(x);
    if (gunzip->direct && (request->version < HTTP_1_1 || fields_has(&request->fields, FIELD_VIA)))
        return false;
    struct str accepted = fields_joined(&request->fields, FIELD_ACCEPT_ENCODING, &x->arena);
    return accepted.len != 0 && token_accepts(accepted, S("gzip"), 0) > 0;
}

static void add_vary(struct exchange *x)
{
    struct str vary = fields_joined(&x->response.fields, FIELD_VARY, &x->arena);
    if (!token_list_has(vary, S("*")) && !token_list_has(vary, S("Accept-Encoding")))
        fields_add_id(&x->response.fields, FIELD_VARY, S("Accept-Encoding"));
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct gunzip *gunzip = m->options;
    struct fields *fields = &x->response.fields;
    if (!str_equal_nocase(fields_value(fields, FIELD_CONTENT_ENCODING), S("gzip")) || x->response.status == 206)
        return VERDICT_NEXT;
    if (gunzip->vary)
        add_vary(x);
    if (takes_gzip(x, gunzip) || status_is_bodiless(x->response.status))
        return VERDICT_NEXT;
    struct filter *filter = compress_filter_new(&x->arena, &x->worker->chunks, &unpack, -1, -1);
    if (filter == NULL)
        return VERDICT_NEXT;
    if (x->response.body_length != 0 && exchange_request(x)->method != METHOD_HEAD)
        exchange_filter_response(x, filter);
    else
        filter->release(filter);
    x->response.body_length = BODY_UNKNOWN;
    fields_remove_each(fields, FIELD_BIT(CONTENT_ENCODING) | FIELD_BIT(ACCEPT_RANGES));
    struct str tag = fields_value(fields, FIELD_ETAG);
    if (tag.len != 0 && !str_starts(tag, S("W/")))
        fields_set(fields, FIELD_ETAG, arena_concat(&x->arena, S("W/"), tag));
    return VERDICT_NEXT;
}

static const struct middleware_type gunzip_type = {
    .choice = {.name = "gunzip", .summary = "Unpacks gzip for clients that do not take it.", .table = &table},
    .on_response = on_response,
};
REGISTER(middleware_type, gunzip_type);
