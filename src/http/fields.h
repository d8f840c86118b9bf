/* Header and trailer fields of one message (RFC 9110 5), in order, names as they came.
 *
 * Ownership: the array lives in an arena; names and values are views into the head's chunk, the arena or
 * literals. A field that is well known carries its id, so looking it up compares a byte; `present` says
 * quickly that an id is not there. Threading: one owner.
 * Removed fields keep their place with name.len 0 and are skipped by everyone. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "base/arena.h"
#include "base/str.h"

/* The fields that the proxy itself looks at. Order: free; at most 127. */
#define FIELD_TABLE(X) \
    X(ACCEPT, "accept") X(ACCEPT_ENCODING, "accept-encoding") X(ACCEPT_RANGES, "accept-ranges") \
    X(AUTHORIZATION, "authorization") X(CACHE_CONTROL, "cache-control") X(CONNECTION, "connection") \
    X(CONTENT_ENCODING, "content-encoding") X(CONTENT_LENGTH, "content-length") \
    X(CONTENT_RANGE, "content-range") X(CONTENT_TYPE, "content-type") X(COOKIE, "cookie") \
    X(DATE, "date") X(ETAG, "etag") X(EXPECT, "expect") X(FORWARDED, "forwarded") X(HOST, "host") \
    X(IF_MATCH, "if-match") X(IF_MODIFIED_SINCE, "if-modified-since") X(IF_NONE_MATCH, "if-none-match") \
    X(IF_RANGE, "if-range") X(IF_UNMODIFIED_SINCE, "if-unmodified-since") X(KEEP_ALIVE, "keep-alive") \
    X(LAST_MODIFIED, "last-modified") X(LOCATION, "location") X(ORIGIN, "origin") \
    X(PROXY_AUTHENTICATE, "proxy-authenticate") X(PROXY_AUTHORIZATION, "proxy-authorization") \
    X(PROXY_CONNECTION, "proxy-connection") X(RANGE, "range") X(REFERER, "referer") \
    X(RETRY_AFTER, "retry-after") X(SERVER, "server") X(SET_COOKIE, "set-cookie") X(TE, "te") \
    X(TRAILER, "trailer") X(TRANSFER_ENCODING, "transfer-encoding") X(UPGRADE, "upgrade") \
    X(USER_AGENT, "user-agent") X(VARY, "vary") X(VIA, "via") X(WWW_AUTHENTICATE, "www-authenticate") \
    X(X_FORWARDED_FOR, "x-forwarded-for") X(X_FORWARDED_HOST, "x-forwarded-host") \
    X(X_FORWARDED_PORT, "x-forwarded-port") X(X_FORWARDED_PREFIX, "x-forwarded-prefix") \
    X(X_FORWARDED_PROTO, "x-forwarded-proto") X(X_FORWARDED_SERVER, "x-forwarded-server") \
    X(X_REAL_IP, "x-real-ip") X(X_REQUEST_ID, "x-request-id")

enum field_id {
    FIELD_OTHER,
#define X(id, name) FIELD_##id,
    FIELD_TABLE(X)
#undef X
    FIELD_COUNT
};

struct field {
    struct str name;      /* len 0: removed */
    struct str value;     /* without leading and trailing white space */
    uint8_t id;           /* enum field_id */
    /* Set by the HTTP/1 parser, fields_add_line and FIELD_READY alone: name, ": ", value and CRLF stand in one stretch of bytes and
     * were checked, so a writer may copy them as they stand. Whoever replaces a value need not clear it (the
     * writer compares the places), but a new field must not have it. */
    bool verbatim;
};

struct fields {
    struct field *items;
    uint32_t count;
    uint32_t capacity;
    struct arena *arena;
    uint64_t present[2];  /* a bit per field_id that may be there */
};

/* The id of a name (ASCII case ignored), or FIELD_OTHER: a perfect hash, no allocation. */
enum field_id field_identify(const char *name, size_t len);
/* The registered name, lower case. */
struct str field_name(enum field_id id);
/* The name as it is customarily written ("Content-Length"), for fields that we add. */
struct str field_title(enum field_id id);

/* Allocates room for `capacity` fields (0: with the first one added). */
void fields_init(struct fields *fields, struct arena *arena, uint32_t capacity);
/* False when the arena's budget is exhausted. Views are kept, not copied. */
bool fields_add(struct fields *fields, struct str name, struct str value);
/* The same for a line "name: value\r\n" of the proxy's own that needs no checking; the name is none of FIELD_TABLE. */
bool fields_add_line(struct fields *fields, struct str line, size_t name_len);
/* A field out of a text of the proxy's own that needs no checking: `name_len` bytes of name at `line`, ": ", `value_len` bytes of
 * value, CRLF. Fields that stand one behind the other are written as one stretch. */
#define FIELD_READY(known_id, line, name_len, value_len) \
    {.name = {.data = (line), .len = (name_len)}, \
     .value = {.data = (line) + (name_len) + 2, .len = (value_len)}, \
     .id = (known_id), \
     .verbatim = true}
/* Makes room for one more; false when the arena's budget is exhausted. */
bool fields_grow(struct fields *fields);
/* Adds several such, whose number is a constant; false when the arena's budget is exhausted. */
static inline bool fields_add_ready(struct fields *fields, const struct field *ready, uint32_t count)
{
    while (fields->capacity - fields->count < count)
        if (!fields_grow(fields))
            return false;
    memcpy(fields->items + fields->count, ready, count * sizeof(*ready));
    fields->count += count;
    for (uint32_t i = 0; i < count; i++)
        fields->present[ready[i].id >> 6] |= UINT64_C(1) << (ready[i].id & 63);
    return true;
}
bool fields_add_id(struct fields *fields, enum field_id id, struct str value);

static inline bool fields_has(const struct fields *fields, enum field_id id)
{
    return (fields->present[id >> 6] >> (id & 63)) & 1;
}
/* The first field with the id or name, or NULL. */
struct field *fields_find(const struct fields *fields, enum field_id id);
struct field *fields_find_name(const struct fields *fields, struct str name);
/* Its value, or an empty str (data NULL) when absent. */
struct str fields_value(const struct fields *fields, enum field_id id);
struct str fields_value_name(const struct fields *fields, struct str name);
/* All values of the name joined with ", " (RFC 9110 5.3) in `arena`; data NULL when absent. */
struct str fields_joined(const struct fields *fields, enum field_id id, struct arena *arena);

/* Removes every field of that id or name; gives how many. */
uint32_t fields_remove(struct fields *fields, enum field_id id);
/* Removes every field whose id's bit is in `ids`, in one pass. */
#define FIELD_BIT(id) (UINT64_C(1) << FIELD_##id)
void fields_remove_each(struct fields *fields, uint64_t ids);
uint32_t fields_remove_name(struct fields *fields, struct str name);
/* One field with this value in place of any former ones. */
bool fields_set(struct fields *fields, enum field_id id, struct str value);
bool fields_set_name(struct fields *fields, struct str name, struct str value);

/* Removes what holds for one connection only (RFC 9110 7.6.1): Connection and what it lists, Keep-Alive,
 * Proxy-Connection, TE, Transfer-Encoding, Upgrade. With `keep_trailers_te` a TE that asks for trailers stays
 * as "TE: trailers". Trailer stays: it announces fields of the message. So does every other field of
 * FIELD_TABLE that Connection lists: a client must not be able to take away what the product relies on. */
void fields_remove_hop_by_hop(struct fields *fields, bool keep_trailers_te);

#define FIELDS_FOREACH(fields, it) \
    for (struct field *it = (fields)->items, *it##_end = it + (fields)->count; it < it##_end; it++) \
        if (it->name.len != 0)

#endif
