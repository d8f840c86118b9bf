/* Answers of DNS: whatever the bytes are, names are texts of their promised form, the reading ends, and bytes behind the records
 * change nothing. */
#include <assert.h>
#include <stdlib.h>

#include "net/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SMALLEST_RECORD 11      /* the root's, without data */

static void check_name(const char name[DNS_NAME_SIZE])
{
    size_t label = 0, length = strnlen(name, DNS_NAME_SIZE);
    assert(length <= 253);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];
        assert(byte > ' ' && byte < 127 && byte != '\\' && !(byte >= 'A' && byte <= 'Z'));
        assert(byte != '.' || (label != 0 && i + 1 < length));
        label = byte == '.' ? 0 : label + 1;
        assert(label <= 63);
    }
}

static void check_record(const struct dns_record *record)
{
    check_name(record->owner);
    assert(record->ttl <= INT32_MAX);
    if (record->type == DNS_CNAME || record->type == DNS_SRV)
        check_name(record->target);
    else
        assert(record->type == DNS_AAAA || (record->type == DNS_A && ip_is_v4(&record->ip)));
}

static bool is_same(const struct dns_record *one, const struct dns_record *other)
{
    bool named = one->type == DNS_CNAME || one->type == DNS_SRV;
    return one->type == other->type && one->ttl == other->ttl && strcmp(one->owner, other->owner) == 0 &&
           (named ? strcmp(one->target, other->target) == 0 : ip_equal(&one->ip, &other->ip)) &&
           (one->type != DNS_SRV || (one->priority == other->priority && one->weight == other->weight && one->port == other->port));
}

/* The first `size` bytes say the same with other bytes behind them, unless they are cut short. */
static void check_longer(struct dns_reader *reader, struct str longer)
{
    struct dns_reader other;
    struct dns_record record, again;
    assert(dns_reader_begin(&other, longer));
    size_t count = 0, most = reader->bytes.len / SMALLEST_RECORD;
    while (dns_reader_next(reader, &record)) {
        check_record(&record);
        assert(dns_reader_next(&other, &again) && is_same(&record, &again));
        assert(++count <= most && reader->at <= reader->bytes.len);
    }
    assert(reader->broken || (!dns_reader_next(&other, &again) && !other.broken));
    assert(!dns_reader_next(reader, &record));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_reader reader;
    char *exact = malloc(size != 0 ? size : 1), *longer = malloc(size + 64);
    if (size != 0)
        memcpy(exact, data, size);
    memcpy(longer, exact, size);
    memset(longer + size, 1, 64);
    if (dns_reader_begin(&reader, str_of(exact, size)))
        check_longer(&reader, str_of(longer, size + 64));
    free(exact);
    free(longer);
    return 0;
}
