/* Compresses response bodies as the client accepts it and the response allows it. Owns the decision and the fields that
 * tell of it; the coding is its codecs' (codec.h). */
#include "middleware/compress.h"

#include "base/time.h"
#include "exchange/middleware.h"
#include "http/token.h"
#include "middleware/compress_aside.h"
#include "middleware/compress_filter.h"

struct compress {
    const struct node *origin;
    struct strs encodings;
    int64_t min_response_body_bytes;
    struct strs excluded_content_types, included_content_types;
    struct str default_encoding;
    int64_t gzip_level, brotli_level, zstd_level;
    struct strs on_status, proxied, disable;
    int http_version;
    bool vary, wait_for_length;
};

struct compress_state {
    struct compress_choice choice;
};

/* How long a body of unknown length may take to show whether it is worth it: long enough for the second half of a small
 * answer, too short to be felt in a stream. */
#define PATIENCE (10 * TIME_MS)
#define PEEK_MAX (INT64_C(1) << 20)     /* bytes that are held meanwhile */

static const char *encoding_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return codec_find(text) != NULL ? NULL : "is not one of gzip, br, zstd";
}

static const char *proxied_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return compress_proxied_word(text) != 0 ? NULL
                                            : "is not one of off, any, expired, no-cache, no-store, private, no_last_modified, no_etag, auth";
}

static const struct option_name version_names[] = {{"1.0", HTTP_1_0}, {"1.1", HTTP_1_1}, {NULL, 0}};

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
    OPTION_NAMED(SIZE, struct compress, min_response_body_bytes, "minResponseBodyBytes", .alias = "minLength", .fallback = "1024", .min = 0,
                 .max = INT64_C(1) << 40, .help = "Smaller bodies are left as they are."),
    OPTION_NAMED(STRS, struct compress, excluded_content_types, "excludedContentTypes",
                 .help = "Media types that are left as they are, besides application/grpc and what is compressed by "
                         "nature (images, audio, video, archives, fonts)."),
    OPTION_NAMED(STRS, struct compress, included_content_types, "includedContentTypes",
                 .help = "Only these media types are compressed."),
    OPTION_NAMED(STR, struct compress, default_encoding, "defaultEncoding", .check = encoding_check,
                 .help = "The coding for clients that do not say what they accept, or accept anything (*)."),
    OPTION_NAMED(INT, struct compress, gzip_level, "gzipLevel", .fallback = "-1", .min = -1, .max = 9,
                 .help = "gzip's level, 1 to 9; -1: what packs well for little time."),
    OPTION_NAMED(INT, struct compress, brotli_level, "brotliLevel", .fallback = "-1", .min = -1, .max = 11,
                 .help = "Brotli's quality, 0 to 11; -1: as above."),
    OPTION_NAMED(INT, struct compress, zstd_level, "zstdLevel", .fallback = "-1", .min = -1, .max = 19,
                 .help = "zstd's level, 1 to 19; -1: as above."),
    OPTION_NAMED(STRS, struct compress, on_status, "onStatus", .check = status_range_check,
                 .help = "Statuses of responses that are compressed; none: all that have a whole body."),
    OPTION(STRS, struct compress, proxied, .fallback = "any", .check = proxied_check,
           .help = "What is compressed for requests that came by a proxy (Via): any, off, or some of expired, no-cache, no-store, "
                   "private, no_last_modified, no_etag, auth."),
    OPTION_NAMED(ENUM, struct compress, http_version, "httpVersion", .names = version_names, .fallback = "1.0",
                 .help = "The oldest version of HTTP whose clients get it."),
    OPTION(STRS, struct compress, disable,
           .help = "Regular expressions (Perl's, case ignored) of User-Agents that get none; msie6 stands for old Internet Explorers."),
    OPTION(BOOL, struct compress, vary, .fallback = "true", .help = "Add 'Vary: Accept-Encoding' to what may be compressed."),
    OPTION_NAMED(BOOL, struct compress, wait_for_length, "waitForLength", .fallback = "true",
                 .help = "Wait a moment for a body of unknown length to show that it is large enough."),
};
static const struct option_table compress_table = OPTION_TABLE(
    struct compress, compress_options, .validate = validate, .summary = "Compresses response bodies.");

static bool compile_agents(struct compress_choice *choice, const struct compress *options, struct compile *compile)
{
    const struct node *list = node_get(options->origin, S("disable"));
    bool good = true;
    choice->agents = arena_array(compile->arena, const struct perl_regex *, options->disable.count);
    for (size_t i = 0; i < options->disable.count; i++) {
        struct str pattern = options->disable.items[i];
        if (str_equal(pattern, S("msie6"))) {
            choice->not_msie6 = true;
            continue;
        }
        const struct perl_regex *regex = compile_perl_regex(compile, pattern, true, node_span(node_at(list, i)));
        choice->agents[choice->agent_count++] = regex;
        good &= regex != NULL;
    }
    return good;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct compress *options = m->options;
    struct compress_state *state = m->state;
    struct compress_choice *choice = &state->choice;
    *choice = (struct compress_choice){.fallback = codec_find(options->default_encoding),
                                       .min_bytes = options->min_response_body_bytes,
                                       .excluded = options->excluded_content_types,
                                       .included = options->included_content_types,
                                       .statuses = status_ranges_from(&options->on_status, compile->arena),
                                       .version = (enum http_version)options->http_version};
    choice->codecs = arena_array(compile->arena, const struct codec *, options->encodings.count);
    for (size_t i = 0; i < options->encodings.count; i++)
        choice->codecs[choice->codec_count++] = codec_find(options->encodings.items[i]);
    for (size_t i = 0; i < options->proxied.count; i++)
        choice->proxied |= compress_proxied_word(options->proxied.items[i]);
    return compile_agents(choice, options, compile);
}

static int level_of(const struct compress *options, const struct codec *codec)
{
    if (str_equal(codec->name, S("gzip")))
        return (int)options->gzip_level;
    return str_equal(codec->name, S("br")) ? (int)options->brotli_level : (int)options->zstd_level;
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
    if (tag.len != 0 && tag.data[0] != '"' && !str_starts(tag, S("W/")))
        fields_remove(fields, FIELD_ETAG);
    else if (tag.len != 0 && tag.data[0] == '"')
        fields_set(fields, FIELD_ETAG, arena_concat(&x->arena, S("W/"), tag));
    x->response.body_length = BODY_UNKNOWN;
}

/* The coding that the client gets; NULL: none. */
static const struct codec *choose(const struct compress_choice *choice, struct exchange *x)
{
    const struct request *request = exchange_request(x);
    if (!compress_suits_client(choice, request, &x->response, x->worker->loop.wall / TIME_S))
        return NULL;
    return compress_choose(choice, fields_joined(&request->fields, FIELD_ACCEPT_ENCODING, &x->arena));
}

static bool must_wait_for_length(const struct compress *options, struct exchange *x)
{
    return options->wait_for_length && x->response.body_length < 0 && options->min_response_body_bytes > 0 &&
           !compress_is_live(&x->response) && exchange_request(x)->method != METHOD_HEAD;
}

static struct filter *new_filter(struct exchange *x, const struct codec *codec, int level, int64_t length)
{
    return codec->slow_from != 0 && level >= codec->slow_from
               ? compress_aside_new(x, codec, level, length)
               : compress_filter_new(&x->arena, &x->worker->chunks, codec, level, length);
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct compress *options = m->options;
    const struct compress_choice *choice = &((const struct compress_state *)m->state)->choice;
    if (!compress_may(choice, exchange_request(x), &x->response))
        return VERDICT_NEXT;
    const struct codec *codec = choose(choice, x);
    if (codec != NULL && must_wait_for_length(options, x)) {
        enum exchange_hold hold = exchange_peek_response(x, choice->min_bytes < PEEK_MAX ? choice->min_bytes : PEEK_MAX, PATIENCE);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? VERDICT_WAIT : VERDICT_ANSWER;
    }
    int64_t length = x->response.body_length;
    bool small = length == 0 || (length > 0 && length < choice->min_bytes);
    /* Where the length that was told decides alone, a small body is the same for everybody. */
    if (options->vary && !(small && !options->wait_for_length))
        add_vary(x);
    if (codec == NULL || small)
        return VERDICT_NEXT;
    if (exchange_request(x)->method == METHOD_HEAD) {
        if (length > 0 || !options->wait_for_length)
            tell_of(x, codec);
        return VERDICT_NEXT;
    }
    struct filter *filter = new_filter(x, codec, level_of(options, codec), length);
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
