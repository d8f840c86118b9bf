/* Problems: of the process itself, as its workers report them. */
#include "admin/admin.h"
#include "admin/live.h"
#include "admin/problems.h"
#include "base/time.h"
#include "exchange/advice.h"
#include "observe/otlp.h"

#define NEWS (60 * TIME_S)
#define SILENCE_MAX (5 * TIME_S)

/* Connections end for many reasons; these are either attacks or our own lack of something. */
static void gather_sent_away(struct problems *problems)
{
    static const enum status reasons[] = {STATUS_OVERLOADED, STATUS_OUT_OF_MEMORY, STATUS_H2_RAPID_RESET, STATUS_H2_FLOOD};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        uint64_t count = live_sent_away(reasons[i]);
        if (count == 0)
            continue;
        bool ours = reasons[i] == STATUS_OVERLOADED || reasons[i] == STATUS_OUT_OF_MEMORY;
        struct problem *problem = problem_add(problems, ours ? PROBLEM_ERROR : PROBLEM_WARNING, "process", "connections",
                                              str_from(status_reason(reasons[i])));
        problem->text = arena_printf(problems->arena, "%llu connection%s %s sent away in the last minute: %s", (unsigned long long)count,
                                     count == 1 ? "" : "s", count == 1 ? "was" : "were", status_text(reasons[i]));
        problem->hint = str_from(advice_for(reasons[i]));
    }
}

static void gather_lost_lines(struct problems *problems)
{
    uint64_t lost = live_lines_lost();
    if (lost == 0)
        return;
    struct problem *problem = problem_add(problems, PROBLEM_WARNING, "process", "accessLog", S("accessLog"));
    problem->text = arena_printf(problems->arena, "%llu lines of the access log were lost in the last minute: they cannot be written",
                                 (unsigned long long)lost);
    problem->hint = S("Is the disk full, or does nobody read the pipe that the log goes to?");
}

/* What a collector did not get; news for a minute behind the last loss that was seen. */
static void gather_dropped(struct problems *problems, enum otlp_signal signal, const char *what)
{
    static struct {
        uint64_t dropped;
        int64_t at;                       /* monotonic ns; 0: never */
    } seen[OTLP_SIGNALS];
    int64_t now = admin_self->control->loop.now;
    uint64_t dropped = otlp_counts(signal).dropped;
    if (dropped > seen[signal].dropped)
        seen[signal].at = now;
    seen[signal].dropped = dropped;
    if (seen[signal].at == 0 || now - seen[signal].at > NEWS)
        return;
    struct problem *problem = problem_add(problems, PROBLEM_WARNING, "process", what, str_from(what));
    problem->text = arena_printf(problems->arena, "the OpenTelemetry collector does not get all %s: %llu were dropped since the start",
                                 what, (unsigned long long)dropped);
    problem->hint = S("Is the collector running and reachable? The log says what it answers. A larger queueLimit bridges short gaps.");
}

static void gather_silence(struct problems *problems)
{
    int64_t waiting = live_waits_for_workers();
    if (waiting < SILENCE_MAX)
        return;
    struct problem *problem = problem_add(problems, PROBLEM_ERROR, "process", "worker", S("worker"));
    problem->text = arena_printf(problems->arena, "a worker has not answered for %lld seconds", (long long)(waiting / TIME_S));
    problem->hint = S("Is the machine out of CPU or memory? A worker that stays silent is a mistake in the proxy: please report it.");
    problem->since = (admin_self->control->loop.wall - waiting) / TIME_S;
}

static void gather(struct problems *problems)
{
    gather_sent_away(problems);
    gather_lost_lines(problems);
    gather_dropped(problems, OTLP_TRACES, "spans");
    gather_dropped(problems, OTLP_METRICS, "metrics");
    gather_silence(problems);
}

static const struct problem_source process_source = {.gather = gather};
REGISTER(problem_source, process_source);
