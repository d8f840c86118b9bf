#include "middleware/grpc_web_body.h"

#include "base/base64.h"
#include "base/list.h"
#include "base/text.h"

#define OUT_MAX (CHUNK_LARGE_SIZE * 4)
#define TRAILERS_MAX ((size_t)1 << 20)
#define FRAME_OF_TRAILERS ((char)0x80)
#define STRETCH 4096                      /* characters that are decoded at once: whole groups */
#define FRAME_HEAD 5                      /* flags, and the length in four bytes */

/* ---- from base 64 ---- */

struct decoder {
    struct filter filter;
    struct chunk_pool *pool;
    char quantum[4];                      /* characters of a group that is not whole yet */
    size_t held;
};

/* As much of `text` as is read at once: padding ends it. */
static struct str first_stretch(struct str text)
{
    struct str stretch = str_first(text, STRETCH);
    const char *padding = memchr(stretch.data, '=', stretch.len);
    return padding != NULL ? str_first(stretch, (size_t)(padding - stretch.data) / 4 * 4 + 4) : stretch;
}

/* Whole groups. Padding ends a text, not the body (each message may have been encoded for itself). */
static enum status decode_groups(struct decoder *decoder, struct str groups, struct chunkq *out)
{
    char bytes[BASE64_DECODED_SIZE(STRETCH)];
    size_t len;
    while (groups.len != 0) {
        struct str stretch = first_stretch(groups);
        if (!base64_decode(BASE64_STANDARD, stretch, bytes, &len))
            return STATUS_BAD_REQUEST;
        if (len != 0 && !chunkq_add_copy(out, decoder->pool, str_of(bytes, len)))
            return STATUS_OVERLOADED;
        groups = str_from_index(groups, stretch.len);
    }
    return STATUS_OK;
}

static enum status decode_part(struct decoder *decoder, struct str part, struct chunkq *out)
{
    enum status status = STATUS_OK;
    while (part.len != 0 && decoder->held != 0 && status == STATUS_OK) {
        decoder->quantum[decoder->held++] = part.data[0];
        part = str_from_index(part, 1);
        if (decoder->held == 4) {
            status = decode_groups(decoder, str_of(decoder->quantum, 4), out);
            decoder->held = 0;
        }
    }
    size_t whole = part.len / 4 * 4;
    if (status == STATUS_OK && whole != 0)
        status = decode_groups(decoder, str_first(part, whole), out);
    if (part.len > whole) {
        memcpy(decoder->quantum, part.data + whole, part.len - whole);
        decoder->held = part.len - whole;
    }
    return status;
}

static enum status decode(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct decoder *decoder = container_of(filter, struct decoder, filter);
    while (in->bytes != 0 && (end || out->bytes < OUT_MAX)) {
        struct str part = chunkq_front(in);
        enum status status = decode_part(decoder, part, out);
        if (status != STATUS_OK)
            return status;
        chunkq_drop(in, part.len);
    }
    if (!end || decoder->held == 0)
        return STATUS_OK;
    size_t held = decoder->held;
    decoder->held = 0;
    return decode_groups(decoder, str_of(decoder->quantum, held), out);
}

static void restart(struct filter *filter)
{
    container_of(filter, struct decoder, filter)->held = 0;
}

struct filter *grpc_web_decoder_new(struct arena *arena, struct chunk_pool *pool)
{
    struct decoder *decoder = arena_new(arena, struct decoder);
    if (decoder == NULL)
        return NULL;
    *decoder = (struct decoder){.filter = {.process = decode, .restart = restart}, .pool = pool};
    return &decoder->filter;
}

/* ---- to gRPC-Web ---- */

struct encoder {
    struct filter filter;
    struct chunk_pool *pool;
    struct fields *trailers;
    bool text;
    char group[3];                        /* bytes of a group that is not whole yet */
    size_t held;
};

static bool add_encoded(struct encoder *encoder, struct str bytes, struct chunkq *out)
{
    char encoded[BASE64_ENCODED_SIZE(3072)];
    while (bytes.len != 0) {
        struct str part = str_first(bytes, 3072);
        size_t len = base64_encode(BASE64_STANDARD, part, encoded);
        if (!chunkq_add_copy(out, encoder->pool, str_of(encoded, len)))
            return false;
        bytes = str_from_index(bytes, part.len);
    }
    return true;
}

/* Whole groups of three are written; the rest waits for more. */
static bool encode_part(struct encoder *encoder, struct str part, struct chunkq *out)
{
    bool good = true;
    while (part.len != 0 && encoder->held != 0) {
        encoder->group[encoder->held++] = part.data[0];
        part = str_from_index(part, 1);
        if (encoder->held == 3) {
            good = add_encoded(encoder, str_of(encoder->group, 3), out);
            encoder->held = 0;
        }
    }
    size_t whole = part.len / 3 * 3;
    good = good && add_encoded(encoder, str_first(part, whole), out);
    if (part.len > whole) {
        memcpy(encoder->group, part.data + whole, part.len - whole);
        encoder->held = part.len - whole;
    }
    return good;
}

static bool write_held(struct encoder *encoder, struct chunkq *out)
{
    size_t held = encoder->held;
    encoder->held = 0;
    return add_encoded(encoder, str_of(encoder->group, held), out);
}

static bool write_bytes(struct encoder *encoder, struct str bytes, struct chunkq *out)
{
    return encoder->text ? encode_part(encoder, bytes, out) : chunkq_add_copy(out, encoder->pool, bytes);
}

static void write_fields(const struct fields *trailers, struct text *out)
{
    FIELDS_FOREACH(trailers, field) {
        for (size_t i = 0; i < field->name.len; i++)
            text_add_char(out, ascii_lower(field->name.data[i]));
        text_addf(out, ": %.*s\r\n", STR_ARGS(field->value));
    }
}

static bool write_trailers(struct encoder *encoder, struct chunkq *out)
{
    struct text lines;
    if (encoder->trailers->count == 0)
        return true;
    text_init(&lines, TRAILERS_MAX);
    write_fields(encoder->trailers, &lines);
    uint32_t len = (uint32_t)lines.len;
    char head[FRAME_HEAD] = {FRAME_OF_TRAILERS, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};
    bool good = !lines.overflow && write_bytes(encoder, str_of(head, FRAME_HEAD), out) &&
                write_bytes(encoder, text_str(&lines), out);
    text_release(&lines);
    encoder->trailers->count = 0;
    return good;
}

static enum status encode(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct encoder *encoder = container_of(filter, struct encoder, filter);
    if (!encoder->text)
        chunkq_move(out, in, in->bytes);
    while (in->bytes != 0 && (end || out->bytes < OUT_MAX)) {
        struct str part = chunkq_front(in);
        if (!encode_part(encoder, part, out))
            return STATUS_OVERLOADED;
        chunkq_drop(in, part.len);
    }
    return !end || (write_trailers(encoder, out) && write_held(encoder, out)) ? STATUS_OK : STATUS_OVERLOADED;
}

static enum status flush(struct filter *filter, struct chunkq *out)
{
    return write_held(container_of(filter, struct encoder, filter), out) ? STATUS_OK : STATUS_OVERLOADED;
}

struct filter *grpc_web_encoder_new(struct arena *arena, struct chunk_pool *pool, struct fields *trailers, bool text)
{
    struct encoder *encoder = arena_new(arena, struct encoder);
    if (encoder == NULL)
        return NULL;
    *encoder = (struct encoder){.filter = {.process = encode, .flush = flush}, .pool = pool, .trailers = trailers, .text = text};
    return &encoder->filter;
}
