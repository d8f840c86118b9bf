// What a run of the load generator does: parsed from the command line once, then read only. The
// request bytes are made here, so that sending one is a pointer and a length.
#ifndef BENCH_LOAD_PLAN_H
#define BENCH_LOAD_PLAN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request_bytes {
    char *bytes;
    size_t length;
};

enum handshake { HANDSHAKE_ONCE, HANDSHAKE_FULL, HANDSHAKE_RESUMED };

struct plan {
    struct sockaddr_in address;
    unsigned connections;
    unsigned in_flight; // how many requests may be under way at a time; 0 = one on each connection
    double seconds; // how long new requests are begun; 0 = until `requests` are done
    uint64_t requests; // how many to complete; 0 = until `seconds` have passed
    double rate; // requests per second over all connections; 0 = as fast as answers come
    unsigned status; // what a right answer has
    unsigned also; // another status that is right, too; 0 = none
    uint64_t size; // the body bytes of a right answer
    bool any_size; // or they are not looked at, and the body may come in chunks
    const char *accept; // the Accept-Encoding field; NULL = none
    const char *encoding; // the Content-Encoding that a right answer has; NULL = not looked at
    const char *path;
    const char *host; // the Host field, unless `hosts` says otherwise
    size_t post; // body bytes of a request; 0 = GET
    bool close_each; // a new connection for every request
    bool hold; // one request on each connection, then keep all open until standard input ends
    size_t websocket; // payload of an echoed frame in bytes; 0 = plain HTTP
    unsigned streams; // HTTP/2 with so many streams on each connection; 0 = HTTP/1.1
    bool tls; // TLS 1.3
    const char *sni; // the name that TLS asks for
    enum handshake handshake; // other than once: implies close_each
    unsigned hosts; // how many different Host fields, h0.test to hN.test; at least 1
    const char **names; // ... and these are they
    struct request_bytes *variants; // one for each host; for a WebSocket the one upgrade request
    struct request_bytes frame; // a masked frame, and
    struct request_bytes echo; // the same as the server must send it back
};

// The run's plan. Written by plan_parse alone.
extern struct plan plan;

// Fills `plan` from the arguments. On a mistake it says so on standard error and ends the process
// with status 2.
void plan_parse(int argc, char **argv);

#endif
