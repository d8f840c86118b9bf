/* hash, consistentHash, ipHash: the same key comes to the same server. They spread keys over servers as nginx's and memcached's
 * clients do, so that two proxies before one set of caches agree. Where the key's server is not open they draw again a few times,
 * and then go in turn, as they do without a key and in the later tiers. */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "upstream/balancer.h"

#define DRAWS_MAX 20

static uint32_t crc_of(uint32_t crc, struct str text)
{
    return (uint32_t)crc32(crc, (const unsigned char *)text.data, (unsigned)text.len);
}

static bool is_one_of_many(const struct pick *pick)
{
    unsigned count = 0;
    for (unsigned i = 0; i < pick->targets->count && count < 2; i++)
        count += pick->targets->items[i].tier == pick->tier;
    return count > 1;
}

static int in_turn(void *state, const struct pick *pick)
{
    return balancer_smooth(state, pick, NULL, NULL);
}

/* ---- hash: tickets by weight, drawn by CRC-32 of the key, behind the number of the draw from the second on ---- */

static uint32_t draw(struct str key, unsigned number)
{
    char digits[16];
    uint32_t crc = 0;
    if (number > 0)
        crc = crc_of(crc, str_of(digits, (size_t)snprintf(digits, sizeof(digits), "%u", number)));
    return crc_of(crc, key) >> 16 & 0x7fff;
}

static int choose_by_hash(void *state, const struct pick *pick)
{
    uint64_t total = pick->tier == 0 && pick->key.len != 0 && is_one_of_many(pick) ? balancer_total(pick) : 0;
    uint32_t sum = 0;
    for (unsigned number = 0; total != 0 && number <= DRAWS_MAX; number++) {
        sum += draw(pick->key, number);
        int index = balancer_ticket(pick, sum % total);
        if (index >= 0 && target_is_open(pick, (unsigned)index))
            return index;
    }
    return in_turn(state, pick);
}

static const struct balancer_type hash = {
    .name = "hash",
    .summary = "The same server for the same key (hashKey), by weight.",
    .item_size = sizeof(int64_t),
    .uses_key = true,
    .choose = choose_by_hash,
};
REGISTER(balancer_type, hash);

/* ---- ipHash: the first three bytes of an IPv4 address, all of an IPv6 one ---- */

static int choose_by_ip(void *state, const struct pick *pick)
{
    bool v4 = ip_is_v4(pick->client);
    const uint8_t *bytes = pick->client->bytes + (v4 ? 12 : 0);
    size_t length = v4 ? 3 : 16;
    uint64_t total = pick->tier == 0 && is_one_of_many(pick) ? balancer_total(pick) : 0;
    uint32_t sum = 89;
    for (unsigned number = 0; total != 0 && number <= DRAWS_MAX; number++) {
        for (size_t i = 0; i < length; i++)
            sum = (sum * 113 + bytes[i]) % 6271;
        int index = balancer_ticket(pick, sum % total);
        if (index >= 0 && target_is_open(pick, (unsigned)index))
            return index;
    }
    return in_turn(state, pick);
}

static const struct balancer_type ip_hash = {
    .name = "ipHash",
    .summary = "The same server for a client's network (/24 of IPv4, whole addresses of IPv6), by weight.",
    .item_size = sizeof(int64_t),
    .choose = choose_by_ip,
};
REGISTER(balancer_type, ip_hash);

/* ---- consistentHash: ketama, 160 points on a circle for each unit of weight ---- */

#define POINTS_PER_WEIGHT 160
#define WEIGHTS_MAX 8192      /* beyond that all weigh less: the circle has a size */

struct point {
    uint32_t hash, index;
};
/* Behind the numbers for going in turn, one for each target. */
struct circle {
    uint64_t count;
    struct point points[];
};

static uint64_t whole_weight(const struct target_set *targets)
{
    uint64_t whole = 0;
    for (unsigned i = 0; i < targets->count; i++)
        whole += targets->items[i].tier == 0 ? targets->items[i].weight : 0;
    return whole;
}

static uint64_t points_of(const struct target *target, uint64_t whole)
{
    if (target->tier != 0 || target->weight == 0)
        return 0;
    if (whole <= WEIGHTS_MAX)
        return (uint64_t)target->weight * POINTS_PER_WEIGHT;
    uint64_t share = (uint64_t)target->weight * WEIGHTS_MAX / whole;
    return (share != 0 ? share : 1) * POINTS_PER_WEIGHT;
}

static size_t circle_size(const struct target_set *targets)
{
    uint64_t count = 0, whole = whole_weight(targets);
    for (unsigned i = 0; i < targets->count; i++)
        count += points_of(&targets->items[i], whole);
    return sizeof(struct circle) + count * sizeof(struct point);
}

static struct circle *circle_of(void *state, const struct target_set *targets)
{
    return (struct circle *)(void *)((char *)state + targets->count * sizeof(int64_t));
}

static int by_hash(const void *a, const void *b)
{
    const struct point *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

/* Addresses of one name are told apart. */
static struct str known_as(const struct server *server)
{
    struct server_url parts;
    if (server->unix_socket)
        return server->host;
    return server->called && server_url_parse(server->url, &parts) == NULL ? parts.authority : server->authority;
}

/* A server's points begin from CRC-32 of "host NUL port" and each goes on from the one before. */
static void add_points(struct circle *circle, const struct target *target, uint32_t index, uint64_t count)
{
    const struct server *server = target->server;
    struct str host = known_as(server), port = STR_NONE;
    ptrdiff_t colon = server->unix_socket ? -1 : str_find_last_char(host, ':');
    if (colon >= 0 && str_find_char(host, ']', (size_t)colon) < 0) {
        port = str_from_index(host, (size_t)colon + 1);
        host = str_first(host, (size_t)colon);
    }
    uint32_t base = crc_of(crc_of(crc_of(0, host), str_of("", 1)), port), previous = 0;
    for (uint64_t i = 0; i < count; i++) {
        unsigned char bytes[] = {(unsigned char)previous, (unsigned char)(previous >> 8), (unsigned char)(previous >> 16),
                                 (unsigned char)(previous >> 24)};
        previous = crc_of(base, str_of((char *)bytes, sizeof(bytes)));
        circle->points[circle->count++] = (struct point){.hash = previous, .index = index};
    }
}

static void init_circle(void *state, const struct target_set *targets, unsigned worker)
{
    struct circle *circle = circle_of(state, targets);
    uint64_t whole = whole_weight(targets), kept = 0;
    for (unsigned i = 0; i < targets->count; i++)
        add_points(circle, &targets->items[i], i, points_of(&targets->items[i], whole));
    qsort(circle->points, circle->count, sizeof(struct point), by_hash);
    for (uint64_t i = 0; i < circle->count; i++)
        if (kept == 0 || circle->points[i].hash != circle->points[kept - 1].hash)
            circle->points[kept++] = circle->points[i];
    circle->count = kept;
}

/* The first point that is not before the hash. */
static uint64_t find_point(const struct circle *circle, uint32_t wanted)
{
    uint64_t low = 0, high = circle->count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (circle->points[middle].hash < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int choose_consistently(void *state, const struct pick *pick)
{
    const struct circle *circle = circle_of(state, pick->targets);
    if (pick->tier != 0 || pick->key.len == 0 || circle->count == 0)
        return in_turn(state, pick);
    uint64_t at = find_point(circle, crc_of(0, pick->key));
    for (unsigned number = 0; number <= DRAWS_MAX; number++, at++) {
        uint32_t index = circle->points[at % circle->count].index;
        if (target_is_open(pick, index))
            return (int)index;
    }
    return in_turn(state, pick);
}

static const struct balancer_type consistent_hash = {
    .name = "consistentHash",
    .summary = "The same server for the same key (hashKey); when one leaves, only its keys move.",
    .item_size = sizeof(int64_t),
    .uses_key = true,
    .more = circle_size,
    .init = init_circle,
    .choose = choose_consistently,
};
REGISTER(balancer_type, consistent_hash);
