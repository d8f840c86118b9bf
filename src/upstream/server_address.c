/* A server's addresses: which one is next, which ones are passed over, how a new answer of DNS replaces them. */
#include "base/time.h"
#include "upstream/server.h"

/* In turn; those that refused a connection lately only when all did. */
bool server_next_address(struct server *server, struct addr *ret_addr)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->address_count;
    if (count != 0) {
        unsigned chosen = server->next_address % count;
        int64_t now = count > 1 ? time_monotonic() : 0;
        for (unsigned i = 0; i < count; i++) {
            unsigned at = (server->next_address + i) % count;
            if (server->penalty_until[at] <= now) {
                chosen = at;
                break;
            }
        }
        *ret_addr = server->addresses[chosen];
        server->next_address = (chosen + 1) % count;
    }
    pthread_mutex_unlock(&server->lock);
    return count != 0;
}

static bool same_address(const struct addr *a, const struct addr *b)
{
    return a->len == b->len && memcmp(a, b, a->len) == 0;
}

void server_address_failed(struct server *server, const struct addr *addr)
{
    int64_t until = time_monotonic() + SERVER_ADDRESS_PENALTY;
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < server->address_count; i++)
        if (same_address(&server->addresses[i], addr))
            server->penalty_until[i] = until;
    pthread_mutex_unlock(&server->lock);
}

static int64_t penalty_of(const struct addr *addresses, const int64_t *penalties, unsigned count,
                          const struct addr *wanted)
{
    for (unsigned i = 0; i < count; i++)
        if (same_address(&addresses[i], wanted))
            return penalties[i];
    return 0;
}

void server_set_addresses(struct server *server, const struct ip *addresses, size_t count)
{
    struct addr fresh[SERVER_ADDRESSES_MAX];
    int64_t penalties[SERVER_ADDRESSES_MAX];
    unsigned kept = count < SERVER_ADDRESSES_MAX ? (unsigned)count : SERVER_ADDRESSES_MAX;
    memset(fresh, 0, sizeof(fresh));
    for (unsigned i = 0; i < kept; i++)
        addr_from_ip(&addresses[i], server->port, &fresh[i]);
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < kept; i++)
        penalties[i] = penalty_of(server->addresses, server->penalty_until, server->address_count, &fresh[i]);
    memcpy(server->addresses, fresh, kept * sizeof(fresh[0]));
    memcpy(server->penalty_until, penalties, kept * sizeof(penalties[0]));
    server->address_count = kept;
    server->resolve_failed = false;
    pthread_mutex_unlock(&server->lock);
}

unsigned server_addresses(struct server *server, struct addr *out)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->address_count;
    memcpy(out, server->addresses, count * sizeof(out[0]));
    pthread_mutex_unlock(&server->lock);
    return count;
}
