/* Posts to a collector in plain HTTP/1.1, one after the other, over a connection that libcurl made: its first request goes by libcurl
 * whole (name, connection, everything that can be wrong with them), which costs as much as the spans of hundreds of requests; those
 * behind it have the same head but for the length, and go from here. What is unusual ends the connection, and libcurl begins anew.
 * Private to observe/otlp_sender. Threading: the exporter's thread, while anything is under way. */
#ifndef OBSERVE_OTLP_QUICK_H
#define OBSERVE_OTLP_QUICK_H

#include "base/arena.h"
#include "base/text.h"
#include "http/message.h"
#include "proto/h1/parse.h"

enum otlp_quick_state {
    QUICK_CLOSED,                     /* there is no connection */
    QUICK_IDLE,
    QUICK_SENDING,
    QUICK_READING,
    QUICK_DONE,                       /* there is an answer: status, fields, body */
    QUICK_BROKEN,                     /* nothing or nothing that can be read came; the connection is gone */
};

struct otlp_quick {
    enum otlp_quick_state state;
    int fd;
    struct text head;                 /* of libcurl's request, without Content-Length and the empty line; empty: of none that fits */
    char length[48];                  /* what is missing there */
    struct str body;                  /* the caller's */
    size_t sent;                      /* of all three */
    struct text in;
    bool closing;                     /* the answer leaves the connection unusable */
    struct arena arena;               /* of `answer` */
    struct response answer;
    struct str answer_body;
};

void otlp_quick_init(struct otlp_quick *quick);
void otlp_quick_release(struct otlp_quick *quick);

/* What libcurl sent, in pieces; the first begins with the method. */
void otlp_quick_note(struct otlp_quick *quick, struct str sent);
/* It was answered, and its connection `fd` (libcurl's; stays so) may be used on. */
void otlp_quick_adopt(struct otlp_quick *quick, int fd);
/* Begins to send; `body` stays until the end. False: there is no connection. */
bool otlp_quick_begin(struct otlp_quick *quick, struct str body);
/* Goes on as far as it goes without waiting. */
void otlp_quick_advance(struct otlp_quick *quick);
/* What it waits for: events of poll(2) on quick->fd. */
short otlp_quick_events(const struct otlp_quick *quick);
/* The answer is used: the next may begin. */
void otlp_quick_end(struct otlp_quick *quick);
/* Gives the connection up, whatever it was at. */
void otlp_quick_close(struct otlp_quick *quick);

#endif
