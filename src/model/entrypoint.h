/* What a configuration says of entrypoints: addresses listened on, and how they speak there.
 * Filled by the binder from `entrypoint_table`; lives in the model's arena; read-only. */
#ifndef MODEL_ENTRYPOINT_H
#define MODEL_ENTRYPOINT_H

#include "model/tls.h"

struct forwarded_headers {
    const struct node *origin;
    bool insecure;                  /* everybody is trusted */
    struct strs trusted_ips;
    bool pass;                      /* fields by which proxies tell of each other go on as they came, and none are added */
};

struct proxy_protocol {
    const struct node *origin;
    bool insecure;
    struct strs trusted_ips;
    bool required;                  /* a connection without a header is refused */
    bool keep_peer;                 /* the connection's other end stays the client; what the header says is for who asks */
};

struct entrypoint_redirection {
    const struct node *origin;
    struct str to;                  /* an entrypoint's name or ":port" */
    struct str scheme;
    bool permanent;
    int64_t priority;
};

struct entrypoint_redirections {
    const struct node *origin;
    struct entrypoint_redirection *entry_point;
};

struct encoded_characters {
    const struct node *origin;
    bool allow_slash, allow_backslash, allow_null, allow_semicolon, allow_percent, allow_question_mark, allow_hash;
};
/* Its options, for whoever has one: `allow(member, key, what)` makes a row. */
#define ENCODED_CHARACTERS_OPTIONS(allow) \
    allow(allow_slash, "allowEncodedSlash", "slash (%2F)") \
    allow(allow_backslash, "allowEncodedBackSlash", "backslash (%5C)") \
    allow(allow_null, "allowEncodedNullCharacter", "NUL (%00)") \
    allow(allow_semicolon, "allowEncodedSemicolon", "semicolon (%3B)") \
    allow(allow_percent, "allowEncodedPercent", "percent sign (%25)") \
    allow(allow_question_mark, "allowEncodedQuestionMark", "question mark (%3F)") \
    allow(allow_hash, "allowEncodedHash", "hash (%23)")

enum underscore_strategy { UNDERSCORE_KEEP, UNDERSCORE_DELETE, UNDERSCORE_REJECT };

struct entrypoint_http {
    const struct node *origin;
    struct entrypoint_redirections *redirections;
    struct strs middlewares;
    int64_t max_header_bytes, max_line_bytes, max_header_fields;
    bool bare_line_feeds;
    bool encode_query_semicolons, keep_query_semicolons, sanitize_path, via;
    int underscore_headers_strategy;
    int unusual_headers_strategy;   /* enum underscore_strategy: names of other characters than letters, digits, '-' and '_' */
    bool refuse_trace, refuse_empty_host, refuse_repeated_fields;
    bool repair_targets;            /* as proto/h1/repair.h has it */
    bool half_close_is_gone;        /* clients that end their direction behind a whole request do not wait for its response */
    bool keep_alive_field;          /* Connection: keep-alive is said to HTTP/1.1 clients too */
    struct encoded_characters encoded_characters;
    struct router_tls *tls;         /* of all its routers; NULL: as they say */
    int error_pages;                /* enum error_pages */
    struct str server_header;       /* Server of responses that have none; empty: they get none */
};

struct entrypoint_http2 {
    const struct node *origin;
    bool h2c;                       /* HTTP/2 by prior knowledge, without TLS */
    int64_t max_concurrent_streams, max_running_requests;
    int64_t reset_burst, reset_rate, control_burst, control_rate;    /* token buckets: at once, and a second */
    int64_t stream_window, connection_window;       /* bytes */
    bool any_opening;               /* clients may begin with another frame than SETTINGS */
    bool go_away_at_once;           /* the GOAWAY of a connection that has served enough names its last stream, without a notice */
};

struct responding_timeouts {
    const struct node *origin;
    int64_t read_timeout;       /* ns: for a request head; between two reads of a body. 0: none */
    int64_t write_timeout;      /* ns: between two writes that make progress; 0: none */
    int64_t idle_timeout;       /* ns: a keep-alive connection without a request */
    int64_t minimum_rate;       /* bytes a second that a body must reach after the grace; 0: off */
    int64_t minimum_rate_grace; /* ns */
};

struct life_cycle {
    const struct node *origin;
    int64_t request_accept_grace_timeout;   /* ns: keep accepting after SIGTERM */
    int64_t grace_timeout;                  /* ns: for requests under way */
};

struct entrypoint_transport {
    const struct node *origin;
    struct responding_timeouts responding_timeouts;
    struct life_cycle life_cycle;
    int64_t keep_alive_max_requests;
    int64_t keep_alive_max_time;            /* ns */
};

struct entrypoint_socket {
    const struct node *origin;
    bool ipv6_only;
    bool deferred;
    bool keep_alive;
    int64_t keep_alive_idle, keep_alive_interval, keep_alive_count;     /* seconds, seconds, probes; 0: as usual */
    struct str congestion_control;          /* net/congestion.h; empty: nothing is said */
    int64_t mode;                           /* of a Unix socket's file; 0: as the umask says */
};

struct entrypoint_observability {
    const struct node *origin;
    bool access_logs, metrics, tracing;
    int trace_verbosity;            /* enum trace_verbosity */
};

struct entrypoint {
    const struct node *origin;
    struct str address;
    bool as_default;
    bool allow_acme_bypass;         /* ACME's HTTP-01 path may be a router's own */
    int64_t backlog;
    struct entrypoint_socket socket;
    struct forwarded_headers forwarded_headers;
    struct proxy_protocol *proxy_protocol;
    struct entrypoint_http http;
    struct entrypoint_http2 http2;
    struct entrypoint_transport transport;
    struct entrypoint_observability observability;
};

extern const struct option_table entrypoint_table;

#endif
