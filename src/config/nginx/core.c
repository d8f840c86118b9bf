/* The block for events, include, and directives that ask for nothing that Portico would have to do: taken note of. An area that gives one
 * of them a meaning has a row of its own, which wins. */
#include "config/nginx/syntax.h"

#define NGINX_IFS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)
#define HTTP_AND_SERVER (NGINX_HTTP | NGINX_SERVER)

#define OF_EVENTS "each worker waits with epoll and takes what is there; descriptors are the only bound"
#define OF_HASHES "tables size themselves"
#define OF_FILE_OUTPUT "files go out by sendfile, or in pieces from the page cache where TLS or compression needs their bytes"
#define OF_OPEN_FILES "a file is opened when it is asked for, so what changed on disk is seen at once"
#define OF_BUFFERS "buffers come from a pool of each worker and go back when a connection rests"
#define OF_TCP "responses are gathered before they are written, and small ones leave at once"
#define OF_HTTP2 "nginx itself has it no more; streams are bounded by the entrypoint's http2 options"
#define OF_TEMPORARY "bodies wait in memory within bounds, and a sender that is faster than its receiver is slowed down"

static const struct nginx_syntax rows[] = {
    {"events", NGINX_MAIN, .block = true, .inside = NGINX_EVENTS, .help = "How connections are waited for."},
    {"include", NGINX_MAIN | NGINX_EVENTS | NGINX_EVERYWHERE | NGINX_SERVER_IF | NGINX_LOCATION_IF | NGINX_LIMIT_EXCEPT | NGINX_UPSTREAM,
     .min = 1, .max = 1, .repeats = true, .help = "Reads another file, or all that fit a pattern, in this place."},

    /* The process. */
    {"ssl_engine", NGINX_MAIN, .min = 1, .max = 1, .noted = "OpenSSL's own configuration (openssl.cnf) says which providers do the work"},
    {"ssl_object_cache_inheritable", NGINX_MAIN, .flag = true, .noted = "a reload reads certificates anew and keeps sessions"},
    {"quic_bpf", NGINX_MAIN, .flag = true, .noted = "there is no QUIC socket to steer"},
    {"google_perftools_profiles", NGINX_MAIN, .min = 1, .max = 1, .noted = "use perf: the binary has its symbols"},

    /* Events. */
    {"epoll_events", NGINX_EVENTS, .min = 1, .max = 1, .noted = OF_EVENTS},
    {"devpoll_changes", NGINX_EVENTS, .min = 1, .max = 1, .noted = OF_EVENTS},
    {"devpoll_events", NGINX_EVENTS, .min = 1, .max = 1, .noted = OF_EVENTS},
    {"eventport_events", NGINX_EVENTS, .min = 1, .max = 1, .noted = OF_EVENTS},
    {"kqueue_changes", NGINX_EVENTS, .min = 1, .max = 1, .noted = OF_EVENTS},
    {"kqueue_events", NGINX_EVENTS, .min = 1, .max = 1, .noted = OF_EVENTS},

    /* Tables. */
    {"variables_hash_max_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_HASHES},
    {"variables_hash_bucket_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_HASHES},
    {"server_names_hash_max_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_HASHES},
    {"server_names_hash_bucket_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_HASHES},
    {"types_hash_max_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_HASHES},
    {"types_hash_bucket_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_HASHES},
    {"map_hash_max_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_HASHES},
    {"map_hash_bucket_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_HASHES},
    {"referer_hash_max_size", NGINX_SERVER | NGINX_LOCATION, .min = 1, .max = 1, .noted = OF_HASHES},
    {"referer_hash_bucket_size", NGINX_SERVER | NGINX_LOCATION, .min = 1, .max = 1, .noted = OF_HASHES},

    /* Memory. */
    {"connection_pool_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"request_pool_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"output_buffers", NGINX_EVERYWHERE, .min = 2, .max = 2, .noted = OF_BUFFERS},
    {"subrequest_output_buffer_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"postpone_output", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_TCP},
    {"client_body_in_single_buffer", NGINX_EVERYWHERE, .flag = true, .noted = OF_TEMPORARY},
    {"client_body_early_read", NGINX_EVERYWHERE, .flag = true, .noted = OF_TEMPORARY},

    /* Files. */
    {"aio", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_FILE_OUTPUT},
    {"aio_write", NGINX_EVERYWHERE, .flag = true, .noted = OF_FILE_OUTPUT},
    {"sendfile", NGINX_IFS, .flag = true, .noted = OF_FILE_OUTPUT},
    {"sendfile_max_chunk", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_FILE_OUTPUT},
    {"directio", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_FILE_OUTPUT},
    {"directio_alignment", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_FILE_OUTPUT},
    {"read_ahead", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "the system reads ahead"},
    {"open_file_cache", NGINX_EVERYWHERE, .min = 1, .max = 2, .noted = OF_OPEN_FILES},
    {"open_file_cache_valid", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_OPEN_FILES},
    {"open_file_cache_min_uses", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_OPEN_FILES},
    {"open_file_cache_errors", NGINX_EVERYWHERE, .flag = true, .noted = OF_OPEN_FILES},
    {"open_file_cache_events", NGINX_EVERYWHERE, .flag = true, .noted = OF_OPEN_FILES},

    /* Connections. */
    {"tcp_nopush", NGINX_EVERYWHERE, .flag = true, .noted = OF_TCP},
    {"tcp_nodelay", NGINX_EVERYWHERE, .flag = true, .noted = OF_TCP},
    {"send_lowat", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "nginx ignores it on Linux as well"},
    {"msie_padding", NGINX_EVERYWHERE, .flag = true, .noted = "browsers that need it are long gone"},
    {"msie_refresh", NGINX_EVERYWHERE, .flag = true, .noted = "browsers that need it are long gone"},
    {"lingering_close", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "a connection that is closed with bytes unread is drained within a bound first"},
    {"lingering_time", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "a connection that is closed with bytes unread is drained within a bound first"},
    {"lingering_timeout", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "a connection that is closed with bytes unread is drained within a bound first"},
    {"rewrite_log", NGINX_EVERYWHERE | NGINX_SERVER_IF | NGINX_LOCATION_IF, .flag = true, .noted = "`portico explain URL` tells what becomes of a request, rewrites included"},
    {"uninitialized_variable_warn", NGINX_EVERYWHERE | NGINX_SERVER_IF | NGINX_LOCATION_IF, .flag = true, .noted = "a variable that nobody sets is an error when the configuration is read"},

    /* HTTP/2 as it once was. */
    {"http2_recv_buffer_size", NGINX_HTTP, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"http2_pool_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"http2_max_concurrent_pushes", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HTTP2},
    {"http2_max_requests", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HTTP2},
    {"http2_max_field_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HTTP2},
    {"http2_max_header_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HTTP2},
    {"http2_body_preread_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"http2_streams_index_size", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HASHES},
    {"http2_recv_timeout", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HTTP2},
    {"http2_idle_timeout", HTTP_AND_SERVER, .min = 1, .max = 1, .noted = OF_HTTP2},
    {"http2_chunk_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OF_BUFFERS},
    {"http2_push_preload", NGINX_EVERYWHERE, .flag = true, .noted = OF_HTTP2},
    {"http2_push", NGINX_EVERYWHERE, .min = 1, .max = 1, .repeats = true, .noted = OF_HTTP2},
};
static const struct nginx_syntax_table core_table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, core_table);
