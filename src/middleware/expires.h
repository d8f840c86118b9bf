/* How long a response may be kept, as nginx's users write it: "30d", "-1", "modified 24h", "@15h30m", "epoch", "max", "off".
 * Pure: no clock is read. Units: seconds. */
#ifndef MIDDLEWARE_EXPIRES_H
#define MIDDLEWARE_EXPIRES_H

#include "base/str.h"

enum expires_kind {
    EXPIRES_OFF,
    EXPIRES_EPOCH,              /* it was stale from the beginning */
    EXPIRES_MAX,                /* ten years */
    EXPIRES_ACCESS,             /* so long after now */
    EXPIRES_MODIFIED,           /* so long after Last-Modified */
    EXPIRES_DAILY,              /* at a time of the day, local time */
};

struct expires {
    enum expires_kind kind;
    int64_t seconds;            /* negative: it must not be kept */
};

/* `modified` is given where the text stands behind that word: only a time may follow. NULL when good, else what is wrong with it. */
const char *expires_parse(struct str text, bool modified, struct expires *ret_expires);
/* Takes the word "modified" off. */
bool expires_is_modified(struct str *text);

/* The date that Expires gets (Unix time) and the seconds of max-age, negative for "no-cache". `modified`: of Last-Modified, negative
 * where there is none. Not for OFF. */
void expires_when(const struct expires *expires, int64_t now, int64_t modified, int64_t *ret_date, int64_t *ret_max_age);

#endif
