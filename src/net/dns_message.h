/* What a DNS server's answer says (RFC 1035 4.1, RFC 2782): the records of its answer section, one after the other. Pure: bytes in,
 * records out; nothing in the bytes is believed. Sending and asking again are net/dns.h's. */
#ifndef NET_DNS_MESSAGE_H
#define NET_DNS_MESSAGE_H

#include "base/str.h"
#include "net/addr.h"

#define DNS_NAME_SIZE 256

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_TXT = 16, DNS_AAAA = 28, DNS_SRV = 33 };

struct dns_record {
    char owner[DNS_NAME_SIZE];        /* in lower case, without a dot at the end; empty: the root, or no name of a host or service */
    char target[DNS_NAME_SIZE];       /* of CNAME and SRV; likewise */
    struct ip ip;                     /* of A and AAAA */
    uint16_t type, priority, weight, port;
    uint32_t ttl;                     /* s */
};

struct dns_reader {
    struct str bytes;
    size_t at;
    unsigned left;                    /* records */
    bool broken;                      /* a record was malformed: nothing of the message is to be believed */
};

/* Goes past the question. False: it is no answer. */
bool dns_reader_begin(struct dns_reader *reader, struct str bytes);
/* The next record of class IN and of a type that is named above (but TXT); others are passed over. False: there is none, or it is
 * malformed and `broken` says so. */
bool dns_reader_next(struct dns_reader *reader, struct dns_record *ret_record);

#endif
