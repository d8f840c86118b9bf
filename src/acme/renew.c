/* A renewal that somebody asks for, before its time. */
#include "acme/managed.h"

static bool has_name(const struct managed *managed, struct str name)
{
    for (size_t i = 0; i < managed->names.count; i++)
        if (str_equal_nocase(managed->names.items[i], name))
            return true;
    return false;
}

/* Is it one that says more than the other? What is wanted before what is only kept, what is served before what is awaited, a
 * main name before a further one. */
static unsigned worth(const struct managed *managed, struct str name)
{
    return (managed->wanted ? 4U : 0) + (managed->certificate != NULL ? 2U : 0) +
           (str_equal_nocase(managed->names.items[0], name) ? 1U : 0);
}

static struct managed *find(struct str name)
{
    struct managed *found = NULL;
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        LIST_FOREACH(&resolver->managed, at) {
            struct managed *managed = container_of(at, struct managed, link);
            if (has_name(managed, name) && (found == NULL || worth(managed, name) > worth(found, name)))
                found = managed;
        }
    }
    return found;
}

/* Why a name that no resolver has cannot be renewed. */
static struct str explain_unknown(struct str name, struct arena *arena)
{
    const struct graph *graph = manager.graph;
    for (unsigned i = 0; graph != NULL && i < graph->certificate_count; i++)
        if (certificate_covers(graph->certificates[i], name))
            return arena_printf(arena, "the certificate for %.*s comes from a file: whoever writes the file renews it",
                                STR_ARGS(name));
    return arena_printf(arena, "no resolver has a certificate with the name %.*s", STR_ARGS(name));
}

static int64_t seconds_until(const struct managed *managed)
{
    int64_t wait = managed->backoff.until - manager.loop->wall;
    return wait > 0 ? (wait + TIME_S - 1) / TIME_S : 0;
}

static struct str describe_wait(const struct managed *managed, struct arena *arena)
{
    const char *failure = managed->failure != NULL ? managed->failure : "no reason is known";
    return arena_printf(arena, "the last try for %.*s failed (%s); the next one is in %lld s", STR_ARGS(managed->names.items[0]),
                        failure, (long long)seconds_until(managed));
}

bool acme_renew(struct str name, struct arena *arena, struct str *ret_text)
{
    if (manager.loop == NULL || manager.stopping) {
        *ret_text = S("the process is stopping: nothing is ordered any more");
        return false;
    }
    struct managed *managed = find(name);
    if (managed == NULL) {
        *ret_text = explain_unknown(name, arena);
        return false;
    }
    struct str main_name = managed->names.items[0], resolver = managed->resolver->name;
    if (managed->resolver->broken) {
        *ret_text = arena_printf(arena, "resolver '%.*s' cannot read its storage: nothing is ordered for it", STR_ARGS(resolver));
        return false;
    }
    if (order_is_under_way(managed) || managed->holds_lock) {
        *ret_text = arena_printf(arena, "the certificate for %.*s is being ordered already", STR_ARGS(main_name));
        return true;
    }
    if (managed->certificate != NULL)
        managed->asked_at = manage_now();
    managed_shorten_waits(managed);
    manage_wake();
    *ret_text = seconds_until(managed) != 0
                    ? describe_wait(managed, arena)
                    : arena_printf(arena, "the certificate for %.*s is ordered from resolver '%.*s' now", STR_ARGS(main_name),
                                   STR_ARGS(resolver));
    return true;
}
