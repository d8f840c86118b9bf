/* One collector as libcurl sees it: a POST at a time, and what its outcome means. Private to observe/otlp.
 *
 * Threading: made and freed by anybody while nothing is under way; otherwise the exporter's thread. */
#ifndef OBSERVE_OTLP_SENDER_H
#define OBSERVE_OTLP_SENDER_H

#include "net/curl.h"
#include "observe/otlp.h"

enum otlp_outcome {
    OTLP_SENT,
    OTLP_AGAIN,                       /* not now: the same may go well later */
    OTLP_REFUSED,                     /* the collector will never take this */
};

struct otlp_result {
    enum otlp_outcome outcome;
    char why[512];                    /* for people; empty when all went well */
    const char *hint;                 /* what to do about it; may be NULL */
    int64_t retry_after;              /* ns from now; 0: nothing was said */
    uint64_t rejected;                /* items that it did not take of a request that it took */
};

struct otlp_sender;

struct otlp_sender *otlp_sender_new(const struct otlp_settings *settings);
void otlp_sender_free(struct otlp_sender *sender);
/* Where to, for messages: without user, password and query. */
const char *otlp_sender_shown(const struct otlp_sender *sender);
enum otlp_encoding otlp_sender_encoding(const struct otlp_sender *sender);
/* Makes what goes over the wire of a message (compressed, framed); replaces it in `message`. */
void otlp_sender_frame(const struct otlp_sender *sender, struct text *message);
/* Begins to send; `body` stays until the result. The easy handle that is then in `multi` has `owner` as CURLINFO_PRIVATE. */
void otlp_sender_begin(struct otlp_sender *sender, CURLM *multi, struct str body, int64_t timeout, void *owner);
/* What is not in `multi` is to be moved on whenever something may have happened. True: it has ended with *ret_code; otherwise it may be
 * in `multi` from now on. */
bool otlp_sender_advance(struct otlp_sender *sender, CURLM *multi, void *owner, CURLcode *ret_code);
/* What that waits for, and until when; false: for nothing outside of `multi`. */
bool otlp_sender_waits(const struct otlp_sender *sender, struct curl_waitfd *ret_wait, int64_t *ret_until);
/* It has ended with `code`; takes the handle out of `multi`. */
void otlp_sender_end(struct otlp_sender *sender, CURLM *multi, CURLcode code, struct otlp_result *ret_result);
/* Breaks it off. */
void otlp_sender_abort(struct otlp_sender *sender, CURLM *multi);

#endif
