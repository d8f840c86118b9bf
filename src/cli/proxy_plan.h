/* What `portico proxy` is asked for, and the configuration that follows from it: YAML as a user would write it, which is then
 * read as any other is. */
#ifndef CLI_PROXY_PLAN_H
#define CLI_PROXY_PLAN_H

#include "base/text.h"
#include "base/vec.h"
#include "config/flags.h"

struct proxy_route {
    struct strs names;             /* lower case */
    struct strs targets;           /* URLs of servers */
};

/* Ownership: all in the arena that it was read into. */
struct proxy_plan {
    struct proxy_route *routes;
    size_t route_count;
    uint16_t http_port, https_port;
    bool http_port_given, https_port_given;
    struct str host_header;        /* empty: the client's; "server": the server's own; else this */
    struct str email;
    struct str access_log;         /* empty: standard output */
    bool no_access_log, insecure;
};

extern const struct flag proxy_flags[];

/* NULL, or what is wrong, in `arena`, with what to do about it. */
const char *proxy_plan_read(const struct flags *flags, struct arena *arena, struct proxy_plan *ret_plan);
void proxy_plan_write(const struct proxy_plan *plan, struct text *out);

#endif
