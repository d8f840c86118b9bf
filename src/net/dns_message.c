/* Reads answers of DNS. Each read is checked against the end; a name may point backwards only, so that it ends. */
#include "net/dns_message.h"

#define HEADER_SIZE 12
#define CLASS_IN 1

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

/* A name of printable labels; *at goes behind it. A label with a dot in it is none of ours. */
static bool read_name(const struct dns_reader *reader, size_t *at, char name[DNS_NAME_SIZE])
{
    const unsigned char *bytes = (const unsigned char *)reader->bytes.data;
    size_t position = *at, length = 0, limit = reader->bytes.len;
    bool jumped = false;
    for (;;) {
        if (position >= limit)
            return false;
        unsigned char size = bytes[position];
        if ((size & 0xc0) == 0xc0) {
            if (position + 2 > limit)
                return false;
            size_t target = (size_t)(size & 0x3f) << 8 | bytes[position + 1];
            if (!jumped)
                *at = position + 2;
            jumped = true;
            if (target >= position)
                return false;
            limit = position;
            position = target;
            continue;
        }
        position++;
        if (size == 0)
            break;
        if (size > 63 || position + size > limit || length + size + 1 >= DNS_NAME_SIZE)
            return false;
        if (length != 0)
            name[length++] = '.';
        for (unsigned i = 0; i < size; i++) {
            if (bytes[position + i] <= ' ' || bytes[position + i] >= 127 || bytes[position + i] == '.')
                return false;
            name[length++] = lower(bytes[position + i]);
        }
        position += size;
    }
    name[length] = '\0';
    if (!jumped)
        *at = position;
    return true;
}

/* Past a name that nobody needs to know. */
static bool skip_name(const struct dns_reader *reader, size_t *at)
{
    const unsigned char *bytes = (const unsigned char *)reader->bytes.data;
    while (*at < reader->bytes.len) {
        unsigned char size = bytes[*at];
        if ((size & 0xc0) == 0xc0) {
            *at += 2;
            return *at <= reader->bytes.len;
        }
        *at += (size_t)size + 1;
        if (size == 0)
            return *at <= reader->bytes.len;
    }
    return false;
}

bool dns_reader_begin(struct dns_reader *reader, struct str bytes)
{
    uint16_t flags, questions, answers;
    *reader = (struct dns_reader){.bytes = bytes, .at = HEADER_SIZE};
    if (!read_u16(reader, 2, &flags) || !read_u16(reader, 4, &questions) || !read_u16(reader, 6, &answers) || (flags & 0x8000) == 0 ||
        bytes.len < HEADER_SIZE)
        return false;
    for (unsigned i = 0; i < questions; i++) {
        if (!skip_name(reader, &reader->at))
            return false;
        reader->at += 4;
    }
    reader->left = answers;
    return reader->at <= bytes.len;
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

static bool read_service(const struct dns_reader *reader, size_t at, size_t length, struct dns_record *record)
{
    size_t name_at = at + 6;
    return length > 6 && read_u16(reader, at, &record->priority) && read_u16(reader, at + 2, &record->weight) &&
           read_u16(reader, at + 4, &record->port) && read_name(reader, &name_at, record->target);
}

/* NONE of ours, good, or broken. */
enum reading { READ_OTHER, READ_GOOD, READ_BROKEN };

static enum reading read_data(const struct dns_reader *reader, size_t at, size_t length, struct dns_record *record)
{
    size_t name_at = at;
    bool good;
    if (record->type == DNS_A || record->type == DNS_AAAA)
        good = read_address(reader, at, length, record);
    else if (record->type == DNS_CNAME)
        good = read_name(reader, &name_at, record->target);
    else if (record->type == DNS_SRV)
        good = read_service(reader, at, length, record);
    else
        return READ_OTHER;
    return good ? READ_GOOD : READ_BROKEN;
}

bool dns_reader_next(struct dns_reader *reader, struct dns_record *ret_record)
{
    while (reader->left != 0) {
        uint16_t class, length, high, low;
        reader->left--;
        bool named = read_name(reader, &reader->at, ret_record->owner) || skip_name(reader, &reader->at);
        if (!named || !read_u16(reader, reader->at, &ret_record->type) || !read_u16(reader, reader->at + 2, &class) ||
            !read_u16(reader, reader->at + 4, &high) || !read_u16(reader, reader->at + 6, &low) ||
            !read_u16(reader, reader->at + 8, &length) || reader->at + 10 + length > reader->bytes.len)
            break;
        size_t at = reader->at + 10;
        reader->at = at + length;
        /* A TTL with the highest bit counts as none (RFC 2181 8). */
        ret_record->ttl = (high & 0x8000) != 0 ? 0 : (uint32_t)high << 16 | low;
        enum reading reading = class == CLASS_IN ? read_data(reader, at, length, ret_record) : READ_OTHER;
        if (reading == READ_GOOD)
            return true;
        if (reading == READ_BROKEN)
            break;
    }
    reader->left = 0;
    return false;
}
