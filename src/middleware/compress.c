/* Compresses response bodies as the client accepts it and the response allows it. Owns the decision and the fields that
 * tell of it; the coding is its codecs' (codec.h). */
#include "middleware/compress.h"

#include "base/time.h"
#include "exchange/middleware.h"
#include "http/token.h"
#include "middleware/compress_filter.h"

struct compress {
    const struct node *origin;
    struct strs encodings;
    int64_t min_response_body_bytes;
    struct strs excluded_content_types, included_content_types;
    struct str default_encoding;
};

struct compress_state {
    struct compress_choice choice;
};

/* How long a body of unknown length may take to show whether it is worth it: long enough for the second half of a small
 * answer, too short to be felt in a stream. */
#define PATIENCE (10 * TIME_MS)

static const char *encoding_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return codec_find(text) != NULL ? NULL : "is not one of gzip, br, zstd";
}

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct compress *compress = value;
    if (compress->excluded_content_types.count != 0 && compress->included_content_types.count != 0)
        diag_error(diag, node_span(node_get(node, S("includedContentTypes"))),
                   "either excludedContentTypes or includedContentTypes, not both");
}

static const struct option compress_options[] = {
    OPTION(STRS, struct compress, encodings, .fallback = "gzip,br,zstd", .check = encoding_check,
           .help = "Codings that are offered; the first wins among those that the client likes equally."),
    OPTION_NAMED(SIZE, struct compress, min_response_body_bytes, "minResponseBodyBytes", .fallback = "1024", .min = 0,
                 .max = INT64_C(1) << 20, .help = "Smaller bodies are left as they are."),
    OPTION_NAMED(STRS, struct compress, excluded_content_types, "excludedContentTypes",
                 .help = "Media types that are left as they are, besides application/grpc and what is compressed by "
                         "nature (images, audio, video, archives, fonts)."),
    OPTION_NAMED(STRS, struct compress, included_content_types, "includedContentTypes",
                 .help = "Only these media types are compressed."),
    OPTION_NAMED(STR, struct compress, default_encoding, "defaultEncoding", .check = encoding_check,
                 .help = "The coding for clients that do not say what they accept, or accept anything (*)."),
};
static const struct option_table compress_table = OPTION_TABLE(
    struct compress, compress_options, .validate = validate, .summary = "Compresses response bodies.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct compress *options = m->options;
    struct compress_state *state = m->state;
    struct compress_choice *choice = &state->choice;
    *choice = (struct compress_choice){.fallback = codec_find(options->default_encoding),
                                       .min_bytes = options->min_response_body_bytes,
                                       .excluded = options->excluded_content_types,
                                       .included = options->included_content_types};
    choice->codecs = arena_array(compile->arena, const struct codec *, options->encodings.count);
    for (size_t i = 0; i < options->encodings.count; i++)
        choice->codecs[choice->codec_count++] = codec_find(options->encodings.items[i]);
    return true;
}

static void add_vary(struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    struct str vary = fields_joined(fields, FIELD_VARY, &x->arena);
    if (!token_list_has(vary, S("*")) && !token_list_has(vary, S("Accept-Encoding")))
        fields_add_id(fields, FIELD_VARY, S("Accept-Encoding"));
}

/* What described the bytes as the server had them. */
static void tell_of(struct exchange *x, const struct codec *codec)
{
    struct fields *fields = &x->response.fields;
    fields_add_id(fields, FIELD_CONTENT_ENCODING, codec->name);
    fields_remove(fields, FIELD_ACCEPT_RANGES);
    fields_remove_name(fields, S("Content-MD5"));
    fields_remove_name(fields, S("Digest"));
    fields_remove_name(fields, S("Content-Digest"));
    fields_remove_name(fields, S("Repr-Digest"));
    struct str tag = fields_value(fields, FIELD_ETAG);
    if (tag.len != 0 && !str_starts(tag, S("W/")))
        fields_set(fields, FIELD_ETAG, arena_concat(&x->arena, S("W/"), tag));
    x->response.body_length = BODY_UNKNOWN;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct compress_state *state = m->state;
    const struct request *request = exchange_request(x);
    if (!compress_may(&state->choice, request, &x->response))
        return VERDICT_NEXT;
    struct str accepted = fields_joined(&request->fields, FIELD_ACCEPT_ENCODING, &x->arena);
    const struct codec *codec = compress_choose(&state->choice, accepted);
    if (codec != NULL && x->response.body_length < 0 && state->choice.min_bytes > 0 &&
        !compress_is_live(&x->response)) {
        enum exchange_hold hold = exchange_peek_response(x, state->choice.min_bytes, PATIENCE);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? VERDICT_WAIT : VERDICT_ANSWER;
    }
    add_vary(x);
    int64_t length = x->response.body_length;
    if (codec == NULL || length == 0 || (length > 0 && length < state->choice.min_bytes))
        return VERDICT_NEXT;
    struct filter *filter = compress_filter_new(&x->arena, &x->worker->chunks, codec, length);
    if (filter == NULL)
        return VERDICT_NEXT;
    exchange_filter_response(x, filter);
    tell_of(x, codec);
    return VERDICT_NEXT;
}

static const struct middleware_type compress_type = {
    .choice = {.name = "compress", .summary = "Compresses response bodies.", .table = &compress_table},
    .state_size = sizeof(struct compress_state),
    .compile = compile,
    .on_response = on_response,
};
REGISTER(middleware_type, compress_type);
