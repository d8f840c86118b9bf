/* Reads answers of DNS. Each read is checked against the end; a name may point backwards only, and is not read beyond the pointer that
 * led there, so that it ends. */
#include "net/dns_message.h"

#define HEADER_SIZE 12
#define QUESTION_SIZE 4               /* behind its name: type and class */
#define RECORD_SIZE 10                /* behind its name, before its data */
#define CLASS_IN 1
#define POINTER 0xc0U
#define LABEL_MAX 63
#define NAME_MAX_LENGTH 253           /* 255 on the wire, with the first size and the root */

static bool read_u16(const struct dns_reader *reader, size_t at, uint16_t *ret_value)
{
    const unsigned char *bytes = (const unsigned char *)reader->bytes.data;
    if (at + 2 > reader->bytes.len)
        return false;
    *ret_value = (uint16_t)(bytes[at] << 8 | bytes[at + 1]);
    return true;
}

static char lower(unsigned char byte)
{
    return (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
}

/* Of a host's or a service's name. A dot or a backslash within a label would not mean itself in text. */
static bool is_ours(unsigned char byte)
{
    return byte > ' ' && byte < 127 && byte != '.' && byte != '\\';
}

/* Where the name that is being read goes on. */
struct name_place {
    size_t at, limit;                 /* never beyond the pointer that led here */
    size_t behind;                    /* the name where it began; 0: it is not known yet */
};

/* A pointer leads to what stood earlier (RFC 1035 4.1.4). */
static bool follow_pointer(const struct dns_reader *reader, struct name_place *place)
{
    uint16_t pointer;
    if (!read_u16(reader, place->at, &pointer) || (pointer & 0x3fffU) >= place->at)
        return false;
    if (place->behind == 0)
        place->behind = place->at + 2;
    place->limit = place->at;
    place->at = pointer & 0x3fffU;
    return true;
}

/* A whole name; *at goes behind it. One with bytes that are not ours is an empty text, as the root is. False: it is malformed. */
static bool read_name(const struct dns_reader *reader, size_t *at, char name[DNS_NAME_SIZE])
{
    const unsigned char *bytes = (const unsigned char *)reader->bytes.data;
    struct name_place place = {.at = *at, .limit = reader->bytes.len};
    size_t length = 0;
    bool ours = true;
    for (;;) {
        if (place.at >= place.limit)
            return false;
        unsigned size = bytes[place.at];
        if ((size & POINTER) == POINTER) {
            if (!follow_pointer(reader, &place))
                return false;
            continue;
        }
        place.at++;
        if (size == 0)
            break;
        if (size > LABEL_MAX || size > place.limit - place.at || length + size + (length != 0) > NAME_MAX_LENGTH)
            return false;
        if (length != 0)
            name[length++] = '.';
        for (; size != 0; size--) {
            ours = ours && is_ours(bytes[place.at]);
            name[length++] = lower(bytes[place.at++]);
        }
    }
    name[ours ? length : 0] = '\0';
    *at = place.behind != 0 ? place.behind : place.at;
    return true;
}

bool dns_reader_begin(struct dns_reader *reader, struct str bytes)
{
    uint16_t flags, questions, answers;
    char name[DNS_NAME_SIZE];
    *reader = (struct dns_reader){.bytes = bytes, .at = HEADER_SIZE};
    if (bytes.len < HEADER_SIZE || !read_u16(reader, 2, &flags) || !read_u16(reader, 4, &questions) ||
        !read_u16(reader, 6, &answers) || (flags & 0x8000) == 0)
        return false;
    for (unsigned i = 0; i < questions; i++) {
        if (!read_name(reader, &reader->at, name) || bytes.len - reader->at < QUESTION_SIZE)
            return false;
        reader->at += QUESTION_SIZE;
    }
    reader->left = answers;
    return true;
}

static bool read_address(const struct dns_reader *reader, size_t at, size_t length, struct dns_record *record)
{
    struct addr addr = {.len = record->type == DNS_A ? sizeof(addr.v4) : sizeof(addr.v6)};
    if (length != (record->type == DNS_A ? 4 : 16))
        return false;
    addr.any.sa_family = record->type == DNS_A ? AF_INET : AF_INET6;
    memcpy(record->type == DNS_A ? (void *)&addr.v4.sin_addr : (void *)&addr.v6.sin6_addr, reader->bytes.data + at, length);
    record->ip = addr_ip(&addr);
    return true;
}

/* A name that is the whole rest of the data. */
static bool read_target(const struct dns_reader *reader, size_t at, size_t end, struct dns_record *record)
{
    return read_name(reader, &at, record->target) && at == end;
}

static bool read_service(const struct dns_reader *reader, size_t at, size_t length, struct dns_record *record)
{
    return length > 6 && read_u16(reader, at, &record->priority) && read_u16(reader, at + 2, &record->weight) &&
           read_u16(reader, at + 4, &record->port) && read_target(reader, at + 6, at + length, record);
}

/* NONE of ours, good, or broken. */
enum reading { READ_OTHER, READ_GOOD, READ_BROKEN };

static enum reading read_data(const struct dns_reader *reader, size_t at, size_t length, struct dns_record *record)
{
    bool good;
    if (record->type == DNS_A || record->type == DNS_AAAA)
        good = read_address(reader, at, length, record);
    else if (record->type == DNS_CNAME)
        good = read_target(reader, at, at + length, record);
    else if (record->type == DNS_SRV)
        good = read_service(reader, at, length, record);
    else
        return READ_OTHER;
    return good ? READ_GOOD : READ_BROKEN;
}

static enum reading read_record(struct dns_reader *reader, struct dns_record *record)
{
    uint16_t class, length, high, low;
    if (!read_name(reader, &reader->at, record->owner) || !read_u16(reader, reader->at, &record->type) ||
        !read_u16(reader, reader->at + 2, &class) || !read_u16(reader, reader->at + 4, &high) ||
        !read_u16(reader, reader->at + 6, &low) || !read_u16(reader, reader->at + 8, &length) ||
        length > reader->bytes.len - reader->at - RECORD_SIZE)
        return READ_BROKEN;
    size_t at = reader->at + RECORD_SIZE;
    reader->at = at + length;
    /* A TTL with the highest bit counts as none (RFC 2181 8). */
    record->ttl = (high & 0x8000) != 0 ? 0 : (uint32_t)high << 16 | low;
    return class == CLASS_IN ? read_data(reader, at, length, record) : READ_OTHER;
}

bool dns_reader_next(struct dns_reader *reader, struct dns_record *ret_record)
{
    while (reader->left != 0) {
        enum reading reading = read_record(reader, ret_record);
        reader->left--;
        if (reading == READ_GOOD)
            return true;
        if (reading == READ_BROKEN) {
            reader->broken = true;
            break;
        }
    }
    reader->left = 0;
    return false;
}
