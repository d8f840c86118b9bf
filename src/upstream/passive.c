#include "upstream/passive.h"

static const struct option options[] = {
    OPTION_NAMED(DURATION, struct passive_check, failure_window, "failureWindow", .fallback = "10s", .min = 1000000,
                 .max = INT64_MAX, .help = "The time within which failures are counted, and for which a server is then out."),
    OPTION_NAMED(INT, struct passive_check, max_failed_attempts, "maxFailedAttempts", .fallback = "1", .min = 1,
                 .max = 1000000, .help = "Failures within the window that take a server out."),
};
const struct option_table passive_check_table =
    OPTION_TABLE(struct passive_check, options, .summary = "Takes out servers that fail live requests.");

bool passive_admit(struct server *server, const struct passive_check *check, int64_t now, bool panic)
{
    int64_t until = atomic_load_explicit(&server->ejected_until, memory_order_relaxed);
    if (until == 0)
        return true;
    bool taken = now >= until && atomic_compare_exchange_strong(&server->ejected_until, &until, now + check->failure_window);
    if (!taken && !panic)
        return false;
    atomic_store(&server->probing, true);
    return true;
}

enum passive_change passive_success(struct server *server, int64_t now)
{
    if (atomic_load_explicit(&server->window_failures, memory_order_relaxed) != 0)
        atomic_store_explicit(&server->window_failures, 0, memory_order_relaxed);
    if (atomic_load_explicit(&server->ejected_until, memory_order_relaxed) == 0)
        return PASSIVE_SAME;
    if (!atomic_exchange(&server->probing, false) || atomic_exchange(&server->ejected_until, 0) == 0)
        return PASSIVE_SAME;
    atomic_store_explicit(&server->ready_since, now, memory_order_relaxed);
    return PASSIVE_RESTORED;
}

/* Counts one; two threads that open a window at the same time may lose a failure, which only delays the verdict. */
static uint32_t count_failure(struct server *server, int64_t window, int64_t now)
{
    int64_t began = atomic_load_explicit(&server->window_began, memory_order_relaxed);
    if (now - began > window || atomic_load_explicit(&server->window_failures, memory_order_relaxed) == 0) {
        atomic_store_explicit(&server->window_began, now, memory_order_relaxed);
        atomic_store_explicit(&server->window_failures, 1, memory_order_relaxed);
        return 1;
    }
    return atomic_fetch_add_explicit(&server->window_failures, 1, memory_order_relaxed) + 1;
}

enum passive_change passive_failure(struct server *server, const struct passive_check *check, int64_t now)
{
    int64_t until = atomic_load(&server->ejected_until);
    /* A server that is out needs no counting: its probe failed. */
    if (until == 0 && count_failure(server, check->failure_window, now) < check->max_failed_attempts)
        return PASSIVE_SAME;
    atomic_store(&server->probing, false);
    int64_t before = atomic_exchange(&server->ejected_until, now + check->failure_window);
    return before == 0 ? PASSIVE_EJECTED : PASSIVE_SAME;
}

bool passive_is_failure(enum status outcome, int response_status)
{
    if (outcome == STATUS_OK)
        return response_status >= 500;
    return outcome == STATUS_IO_ERROR ||
           (outcome >= STATUS_UPSTREAM_UNRESOLVED && outcome <= STATUS_UPSTREAM_PROTOCOL);
}
