/* Times are int64_t nanoseconds. `monotonic` is for durations and deadlines, `wall` for people.
 * A loop reads both once per turn (struct loop); code on the request path uses those. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/str.h"

#define TIME_US INT64_C(1000)
#define TIME_MS INT64_C(1000000)
#define TIME_S INT64_C(1000000000)
#define TIME_NEVER INT64_MAX

int64_t time_monotonic(void);
int64_t time_wall(void);

/* A Go duration ("300ms", "1.5h", "1h30m", "-1s") or a whole number of seconds; false when it is
 * neither or overflows. */
bool time_parse_duration(struct str text, int64_t *ret_ns);
/* The shortest Go spelling ("1m30s", "1h", "1.5ms", "0s"), which time_parse_duration reads back exactly.
 * Writes at most `size` bytes with the NUL; gives the whole length, as snprintf does. */
#define TIME_DURATION_SIZE 32 /* enough for any */
size_t time_format_duration(int64_t ns, char *out, size_t size);

/* Bytes: "1048576", "1MiB", "64k", "1.5GB" (k, m, g, t and KiB.. are powers of 1024; KB, MB, GB, TB of 1000;
 * case does not matter; a leading '-' is allowed for options where -1 means no limit). */
bool size_parse(struct str text, int64_t *ret_bytes);

#endif
