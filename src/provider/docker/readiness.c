#include "provider/docker/readiness.h"

bool readiness_runs(const struct container *container)
{
    return container->state == CONTAINER_RUNNING;
}

static void tell_unhealthy(struct candidate *candidate, struct arena *arena)
{
    const struct container *container = candidate->container;
    struct str output = str_trim_space(container->health_output);
    struct str reason = S("its health check fails");
    if (!str_empty(output))
        reason = arena_printf(arena, "its health check fails: %.*s", STR_ARGS(output));
    candidate_tell(candidate, true, reason,
                   arena_printf(arena, "docker inspect --format '{{json .State.Health}}' %.*s", STR_ARGS(container->name)));
}

static bool tell_state(struct candidate *candidate, struct arena *arena)
{
    const struct container *container = candidate->container;
    const char *verb = NULL;
    struct str reason = STR_NONE;
    switch (container->state) {
    case CONTAINER_RUNNING:
        return true;
    case CONTAINER_CREATED:
        reason = S("it was not started yet");
        verb = "start";
        break;
    case CONTAINER_PAUSED:
        reason = S("it is paused");
        verb = "unpause";
        break;
    case CONTAINER_RESTARTING:
        reason = arena_printf(arena, "it ended with code %d and is about to be started again", container->exit_code);
        verb = "logs";
        break;
    case CONTAINER_STOPPED:
        reason = arena_printf(arena, "it stopped with code %d", container->exit_code);
        verb = "start";
        break;
    case CONTAINER_REMOVED:
        reason = S("it was removed a moment ago");
        break;
    }
    struct str hint = verb == NULL ? STR_NONE : arena_printf(arena, "docker %s %.*s", verb, STR_ARGS(container->name));
    candidate_tell(candidate, container->state == CONTAINER_RESTARTING && container->exit_code != 0, reason, hint);
    return false;
}

bool readiness_of_container(struct candidate *candidate, struct arena *arena)
{
    if (!tell_state(candidate, arena))
        return false;
    switch (candidate->container->health) {
    case HEALTH_NONE:
    case HEALTH_GOOD:
        break;
    case HEALTH_STARTING:
        candidate_tell(candidate, false, S("its health check has not passed yet"), STR_NONE);
        return false;
    case HEALTH_BAD:
        tell_unhealthy(candidate, arena);
        return false;
    }
    if (candidate->container->stopping)
        candidate_tell(candidate, false, S("it was told to stop"), STR_NONE);
    return true;
}

/* The other ports that the image exposes: perhaps one of them was meant. */
static struct str other_ports(const struct container *container, uint16_t port, struct arena *arena)
{
    struct str list = STR_NONE;
    for (size_t i = 0; i < container->port_count; i++)
        if (container->ports[i] != port)
            list = arena_printf(arena, "%.*s%s%u", STR_ARGS(list), str_empty(list) ? "" : ", ", container->ports[i]);
    return list;
}

static void tell_refused(struct candidate *candidate, struct str authority, const struct reach *reach, bool guessed, struct arena *arena)
{
    struct str hint = STR_NONE, others = other_ports(candidate->container, reach->port, arena);
    if (guessed && !str_empty(others))
        hint = arena_printf(arena, "it exposes %.*s too: traefik.http.services.%.*s.loadbalancer.server.port says which it is",
                            STR_ARGS(others), STR_ARGS(candidate->name));
    candidate_tell(candidate, true,
                   arena_printf(arena, "nothing listens on %.*s: does the application listen on 127.0.0.1 only? "
                                       "(e.g. uvicorn needs --host 0.0.0.0)", STR_ARGS(authority)), hint);
}

void readiness_tell_port(struct candidate *candidate, enum port_answer answer, const struct reach *reach, bool guessed,
                         struct arena *arena)
{
    struct str authority = network_authority(reach, arena);
    bool doubt = !str_empty(reach->reason) && !reach->told;
    if (doubt && (answer == PORT_SILENT || answer == PORT_UNREACHABLE)) {
        candidate_tell(candidate, true, arena_printf(arena, "%.*s does not answer: %.*s", STR_ARGS(authority), STR_ARGS(reach->reason)),
                       reach->hint);
        return;
    }
    switch (answer) {
    case PORT_OPEN:
        return;
    case PORT_UNKNOWN:
        candidate_tell(candidate, false, arena_printf(arena, "%.*s has not answered yet", STR_ARGS(authority)), STR_NONE);
        return;
    case PORT_REFUSED:
        tell_refused(candidate, authority, reach, guessed, arena);
        return;
    case PORT_SILENT:
        candidate_tell(candidate, true, arena_printf(arena, "%.*s does not answer", STR_ARGS(authority)),
                       S("a firewall in the container or on the host drops what is sent there, or the application hangs"));
        return;
    case PORT_UNREACHABLE:
        candidate_tell(candidate, true, arena_printf(arena, "there is no way to %.*s", STR_ARGS(authority)),
                       S("Portico must be in one of its networks: docker network connect NETWORK CONTAINER"));
        return;
    }
}
