/* What a worker reports of itself. */
#include "base/rand.h"
#include "exchange/await_server.h"
#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/port.h"
#include "exchange/service.h"
#include "exchange/survey.h"
#include "upstream/connect.h"

/* Where an exchange lies and when it began are never the same for two that live, and nobody can tell either by their hash.
 * 53 bits: a number that JavaScript can hold. */
static uint64_t id_of(const struct exchange *x)
{
    static _Atomic uint64_t secret;
    uint64_t none = 0, fresh = rand_u64() | 1;
    atomic_compare_exchange_strong(&secret, &none, fresh);
    uint64_t hash = ((uint64_t)(uintptr_t)x ^ secret) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ (uint64_t)x->times.began) * UINT64_C(0xd6e8feb86659fd93);
    hash = (hash ^ hash >> 32 ^ secret) * UINT64_C(0xd6e8feb86659fd93);
    return hash >> 11;
}

static int64_t later(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static int64_t step_began(const struct exchange *x)
{
    const struct exchange_times *times = &x->times;
    int64_t reached = later(later(times->routed, times->picked), later(times->connected, times->sent));
    return later(later(times->began, reached), later(times->first_byte, x->progress_at));
}

/* The one that is waited for, on the way in or out. */
static struct str middleware_of(const struct exchange *x)
{
    if (x->router == NULL || !x->waiting)
        return STR_NONE;
    if (x->step == STEP_RUN_REQUEST && x->chain_at < x->router->chain_count)
        return x->router->chain[x->chain_at]->name;
    if (x->step == STEP_RUN_RESPONSE && x->chain_at > 0)
        return x->router->chain[x->chain_at - 1]->name;
    return STR_NONE;
}

static struct str client_of(const struct exchange *x, struct arena *arena)
{
    const struct client *client = x->stream.client;
    if (client->unix_socket)
        return STR_NONE;
    char text[IP_TEXT_SIZE];
    const struct ip *ip = x->step != STEP_AWAIT_HEAD ? &x->client_ip : &client->peer;
    return arena_str(arena, str_of(text, ip_format(ip, text)));
}

static struct str copy(struct arena *arena, struct str text)
{
    return text.len != 0 ? arena_str(arena, text) : STR_NONE;
}

static void fill_exchange(const struct exchange *x, struct arena *arena, struct open_exchange *open)
{
    int64_t now = exchange_now(x);
    const struct server *server = x->server != NULL ? x->server : x->asked;
    *open = (struct open_exchange){.id = id_of(x),
                                   .step = x->step,
                                   .age = now - x->times.began,
                                   .step_age = now - step_began(x),
                                   .bytes_in = x->upload_began ? x->upload.moved : 0,
                                   .bytes_out = exchange_given(x),
                                   .attempts = x->attempts,
                                   .upgraded = x->upgraded,
                                   .held = await_is_waiting(x),
                                   .tls = x->stream.client->tls,
                                   .method = copy(arena, x->original_method_name),
                                   .host = copy(arena, x->original_authority),
                                   .path = copy(arena, x->original_path),
                                   .client = client_of(x, arena),
                                   .entrypoint = copy(arena, x->entry->name),
                                   .router = x->router != NULL ? copy(arena, x->router->name) : STR_NONE,
                                   .service = x->service != NULL ? copy(arena, x->service->name) : STR_NONE,
                                   .server = server != NULL ? copy(arena, server->url) : STR_NONE,
                                   .middleware = copy(arena, middleware_of(x)),
                                   .request_id = copy(arena, x->request_id)};
    if (x->step != STEP_AWAIT_HEAD)
        open->protocol = http_version_text(x->stream.request.version);
}

static void fill_exchanges(const struct worker_graph *graph, struct worker_report *report)
{
    unsigned room = report->exchanges < SURVEY_EXCHANGES_MAX ? report->exchanges : SURVEY_EXCHANGES_MAX;
    report->open = arena_array(&report->arena, struct open_exchange, room);
    LIST_FOREACH(&graph->exchanges, it) {
        if (report->open_count == room)
            break;
        fill_exchange(container_of(it, struct exchange, link), &report->arena, &report->open[report->open_count++]);
    }
}

static size_t count_ports(const struct worker_graph *graph)
{
    size_t count = 0;
    LIST_FOREACH(&graph->ports, it)
        count++;
    return count;
}

/* One that closes is told of too: its connections may live for long. */
static void fill_ports(const struct worker_graph *graph, struct worker_report *report)
{
    report->ports = arena_array(&report->arena, struct port_report, count_ports(graph));
    LIST_FOREACH(&graph->ports, it) {
        const struct port *port = container_of(it, struct port, link);
        report->ports[report->port_count++] = (struct port_report){
            .entrypoint = copy(&report->arena, port->entry->name), .accepted = port->accepted, .open = port->open};
        report->connections += port->open;
    }
}

static void fill_graph(const struct worker_graph *graph, unsigned wishes, struct worker_report *report)
{
    report->handshakes = graph->handshakes;
    report->handshakes_resumed = graph->handshakes_resumed;
    report->handshakes_failed = graph->handshakes_failed;
    memcpy(report->sent_away, graph->sent_away, sizeof(report->sent_away));
    fill_ports(graph, report);
    if ((wishes & SURVEY_EXCHANGES) != 0)
        fill_exchanges(graph, report);
}

void survey_fill(struct worker *worker, unsigned wishes, uint64_t after, struct worker_report *report)
{
    *report = (struct worker_report){.worker = worker->index,
                                     .longest_turn = worker->loop.longest_turn,
                                     .buffer_bytes = chunk_pool_in_use(&worker->chunks),
                                     .idle_upstream = upstream_idle_count(worker),
                                     .idle_pipes = worker->pipe_count,
                                     .exchanges = (unsigned)traffic_value(&worker->traffic.running),
                                     .log_lines_lost = access_log_lost(worker)};
    arena_init(&report->arena, ARENA_UNLIMITED);
    if ((wishes & SURVEY_RESET_LAG) != 0)
        worker->loop.longest_turn = 0;
    if (worker->graph != NULL)
        fill_graph(worker->graph, wishes, report);
    if ((wishes & SURVEY_REQUESTS) != 0)
        report->request_count = recent_copy(worker, false, after, &report->arena, &report->requests);
    if ((wishes & SURVEY_FAILURES) != 0)
        report->failure_count = recent_copy(worker, true, after, &report->arena, &report->failures);
}
