#include "admin/problems.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "admin/call.h"
#include "base/time.h"

#define FRESH (TIME_S - 10 * TIME_MS)

static const char *const severity_names[] = {
    [PROBLEM_ERROR] = "error", [PROBLEM_WARNING] = "warning", [PROBLEM_INFO] = "info"};

struct problem *problem_add(struct problems *problems, enum problem_severity severity, const char *kind, const char *subject_kind,
                            struct str subject)
{
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity != 0 ? problems->capacity * 2 : 16;
        struct problem *items = arena_array(problems->arena, struct problem, capacity);
        if (problems->count != 0)
            memcpy(items, problems->items, problems->count * sizeof(*items));
        problems->items = items;
        problems->capacity = capacity;
    }
    struct problem *problem = &problems->items[problems->count++];
    *problem = (struct problem){
        .severity = severity, .kind = kind, .subject_kind = subject_kind, .subject = arena_str(problems->arena, subject)};
    return problem;
}

/* The latest first among equals: what has just happened is what people come for. */
static int worst_first(const void *a, const void *b)
{
    const struct problem *one = a, *other = b;
    if (one->severity != other->severity)
        return (int)one->severity - (int)other->severity;
    if (one->since != other->since)
        return one->since < other->since ? 1 : -1;
    int order = strcmp(one->kind, other->kind);
    return order != 0 ? order : str_compare(one->subject, other->subject);
}

struct problems problems_gather(struct arena *arena)
{
    struct problems problems = {.arena = arena};
    REGISTRY_FOREACH(problem_source, const struct problem_source, it)
        (*it)->gather(&problems);
    if (problems.count != 0)
        qsort(problems.items, problems.count, sizeof(problems.items[0]), worst_first);
    return problems;
}

size_t problems_count(void)
{
    static size_t count;
    static int64_t counted_at;
    int64_t now = admin_self->control->loop.now;
    if (counted_at != 0 && now >= counted_at && now - counted_at < FRESH)
        return count;
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    count = problems_gather(&arena).count;
    counted_at = now;
    arena_release(&arena);
    return count;
}

static void show(const struct problem *problem, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "severity", severity_names[problem->severity]);
    json_member_text(json, "kind", problem->kind);
    json_member_object(json, "subject");
    json_member_text(json, "kind", problem->subject_kind);
    json_member_str(json, "name", problem->subject);
    json_end(json);
    json_member_str(json, "text", problem->text);
    if (problem->hint.len != 0)
        json_member_str(json, "hint", problem->hint);
    else
        json_member_text(json, "hint", NULL);
    json_member_time(json, "since", problem->since);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    struct problems problems = problems_gather(&call->arena);
    json_open_array(&call->json);
    for (size_t i = 0; i < problems.count && i < PROBLEMS_MAX; i++)
        show(&problems.items[i], &call->json);
    json_end(&call->json);
    return true;
}

static const struct admin_route route = {
    .method = "GET", .path = "/api/portico/problems", .summary = "What is not as it should be, worst first.", .answer = answer};
REGISTER(admin_route, route);
