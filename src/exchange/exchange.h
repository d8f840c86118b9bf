/* One request from its first byte to the last of its response: the spine (steps.c) and what middlewares and services may do
 * with it. The struct lives in a pooled chunk together with the first part of its arena.
 *
 * Ownership: made by the stream handler's open, ended by step `finish`; the client's connection outlives it. Threading: one
 * worker. The rule: callbacks note facts and call exchange_run; only steps decide what is next. */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "exchange/relay.h"
#include "exchange/step.h"
#include "http/stream.h"
#include "net/client.h"
#include "net/worker.h"
#include "upstream/connect.h"

struct awaiting;
struct entry;
struct former_attempt;
struct forwarding;
struct graph;
struct graph_pin;
struct middleware;
struct outgoing;
struct outgoing_url;
struct router;
struct service;
struct spool;
struct subrequest;
struct visit;

/* Monotonic ns, 0 where a step was not reached. */
struct exchange_times {
    int64_t began, routed, picked, connected, sent, first_byte, ended;
};

/* What limits that count in zones have said of a request: $limit_req_status and $limit_conn_status. */
enum limit_status { LIMIT_UNASKED, LIMIT_PASSED, LIMIT_DELAYED, LIMIT_REJECTED, LIMIT_DELAYED_DRY_RUN, LIMIT_REJECTED_DRY_RUN };

/* Somebody on another thread or loop who has an answer for this exchange; told when the exchange ends before. */
struct pending {
    void (*abandon)(struct pending *pending);
};

/* Something that an exchange holds to its end, such as servers that come and go with DNS; in its arena. */
struct keepsake {
    void (*release)(struct keepsake *keepsake);
    struct keepsake *next;
    const void *owner;                /* whose it is, for who looks for its own */
};

struct exchange {
    struct stream stream;             /* the client's side; first, so that one pointer serves both */

    enum step step;
    unsigned facts_client, facts_server;      /* noted by callbacks, taken by steps */
    bool running;                     /* exchange_run is on the stack */
    bool ended;                       /* finish was reached */
    bool upstream_bound;              /* upstream.ops->release is due */
    bool attempt_open;                /* the last attempt is not among the former ones yet */
    bool waiting;                     /* a hook said WAIT; exchange_resume clears it */
    bool resume_on_facts;             /* what it waits for is any fact from either side, or the timer */
    bool resume_on_timer;             /* what it waits for is the timer */
    bool expired;                     /* the timer has fired since progress_limit */
    bool service_told;                /* the service's on_response was called for this response */
    bool response_sent;               /* a final head went to the client: no retry any more */
    bool upgraded;
    bool answered_here;               /* the response was made by us, not by a server */
    bool admitted;                    /* every middleware let the request pass: it may go to the router's service */
    bool replayable;                  /* the request can be sent again: nothing of its body is lost */
    bool detour;                      /* a service other than the router's gives the response now */
    bool hop_stripped;
    bool was_forwarded;               /* it came with forwarding fields, whether they are believed or not */
    bool forwarded_trusted;           /* the peer is one whose X-Forwarded-* count */
    bool weighed;                     /* it is among those under way that balancers go by (server_begin) */
    bool internal;                    /* an internal service answers */
    bool error_told;                  /* somebody has said in its error log why it fails (exchange/error_log.h) */
    bool client_replaced;             /* client_ip and client_port are what a trusted peer's field said (middleware realIp) */
    uint8_t rate_status, connections_status;    /* what limits with zones have said: enum limit_status; 0: none was asked */
    bool rate_settled, connections_settled;     /* ... in a chain that was left, or of the parent: they are not asked again */
    uint16_t client_port;             /* with client_replaced; 0: not said */

    struct worker *worker;
    struct graph *graph;              /* pinned by `pin` */
    struct graph_pin *pin;
    struct entry *entry;
    struct arena arena;
    struct chunk *memory;             /* that this struct lies in */

    struct router *router;
    unsigned chain_at;                /* index of the middleware that runs or is next */
    unsigned chain_entered;           /* how many on_requests were called: on_finish is due to them */
    char *chain_memory;               /* their `own`s */

    /* The request as it came, for logs and conditions: middlewares change stream.request. */
    struct str original_path, original_query, original_authority;
    enum method original_method;
    struct str original_method_name;
    struct str routing_path;          /* what path matchers see */
    struct str request_id;
    struct str request_id_line;       /* "X-Request-Id: ...\r\n", once it was made for the server */
    struct str user;                  /* who authenticated; empty: nobody */
    struct str peer_text, client_text;      /* see exchange_peer_text; empty: not made yet */
    struct ip client_ip;              /* the socket's peer or, when that is trusted, X-Forwarded-For's last untrusted */

    struct service *service;          /* asked now; the one that gave the server */
    struct server *server;            /* the pinned graph holds it */
    struct server *asked;             /* the one that was let go of last: of a request that failed, for logs and counts */
    const struct transport *transport;
    uint64_t tried;                   /* targets of the load balancer that were tried: bits for struct pick */
    unsigned attempts;                /* connections or requests begun at servers */
    unsigned stale_attempts;          /* of them, those over idle connections that had ended */
    const struct forwarding *forwarding;      /* how it goes about its servers; NULL: as usual (exchange/forwarding.h) */
    const struct outgoing_url *url;   /* where proxyPass sends it; NULL: nobody said (exchange/outgoing_url.h) */
    struct keepsake *kept;            /* what no graph holds and is let go of at the end; NULL: nothing */
    struct fields *carried;           /* fields of a response that gave way to a redirect inside: the next one gets them; NULL: none */
    struct outgoing *outgoing;        /* the request as servers get it; NULL: as it came (exchange/outgoing.h) */
    struct str server_address;        /* of the connection that gave the response, where the server has a name */
    struct former_attempt *former_attempts;   /* those before the present one, newest first (exchange/attempt.h) */
    bool fresh_connection;            /* the next attempt must not use an idle one */

    struct response response;         /* the final one: from the server or made here */
    int customary;                    /* made here, it is the page that any answer with this status gets (497 stands for itself,
                                       * though 400 goes out): an error page may take its place. 0: it has a body of its own */
    struct body_source *response_source;   /* its body */
    struct body_source memory_source;      /* of a body made here */
    struct str memory_body;
    uint64_t whole_bytes;             /* of a body that went out with its head, without a download */
    enum status failure;              /* why the request did not go as it should; OK otherwise */
    const char *reason_detail;        /* literal or arena text for the log; may be NULL */

    struct spool *spool;              /* the request's body, held for replay; NULL: streamed */
    bool body_held;                   /* the spool has all of it; else, if there is one, its beginning */
    bool body_kept;                   /* ... for a server that has missed the request, and for nothing else */
    struct spool *response_spool;     /* the response's body, held or its beginning looked at; NULL: streamed */
    bool response_held;               /* that spool has all of it */
    int64_t hold_began;               /* monotonic ns */
    bool upload_began, upload_done, download_began, download_done;
    bool rate_set;                    /* exchange_limit_rate was called */
    int64_t rate, rate_after;         /* of the response's body: bytes a second, after so many that are free; 0: no limit */
    int64_t server_rate;              /* bytes a second that are read of the server's response at most; 0: no limit */
    bool continue_sent;               /* a 100 went to the client */
    struct filter *request_filters, *response_filters;     /* added by middlewares before the relays begin */

    struct visit *visit;              /* NULL: it came by a rule and nothing asked for one (exchange/visit.h) */
    struct str *values;               /* of variables that were asked for or set (exchange/variable.h); NULL: none was */
    struct pending *pending;          /* NULL: nobody */
    struct subrequest *subrequest;    /* what makes it a request of our own (exchange/subrequest.h); NULL: it is a client's */
    struct subrequest *waits_for;     /* requests of our own whose answers it wants; NULL: none */
    struct awaiting *awaiting;        /* NULL: it never had to wait for a server (exchange/await_server.h) */
    struct trace *trace;              /* NULL: not traced and nothing to pass on (exchange/tracing.h) */

    struct timer timer;               /* the present step's limit */
    int64_t progress_at;              /* when bytes last moved, or what is waited for changed */
    uint64_t progress_bytes;
    enum status progress_reason;      /* what running out of time would mean */
    struct exchange_times times;
    int upstream_status;              /* of the server's own response; 0: none */
    uint64_t upstream_bytes;
    struct list link;                 /* in the worker's list of exchanges, for the API and for stopping */

    /* What stands from here on is inited when it begins; all before it is zero at first. */
    struct upstream_stream upstream;  /* the server's side, by each attempt (upstream_bound) */
    struct relay upload, download;    /* (upload_began, download_began) */
};

/* For every hook: */

static inline struct request *exchange_request(struct exchange *x)
{
    return &x->stream.request;
}
/* Makes a response of our own. `content_type` empty: none. The body is a view that lives as long as the exchange (arena,
 * literal, options). Fields are added to x->response.fields afterwards. `reason` goes to the log. */
void exchange_answer(struct exchange *x, int status, enum status reason, struct str content_type, struct str body);
/* The same with the customary small text for a status ("404 page not found"). */
void exchange_answer_status(struct exchange *x, int status, enum status reason);
/* A redirection with Location (a view as above). */
void exchange_answer_redirect(struct exchange *x, int status, struct str location);
/* A response whose body comes from a source of the caller's (files), instead of the one that exchange_answer gave. The head is
 * in x->response, body_length set. The source is released (once) when it is no longer needed. */
void exchange_answer_source(struct exchange *x, struct body_source *source, enum status reason);

/* Released when the exchange ends. */
static inline void exchange_keep(struct exchange *x, struct keepsake *keepsake)
{
    keepsake->next = x->kept;
    x->kept = keepsake;
}

/* What WAITed is settled: the hook is called again. Safe from any callback of the worker; runs the exchange at once. */
void exchange_resume(struct exchange *x);
/* Before VERDICT_WAIT: the hook is called again after this long (ns). */
void exchange_wait(struct exchange *x, int64_t ns);

/* Holds the whole request body (memory, beyond `memory_max` a temporary file) before going on, so that it can be replayed,
 * measured or sent elsewhere first. READY: it is there (x->body_held) or there is none. WAIT: return VERDICT_WAIT; the hook is
 * called again. REFUSED: return VERDICT_ANSWER; the answer is made (413, 408, 400, ...). `max` 0: any size. */
enum exchange_hold { HOLD_READY, HOLD_WAIT, HOLD_REFUSED, HOLD_TOO_LARGE };
enum exchange_hold exchange_hold_body(struct exchange *x, int64_t max, int64_t memory_max);
/* The same, but a body larger than `max` is no failure: TOO_LARGE, and it goes on as a stream (and cannot be replayed). */
enum exchange_hold exchange_try_hold(struct exchange *x, int64_t max, int64_t memory_max);
/* A held body: its length, and its bytes when it lies in memory (data NULL when on disk). */
int64_t exchange_held_length(const struct exchange *x);
struct str exchange_held_bytes(struct exchange *x);

/* For on_response: holds the whole response body before its head goes out; results as above (500 when it is larger). */
enum exchange_hold exchange_hold_response(struct exchange *x, int64_t max, int64_t memory_max);
/* For on_response: waits until `bytes` of a body of unknown length have come, it has ended (its length is then known), or
 * `patience` (ns) is over. Nothing is lost: what was looked at stays the body's beginning. */
enum exchange_hold exchange_peek_response(struct exchange *x, int64_t bytes, int64_t patience);
/* The same for the first bytes of a body of any length, which *ret_bytes shows (valid until the hook returns): empty when it
 * has none, when none came in time, or when it was held on disk. */
enum exchange_hold exchange_look_at_response(struct exchange *x, int64_t patience, struct str *ret_bytes);

/* True while nothing of a response went out and the request can be sent again (not one that a middleware stopped). The one
 * place that decides. */
bool exchange_can_retry(const struct exchange *x);
/* For VERDICT_DETOUR: the response shall come from `service`, asked by GET (HEAD, if the client asked so) for path and query
 * (views that last). The request is another then: it cannot be retried. */
void exchange_detour(struct exchange *x, struct service *service, struct str path, struct str query);

/* Body filters, in the order of the calls; only before that body began to move. */
void exchange_filter_request(struct exchange *x, struct filter *filter);
void exchange_filter_response(struct exchange *x, struct filter *filter);

/* The scheme as the client knows it: TLS here, or a trusted X-Forwarded-Proto. "http" or "https". */
bool exchange_is_secure(const struct exchange *x);
struct str exchange_scheme(const struct exchange *x);
/* "https://host/path?query" as the client asked (Traefik's redirectRegex works on it), in the arena. */
struct str exchange_url(struct exchange *x);
/* The socket's peer, and the client behind trusted proxies, as text; made once, in the arena. */
struct str exchange_peer_text(struct exchange *x);
struct str exchange_client_text(struct exchange *x);
/* Wall-clock and monotonic time of this turn. */
static inline int64_t exchange_now(const struct exchange *x)
{
    return x->worker->loop.now;
}

/* Bytes of the response's body that the client's side has taken. */
static inline uint64_t exchange_given(const struct exchange *x)
{
    return x->download_began ? x->download.given : x->whole_bytes;
}

/* The request leaves it in doubt where a next one would begin: its connection is closed where messages follow each other. */
void exchange_doubt_framing(struct exchange *x);
/* The client gets the response's body by so many bytes a second at most, one second's worth ahead, 0: as fast as it takes them.
 * What was said here before the head goes out counts, and more than what a `bandwidth` middleware says. */
void exchange_limit_rate(struct exchange *x, int64_t bytes);

/* Tells a client that waits for it (Expect: 100-continue) to send its body; once. */
void exchange_send_continue(struct exchange *x);
/* Lets go of the source of a response made here. */
void exchange_release_source(struct exchange *x);
/* Forgets the response at hand (filters included) so that another can take its place. */
void exchange_drop_response(struct exchange *x);
/* The filters alone: what inner middlewares wanted done to a body that another one replaces. */
void exchange_drop_filters(struct exchange *x);

/* For services' pick: */
void exchange_use_server(struct exchange *x, struct server *server, unsigned index);
void exchange_use_service(struct exchange *x, struct service *service);

/* For the spine and its neighbours: */
/* A new one in its first step, zeroed, among the worker's; it pins the graph. NULL: no memory is left for it. */
struct exchange *exchange_new(struct worker *worker, struct graph_pin *pin, struct entry *entry, struct client *client);
void exchange_run(struct exchange *x);
/* The handler that entrypoints give to protocols; the context is a struct port (exchange/port.h). */
extern struct stream_handler exchange_handler;

#endif
