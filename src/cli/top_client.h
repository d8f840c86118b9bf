/* The API of a running Portico as `portico top` asks it: one live stream, and requests beside it, on one libcurl multi handle.
 * One thread; nothing here blocks but top_client_wait. */
#ifndef CLI_TOP_CLIENT_H
#define CLI_TOP_CLIENT_H

#include <jansson.h>

#include "base/text.h"
#include "net/curl.h"

struct top_client;

struct top_client_settings {
    const char *url;              /* "http://127.0.0.1:8080", with what stands in front of /api */
    const char *user;             /* "name:password", or NULL */
    const char *ca;               /* PEM file, or NULL: the system's */
    bool insecure;
};
struct top_client_handler {
    void *owner;
    void (*on_event)(void *owner, struct str event, json_t *body);
    /* The answer to top_client_ask; `body` NULL: none that is JSON. `problem` NULL when all went well. */
    void (*on_answer)(void *owner, int tag, json_t *body, const char *problem);
    /* The stream ended or never came: why. It is tried again each second. */
    void (*on_lost)(void *owner, const char *problem);
};

/* NULL: libcurl gives no handle. */
struct top_client *top_client_new(const struct top_client_settings *settings, const struct top_client_handler *handler);
void top_client_free(struct top_client *client);
/* GET below /api/portico/, or POST when there is a body (taken over). One at a time for each tag: asking again meanwhile does
 * nothing. */
void top_client_ask(struct top_client *client, int tag, const char *path, json_t *body);
/* Waits for the network, for `fd` (-1: none) to be readable, or for `milliseconds`; calls the handler. True: `fd` is readable. */
bool top_client_wait(struct top_client *client, int fd, int milliseconds);
/* "http%3A%2F%2F10.0.0.1": for a path; freed with curl_free. */
char *top_client_escape(const struct top_client *client, const char *text);

#endif
