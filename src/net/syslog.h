/* Messages to a syslog server: datagrams in the form of RFC 3164, to an address of UDP or a Unix socket.
 *
 * A target is const once made but for its descriptor; sending is for any thread and never waits. What cannot be sent is lost. */
#ifndef NET_SYSLOG_H
#define NET_SYSLOG_H

#include "base/text.h"
#include "net/addr.h"

enum syslog_severity { SYSLOG_EMERG, SYSLOG_ALERT, SYSLOG_CRIT, SYSLOG_ERROR, SYSLOG_WARN, SYSLOG_NOTICE, SYSLOG_INFO, SYSLOG_DEBUG };
/* Of facilities and severities, for options. */
extern const struct option_name syslog_facility_names[], syslog_severity_names[];

struct syslog_target {
    struct addr address;
    int facility;
    int severity;                 /* -1: the message's own */
    struct str tag;
    struct str host;              /* empty: it is not said */
};

/* "10.0.0.1", "10.0.0.1:514", "[::1]:514", "localhost", "unix:/dev/log"; the port is 514 where none is said. */
bool syslog_address(struct str text, struct addr *ret_addr);
/* A socket for the target; -1 with errno. */
int syslog_open(const struct syslog_target *target);
/* "<190>Nov 22 10:00:00 host tag: ", what stands before the message. `wall`: Unix time in ns. */
void syslog_begin(const struct syslog_target *target, int severity, int64_t wall, struct text *out);
/* Whole messages, `ends[i]` being where the i-th ends in `bytes`. Gives how many went. */
size_t syslog_send(int fd, struct str bytes, const size_t *ends, size_t count);

#endif
