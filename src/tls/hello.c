/* Reads a ClientHello by cursors that never leave their bytes. Records are looked at until the message is whole; only one
 * that spans several records is put together first, on the stack. What is not needed is stepped over, not judged: the
 * library reads it all again. */
#include "tls/hello.h"

#define RECORD_HEADER 5
#define RECORD_MAX 16384
#define MESSAGE_HEADER 4
#define MESSAGE_MAX 16384
#define TYPE_HANDSHAKE 22
#define TYPE_CLIENT_HELLO 1
#define VERSION_TLS13 0x0304

enum extension {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_SIGNATURE_ALGORITHMS = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_SUPPORTED_VERSIONS = 43
};

/* Bytes yet to be read; what is taken beyond their end sets `short_of`. */
struct cursor {
    const uint8_t *at, *end;
    bool short_of;
};

static size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static struct cursor take_bytes(struct cursor *from, size_t count)
{
    if (count > cursor_left(from)) {
        from->short_of = true;
        count = cursor_left(from);
    }
    struct cursor taken = {.at = from->at, .end = from->at + count};
    from->at += count;
    return taken;
}

static uint32_t take_number(struct cursor *from, size_t size)
{
    struct cursor bytes = take_bytes(from, size);
    uint32_t number = 0;
    while (bytes.at < bytes.end)
        number = number << 8 | *bytes.at++;
    return number;
}

/* A vector behind its length of `size` bytes. */
static struct cursor take_vector(struct cursor *from, size_t size)
{
    return take_bytes(from, take_number(from, size));
}

/* ---- the message out of its records ---- */

/* Where the message lies. */
struct pieces {
    size_t length;                  /* of the message with its header; 0: not known yet */
    size_t found;                   /* bytes of it */
    const uint8_t *first;
    size_t first_length;            /* of the first piece */
};

static void note_header(struct pieces *pieces, uint8_t *header, struct cursor piece)
{
    for (size_t at = pieces->found; at < MESSAGE_HEADER && piece.at < piece.end; at++)
        header[at] = *piece.at++;
}

/* The length that a header gives, of which the first `known` bytes are there; it is left alone while those are too few. */
static enum status read_length(const uint8_t *header, size_t known, size_t *ret_length)
{
    if (known > 0 && header[0] != TYPE_CLIENT_HELLO)
        return STATUS_BAD_REQUEST;
    if (known < MESSAGE_HEADER)
        return STATUS_OK;
    *ret_length = MESSAGE_HEADER + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
    return *ret_length <= MESSAGE_MAX ? STATUS_OK : STATUS_BAD_REQUEST;
}

/* The header of a record, as far as it is there. */
static enum status read_record(struct cursor *from, size_t *ret_length)
{
    size_t there = cursor_left(from);
    const uint8_t *header = from->at;
    if (there > 0 && header[0] != TYPE_HANDSHAKE)
        return STATUS_BAD_REQUEST;
    if (there > 1 && header[1] != 3)
        return STATUS_BAD_REQUEST;
    if (there < RECORD_HEADER)
        return STATUS_AGAIN;
    *ret_length = (size_t)header[3] << 8 | header[4];
    from->at += RECORD_HEADER;
    return *ret_length > 0 && *ret_length <= RECORD_MAX ? STATUS_OK : STATUS_BAD_REQUEST;
}

/* Goes over the records until the message is whole. With `copy` its bytes are put there. */
static enum status find_pieces(struct cursor from, uint8_t *copy, struct pieces *pieces)
{
    uint8_t header[MESSAGE_HEADER];
    *pieces = (struct pieces){0};
    for (;;) {
        size_t length;
        enum status status = read_record(&from, &length);
        if (status != STATUS_OK)
            return status;
        struct cursor piece = take_bytes(&from, length);
        if (pieces->first == NULL) {
            pieces->first = piece.at;
            pieces->first_length = cursor_left(&piece);
        }
        note_header(pieces, header, piece);
        size_t wanted = MESSAGE_MAX - pieces->found, known = pieces->found + cursor_left(&piece);
        if ((status = read_length(header, known, &pieces->length)) != STATUS_OK)
            return status;
        if (pieces->length != 0)
            wanted = pieces->length - pieces->found;
        struct cursor used = take_bytes(&piece, wanted < cursor_left(&piece) ? wanted : cursor_left(&piece));
        if (copy != NULL && cursor_left(&used) != 0)
            memcpy(copy + pieces->found, used.at, cursor_left(&used));
        pieces->found += cursor_left(&used);
        if (pieces->length != 0 && pieces->found == pieces->length)
            return STATUS_OK;
        if (from.short_of)
            return STATUS_AGAIN;
    }
}

/* ---- extensions ---- */

static bool is_name_char(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '_' || c == '.';
}

/* The one host_name of the list. Other characters than a host's are refused here: the name goes into look-ups and logs. */
static bool read_server_name(struct cursor body, struct hello *hello)
{
    struct cursor list = take_vector(&body, 2);
    uint32_t type = take_number(&list, 1);
    struct cursor name = take_vector(&list, 2);
    size_t length = cursor_left(&name);
    if (body.short_of || list.short_of || cursor_left(&list) != 0 || type != 0)
        return false;
    if (length > 0 && name.at[length - 1] == '.')
        length--;
    if (length == 0 || length > HELLO_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_name_char((char)name.at[i]))
            return false;
        hello->name[i] = ascii_lower((char)name.at[i]);
    }
    hello->name[length] = '\0';
    hello->name_len = (uint32_t)length;
    return true;
}

/* SHA-1 and SHA-224 are not counted: the library does not sign with them. */
static bool read_signatures(struct cursor body, struct hello *hello)
{
    struct cursor list = take_vector(&body, 2);
    hello->rsa = hello->ecdsa = hello->ed25519 = false;
    while (cursor_left(&list) >= 2) {
        uint32_t scheme = take_number(&list, 2);
        hello->rsa |= scheme == 0x0401 || scheme == 0x0501 || scheme == 0x0601 || (scheme >= 0x0804 && scheme <= 0x0806);
        hello->ecdsa |= scheme == 0x0403 || scheme == 0x0503 || scheme == 0x0603;
        hello->ed25519 |= scheme == 0x0807;
    }
    return !body.short_of && cursor_left(&list) == 0;
}

static bool read_alpn(struct cursor body, struct hello *hello)
{
    struct cursor list = take_vector(&body, 2);
    hello->alpn = true;
    while (cursor_left(&list) != 0) {
        struct cursor bytes = take_vector(&list, 1);
        struct str protocol = str_of((const char *)bytes.at, cursor_left(&bytes));
        if (list.short_of || protocol.len == 0)
            return false;
        hello->h2 |= str_equal(protocol, S("h2"));
        hello->http1 |= str_equal(protocol, S("http/1.1"));
        hello->acme |= str_equal(protocol, S("acme-tls/1"));
    }
    return !body.short_of;
}

static bool read_versions(struct cursor body, struct hello *hello)
{
    struct cursor list = take_vector(&body, 1);
    while (cursor_left(&list) >= 2)
        hello->tls13 |= take_number(&list, 2) == VERSION_TLS13;
    return !body.short_of && cursor_left(&list) == 0;
}

/* One that is wanted and comes twice is refused: the library might take the other one. */
static bool read_extension(uint32_t type, struct cursor body, unsigned *seen, struct hello *hello)
{
    static const struct {
        enum extension type;
        bool (*read)(struct cursor body, struct hello *hello);
    } known[] = {
        {EXTENSION_SERVER_NAME, read_server_name},
        {EXTENSION_SIGNATURE_ALGORITHMS, read_signatures},
        {EXTENSION_ALPN, read_alpn},
        {EXTENSION_SUPPORTED_VERSIONS, read_versions},
    };
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].type != type)
            continue;
        if (*seen & 1U << i)
            return false;
        *seen |= 1U << i;
        return known[i].read(body, hello);
    }
    return true;
}

static bool read_extensions(struct cursor list, struct hello *hello)
{
    unsigned seen = 0;
    while (cursor_left(&list) != 0) {
        uint32_t type = take_number(&list, 2);
        struct cursor body = take_vector(&list, 2);
        if (list.short_of || !read_extension(type, body, &seen, hello))
            return false;
    }
    return true;
}

/* ---- the message ---- */

static bool is_ecdsa_suite(uint32_t suite)
{
    switch (suite) {
    case 0xc009: case 0xc00a: case 0xc023: case 0xc024: case 0xc02b: case 0xc02c: case 0xc0ac: case 0xc0ad: case 0xc0ae:
    case 0xc0af: case 0xcca9:
        return true;
    default:
        return false;
    }
}

/* Before TLS 1.3 the suite names the kind of key as well. What is no ECDSA suite is taken as one for RSA: most are, and of the
 * others the library chooses none. */
static void read_suites(struct cursor list, bool *ret_rsa, bool *ret_ecdsa)
{
    *ret_rsa = *ret_ecdsa = false;
    while (cursor_left(&list) >= 2) {
        uint32_t suite = take_number(&list, 2);
        *ret_ecdsa |= is_ecdsa_suite(suite);
        *ret_rsa |= !is_ecdsa_suite(suite) && suite != 0x00ff && suite != 0x5600;
    }
}

static bool read_message(struct cursor message, struct hello *hello)
{
    bool rsa_suite, ecdsa_suite;
    take_bytes(&message, MESSAGE_HEADER + 2 + 32);
    take_vector(&message, 1);
    struct cursor suites = take_vector(&message, 2);
    take_vector(&message, 1);
    if (message.short_of || cursor_left(&suites) % 2 != 0)
        return false;
    hello->rsa = hello->ecdsa = true;
    if (cursor_left(&message) != 0) {
        struct cursor extensions = take_vector(&message, 2);
        if (message.short_of || cursor_left(&message) != 0 || !read_extensions(extensions, hello))
            return false;
    }
    if (!hello->tls13) {
        read_suites(suites, &rsa_suite, &ecdsa_suite);
        hello->rsa &= rsa_suite;
        hello->ecdsa &= ecdsa_suite;
        hello->ed25519 &= ecdsa_suite;
    }
    return true;
}

static enum status read_whole(const uint8_t *message, size_t length, struct hello *ret_hello)
{
    *ret_hello = (struct hello){0};
    return read_message((struct cursor){.at = message, .end = message + length}, ret_hello) ? STATUS_OK : STATUS_BAD_REQUEST;
}

/* A function of its own, so that only hellos in pieces pay for the room. */
static __attribute__((noinline)) enum status read_fragmented(struct cursor from, struct hello *ret_hello)
{
    uint8_t copy[MESSAGE_MAX];
    struct pieces pieces;
    enum status status = find_pieces(from, copy, &pieces);
    return status == STATUS_OK ? read_whole(copy, pieces.length, ret_hello) : status;
}

enum status hello_parse(struct str bytes, struct hello *ret_hello)
{
    struct pieces pieces;
    *ret_hello = (struct hello){0};
    if (bytes.len == 0)
        return STATUS_AGAIN;
    struct str bounded = str_first(bytes, HELLO_BYTES_MAX);
    struct cursor from = {.at = (const uint8_t *)bounded.data, .end = (const uint8_t *)bounded.data + bounded.len};
    enum status status = find_pieces(from, NULL, &pieces);
    if (status == STATUS_AGAIN && bounded.len == HELLO_BYTES_MAX)
        return STATUS_BAD_REQUEST;
    if (status != STATUS_OK)
        return status;
    return pieces.first_length >= pieces.length ? read_whole(pieces.first, pieces.length, ret_hello)
                                                : read_fragmented(from, ret_hello);
}
