/* The access log: one line per request, in one of four formats, with Traefik's field names in JSON.
 *
 * Threading: an access_log is shared by all workers; each formats into its own buffer (worker->access) and the buffer is
 * written with one write(2): at the end of the loop's turn if the last write is 10 ms ago, else when it will be; when it is
 * full; or when `bufferingSize` lines are together (then at least once a second). Lines never mix. When the file cannot be written (disk full) lines are counted as lost, the
 * request path goes on, and one message a minute says so. */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "base/status.h"
#include "http/message.h"
#include "model/model.h"
#include "net/client.h"
#include "net/worker.h"

/* What is known of a request at its end; views that live during the call. Times in ns. */
struct access_record {
    const struct client *client;
    const struct request *request;        /* as it was forwarded */
    const struct response *response;
    enum method method;
    struct str method_name, path, query, authority, scheme;       /* as the client sent them */
    struct str client_ip;                 /* text; X-Forwarded-For considered when trusted */
    struct str entrypoint, router, service, server_url, user, request_id;
    struct str trace_id, span_id;         /* 32 and 16 digits (W3C Trace Context); empty: not traced */
    struct str protocol;                  /* "HTTP/1.1" */
    struct str tls_version, tls_cipher;   /* "1.3", "TLS_AES_128_GCM_SHA256"; empty: plain */
    struct str tls_client_subject;        /* of the client's certificate; empty: it showed none */
    int status;                           /* what the client got; 499 when it left before */
    int origin_status;                    /* what the server said; 0: none */
    enum status reason;                   /* OK: all went well */
    const char *reason_detail;
    int64_t began_wall;
    int64_t total, queue, connect, first_byte;    /* first_byte: from the request's being sent to the answer's first byte */
    uint64_t request_bytes, response_bytes, origin_bytes;     /* bodies */
    unsigned attempts;
    uint64_t number;                      /* of the request in this process; each worker takes the next 64 */
};

struct access_log;

/* Opens the log (NULL with errno when the file cannot be opened). One reference; each snapshot that uses it holds one. */
struct access_log *access_log_new(const struct access_log_config *config);
struct access_log *access_log_ref(struct access_log *log);
void access_log_unref(struct access_log *log);
/* Same destination and format: a reload keeps the one that runs. */
bool access_log_matches(const struct access_log *log, const struct access_log_config *config);
/* SIGUSR1. */
bool access_log_reopen(struct access_log *log);
void access_log_write(struct access_log *log, struct worker *worker, const struct access_record *record);
/* Writes what a worker holds back; at its end and each second. */
void access_log_flush(struct worker *worker);
/* Lines that this worker could not write. */
uint64_t access_log_lost(const struct worker *worker);
/* Before worker_release. */
void access_log_worker_release(struct worker *worker);

#endif
