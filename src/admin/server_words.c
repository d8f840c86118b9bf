#include "admin/server_words.h"

#include <stddef.h>

#include "base/time.h"

static const char *const names[SERVER_WORD_COUNT] = {
    [SERVER_IS_READY] = "ready",           [SERVER_IS_DRAINING] = "draining",   [SERVER_IS_UNRESOLVED] = "unresolved",
    [SERVER_IS_EJECTED] = "ejected",       [SERVER_IS_UNHEALTHY] = "unhealthy", [SERVER_IS_DOWN] = "down",
    [SERVER_IS_LEAVING] = "leaving",
};

const char *server_word_name(enum server_word word)
{
    return names[word];
}

const char *server_state_name(int state)
{
    switch ((enum server_state)state) {
    case SERVER_READY:
        return "ready";
    case SERVER_DRAINING:
        return "draining";
    case SERVER_DOWN:
        return "down";
    case SERVER_AS_CONFIGURED:
        break;
    }
    return NULL;
}

static bool is_unresolved(struct server *server)
{
    struct addr addresses[SERVER_ADDRESSES_MAX];
    return server->named && server_addresses(server, addresses) == 0;
}

enum server_word server_word_of(const struct target *target, int64_t now)
{
    struct server *server = target->server;
    enum server_state state = target_state(target);
    int64_t ejected_until = atomic_load_explicit(&server->ejected_until, memory_order_relaxed);
    if (state == SERVER_DOWN)
        return SERVER_IS_DOWN;
    if (!atomic_load_explicit(&server->healthy, memory_order_relaxed))
        return SERVER_IS_UNHEALTHY;
    if (ejected_until != 0)
        return SERVER_IS_EJECTED;
    if (is_unresolved(server))
        return SERVER_IS_UNRESOLVED;
    if (server_is_leaving(server))
        return SERVER_IS_LEAVING;
    if (state == SERVER_DRAINING)
        return SERVER_IS_DRAINING;
    return SERVER_IS_READY;
}

static struct str why_ejected(const struct server *server, enum status last, int64_t now, struct arena *arena)
{
    const char *how = last != STATUS_OK ? status_text(last) : "its requests failed";
    int64_t left = atomic_load(&server->ejected_until) - now;
    if (left <= 0)
        return arena_printf(arena, "%s; its next request decides", how);
    return arena_printf(arena, "%s; it is tried again in %lld s", how, (long long)((left + TIME_S - 1) / TIME_S));
}

struct str server_why(const struct target *target, enum server_word word, enum status last, int64_t now, struct arena *arena)
{
    const struct server *server = target->server;
    bool by_hand = atomic_load(&server->ordered) != SERVER_AS_CONFIGURED;
    const char *why = atomic_load(&server->why_down);
    int status = atomic_load(&server->check_status);
    switch (word) {
    case SERVER_IS_DOWN:
        return S("taken down by hand");
    case SERVER_IS_UNHEALTHY:
        if (status != 0)
            return arena_printf(arena, "its health check: %s (status %d)", why != NULL ? why : "failed", status);
        return arena_printf(arena, "its health check: %s", why != NULL ? why : "failed");
    case SERVER_IS_EJECTED:
        return why_ejected(server, last, now, arena);
    case SERVER_IS_UNRESOLVED:
        return arena_printf(arena, "the name %.*s has no address", STR_ARGS(server->host));
    case SERVER_IS_DRAINING:
        return by_hand ? S("drained by hand") : S("drained by its configuration");
    case SERVER_IS_LEAVING:
        return S("it is about to stop, and asked only where no other server is ready");
    case SERVER_IS_READY:
    case SERVER_WORD_COUNT:
        break;
    }
    return STR_NONE;
}
