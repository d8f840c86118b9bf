/* The other end of a connection to a server: nghttp2 as that server, over a socket pair. A test says what it answers. */
#ifndef SERVER_SIDE_H
#define SERVER_SIDE_H

#include <nghttp2/nghttp2.h>

#include "proto/h2/client.h"

/* What the server side saw of a request, and what the client side saw of its response. */
struct seen {
    int32_t id;
    char head[2048];                /* "name: value\n"... */
    char body[256];                 /* its beginning */
    size_t body_bytes;
    bool ended;
    uint32_t reset;                 /* the code; UINT32_MAX: none */
};

#define SEEN_MAX 16

struct server_side {
    struct worker worker;
    nghttp2_session *session;
    int fd;
    struct seen seen[SEEN_MAX];     /* in the order of the requests */
    unsigned count;
    const char *body;               /* of the answer under way */
    size_t body_left;
    unsigned pings;
    bool goaway;
    struct h2_client *client;       /* NULL once it has closed */
    unsigned changes, closes;
};

struct caller {
    struct upstream_stream stream;
    struct arena arena;
    struct chunkq body;
    unsigned facts;                 /* all that were reported */
    unsigned informs;
    enum status end;                /* of the body: AGAIN while it goes on */
};

/* With the server's settings; `settings` NULL: those of the library. */
void server_side_open(struct server_side *side, const nghttp2_settings_entry *settings, size_t count,
                      const struct h2_client_settings *client);
void server_side_close(struct server_side *side);
/* Both sides take turns until nothing moves any more. */
void server_side_run(struct server_side *side);
/* Sends a head and `length` bytes of 'x' as body. */
void server_side_answer(struct server_side *side, unsigned index, const char *status, size_t length);
void server_side_raw(struct server_side *side, const void *bytes, size_t length);

void caller_open(struct server_side *side, struct caller *caller);
/* Its head: `extra` is a field's name and value, or NULL. */
enum status caller_ask(struct caller *caller, const char *method, const char *path, const char *name, const char *value,
                       int64_t length);
/* Reads what has come. */
void caller_read(struct caller *caller);
void caller_release(struct caller *caller, bool reusable);

#endif
