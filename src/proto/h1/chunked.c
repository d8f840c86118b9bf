/* Chunked bodies, one byte of framing at a time: there is little of it, and every byte matters. Data bytes are
 * not looked at. */
#include "proto/h1/chunked.h"

#include "http/token.h"
#include "proto/h1/lines.h"

#define SIZE_DIGITS_MAX 15
#define FIRST_LINE_CAPACITY 128

enum chunk_state {
    SIZE_FIRST,       /* the first digit of a size */
    SIZE,
    SIZE_BLANK,       /* white space behind the size: an extension must follow */
    EXTENSION,
    SIZE_FEED,        /* the LF of the size line */
    DATA,
    DATA_RETURN,      /* the CRLF behind data */
    DATA_FEED,
    TRAILER,          /* in or before a trailer line */
    TRAILER_FEED,
    DONE
};

void h1_chunked_init(struct h1_chunked *decoder)
{
    *decoder = (struct h1_chunked){.state = SIZE_FIRST};
}

/* Who the client is, the proxy says: a server that lays trailers over the head must not take anybody else's word for it. */
static bool tells_of_the_client(struct str name)
{
    static const char prefix[] = "x-forwarded-";
    size_t len = sizeof(prefix) - 1, at = 0;
    while (at < len && at < name.len && (name.data[at] == '_' ? '-' : ascii_lower(name.data[at])) == prefix[at])
        at++;
    return at == len;
}

bool h1_trailer_is_allowed(struct str name)
{
    switch ((int)field_identify(name.data, name.len)) {
    case FIELD_OTHER:
        return !tells_of_the_client(name);
    case FIELD_ETAG:
    case FIELD_DATE:
    case FIELD_LAST_MODIFIED:
    case FIELD_ACCEPT_RANGES:
    case FIELD_SERVER:
    case FIELD_VIA:
    case FIELD_X_REQUEST_ID:
        return true;
    default:
        return false;
    }
}

static enum status on_size(struct h1_chunked *decoder, char c)
{
    int digit = ascii_hex(c);
    if (digit >= 0) {
        decoder->state = SIZE;
        decoder->left = decoder->left << 4 | (uint64_t)digit;
        return decoder->line_bytes <= SIZE_DIGITS_MAX ? STATUS_OK : STATUS_BAD_CHUNK;
    }
    if (decoder->state == SIZE_FIRST)
        return STATUS_BAD_CHUNK;
    switch (c) {
    case '\r':
        decoder->state = SIZE_FEED;
        return STATUS_OK;
    case ';':
        decoder->state = EXTENSION;
        return STATUS_OK;
    case ' ':
    case '\t':
        decoder->state = SIZE_BLANK;
        return STATUS_OK;
    default:
        return STATUS_BAD_CHUNK;
    }
}

static enum status on_extension(struct h1_chunked *decoder, char c)
{
    if (c == '\r')
        decoder->state = SIZE_FEED;
    else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
        return STATUS_BAD_CHUNK;
    return STATUS_OK;
}

static enum status on_blank(struct h1_chunked *decoder, char c)
{
    if (c == ';')
        decoder->state = EXTENSION;
    else if (c != ' ' && c != '\t')
        return STATUS_BAD_CHUNK;
    return STATUS_OK;
}

static enum status on_size_end(struct h1_chunked *decoder, char c)
{
    decoder->state = decoder->left != 0 ? DATA : TRAILER;
    decoder->line_bytes = 0;
    return c == '\n' ? STATUS_OK : STATUS_BAD_CHUNK;
}

/* Appends a byte to the trailer line, which doubles when it is full. */
static enum status on_trailer_byte(struct h1_chunked *decoder, char c, struct fields *trailers)
{
    if (decoder->line_len == decoder->line_capacity) {
        uint32_t capacity =
            decoder->line_capacity != 0 ? decoder->line_capacity * 2 : FIRST_LINE_CAPACITY;
        char *line = arena_alloc(trailers->arena, capacity);
        if (line == NULL)
            return STATUS_OUT_OF_MEMORY;
        if (decoder->line_len != 0)
            memcpy(line, decoder->line, decoder->line_len);
        decoder->line = line;
        decoder->line_capacity = capacity;
    }
    decoder->line[decoder->line_len++] = c;
    return STATUS_OK;
}

/* The line is whole: keeps it as a field, or ends the section when it is empty. */
static enum status on_trailer_end(struct h1_chunked *decoder, struct fields *trailers)
{
    struct str name, value;
    if (decoder->line_len == 0) {
        decoder->state = DONE;
        return STATUS_END;
    }
    if (!h1_split_line(str_of(decoder->line, decoder->line_len), &name, &value))
        return STATUS_BAD_FIELD;
    if (decoder->trailer_count++ == H1_TRAILER_COUNT_MAX)
        return STATUS_TOO_MANY_FIELDS;
    if (h1_trailer_is_allowed(name) && !fields_add(trailers, name, value))
        return STATUS_OUT_OF_MEMORY;
    /* The next line begins where this one ends; what it has is the field's now. */
    decoder->line += decoder->line_len;
    decoder->line_capacity -= decoder->line_len;
    decoder->line_len = 0;
    decoder->state = TRAILER;
    return STATUS_OK;
}

static enum status on_trailer(struct h1_chunked *decoder, char c, struct fields *trailers)
{
    if (decoder->state == TRAILER_FEED)
        return c == '\n' ? on_trailer_end(decoder, trailers) : STATUS_BAD_FIELD;
    if (c == '\n')
        return STATUS_BAD_FIELD;
    if (c != '\r')
        return on_trailer_byte(decoder, c, trailers);
    decoder->state = TRAILER_FEED;
    return STATUS_OK;
}

static enum status on_data_end(struct h1_chunked *decoder, char c)
{
    bool is_return = decoder->state == DATA_RETURN;
    decoder->state = is_return ? DATA_FEED : SIZE_FIRST;
    decoder->line_bytes = 0;
    return c == (is_return ? '\r' : '\n') ? STATUS_OK : STATUS_BAD_CHUNK;
}

static enum status on_limit(const struct h1_chunked *decoder)
{
    bool in_trailers = decoder->state == TRAILER || decoder->state == TRAILER_FEED;
    if (in_trailers && decoder->line_bytes > H1_TRAILER_BYTES_MAX)
        return STATUS_FIELDS_TOO_LARGE;
    return !in_trailers && decoder->line_bytes > H1_CHUNK_LINE_MAX ? STATUS_BAD_CHUNK : STATUS_OK;
}

/* One byte of framing. */
static enum status on_byte(struct h1_chunked *decoder, char c, struct fields *trailers)
{
    decoder->line_bytes++;
    enum status status = on_limit(decoder);
    if (status != STATUS_OK)
        return status;
    switch ((enum chunk_state)decoder->state) {
    case SIZE_FIRST:
    case SIZE:
        return on_size(decoder, c);
    case SIZE_BLANK:
        return on_blank(decoder, c);
    case EXTENSION:
        return on_extension(decoder, c);
    case SIZE_FEED:
        return on_size_end(decoder, c);
    case DATA_RETURN:
    case DATA_FEED:
        return on_data_end(decoder, c);
    case TRAILER:
    case TRAILER_FEED:
        return on_trailer(decoder, c, trailers);
    case DATA:
    case DONE:
        break;
    }
    return STATUS_END;
}

enum status h1_chunked_next(struct h1_chunked *decoder, struct str bytes, struct fields *trailers,
                            size_t *ret_skip, size_t *ret_data)
{
    *ret_skip = *ret_data = 0;
    if (decoder->state == DONE)
        return STATUS_END;
    while (*ret_skip < bytes.len) {
        if (decoder->state == DATA && decoder->left != 0) {
            size_t there = bytes.len - *ret_skip;
            *ret_data = there < decoder->left ? there : (size_t)decoder->left;
            decoder->left -= *ret_data;
            return STATUS_OK;
        }
        if (decoder->state == DATA)
            decoder->state = DATA_RETURN;
        enum status status = on_byte(decoder, bytes.data[(*ret_skip)++], trailers);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_AGAIN;
}

size_t h1_chunk_prefix(uint64_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    int shift = size != 0 ? (63 - __builtin_clzll(size)) & ~3 : 0;
    char *at = out;
    for (; shift >= 0; shift -= 4)
        *at++ = digits[(size >> shift) & 15];
    *at++ = '\r';
    *at++ = '\n';
    return (size_t)(at - out);
}
