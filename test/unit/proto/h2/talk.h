/* A connection over a pair of sockets: h2_server on one side with a product made of a few lines, nghttp2 as the client on the
 * other. Everything happens in talk_turn, on this thread. */
#ifndef TALK_H2_H
#define TALK_H2_H

#include <nghttp2/nghttp2.h>

#include "proto/h2/server.h"

#define TALK_STREAMS 40

/* What the product knows of one request. */
struct talk_visit {
    struct stream stream;             /* first: one pointer serves both */
    struct arena arena;
    unsigned facts;                   /* all that were reported */
    bool over;                        /* finish was called */
    char memory[16384];
};

/* What the client knows of one stream. */
struct talk_answer {
    char fields[4096];                /* "name: value\n" of each, in their order; blocks divided by "--\n" */
    char body[65536];
    size_t body_bytes;                /* all that came, kept or not */
    bool ended, closed;
    uint32_t code;                    /* of the close */
};

struct talk {
    struct worker worker;
    struct list connections;
    struct server_settings settings;
    struct stream_handler handler;
    struct talk_visit visits[TALK_STREAMS];
    unsigned visit_count, visits_max;
    nghttp2_session *client;
    int fd;
    bool peer_closed;
    struct talk_answer answers[2 * TALK_STREAMS];      /* by stream */
    uint32_t goaway_code;
    int32_t goaway_last;
    unsigned goaways;
    int64_t upload_left;              /* of the request whose body the client makes */
    bool hold_reads;                  /* the client takes nothing off its socket */
};

/* `grant`: the client opens its windows again as it takes. */
void talk_open(struct talk *talk, bool grant);
void talk_close(struct talk *talk);
void talk_turn(struct talk *talk);
/* Asks with these fields ("name\0value\0"... pairs in an array ended by NULL); a body of `upload` bytes unless it is negative. */
int32_t talk_ask(struct talk *talk, const char *const *fields, int64_t upload);
int32_t talk_get(struct talk *talk, const char *path);
/* The product answers: a head, and all of `body`. Gives what flush said. */
enum status talk_answer(struct talk_visit *visit, int status, struct str body);
void talk_finish(struct talk_visit *visit, bool broken);
/* Bytes as the product would read them. */
enum status talk_read(struct talk *talk, struct talk_visit *visit, size_t max, size_t *ret_got);

#endif
