/* A record of a request that went well, for tests to change, and the line that a configuration makes of it. */
#ifndef ACCESS_SAMPLE_H
#define ACCESS_SAMPLE_H

#include "config/fixture.h"
#include "observe/access_format.h"

struct sample {
    struct fixture fixture;
    struct client client;
    struct request request;
    struct response response;
    struct access_record record;
    struct access_log_config config;
    struct text text;
};

/* "GET /path?q=1 HTTP/1.1" for site.example:8080, answered by a server with 200 and 12 bytes in 5 ms, at
 * 2026-11-22T10:00:00.000000042Z. The format is common, everything as by default. */
void sample_init(struct sample *sample);
void sample_release(struct sample *sample);
void sample_rules(struct sample *sample, struct strmap *map, const char *name, const char *mode);
void sample_field(struct sample *sample, const char *name, const char *value);
/* Without its line end; until the next call. */
struct str sample_line(struct sample *sample);

#endif
