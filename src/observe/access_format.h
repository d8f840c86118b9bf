/* How a line of the access log looks, and which requests get one. Pure; a format is const and shared by all workers. */
#ifndef OBSERVE_ACCESS_FORMAT_H
#define OBSERVE_ACCESS_FORMAT_H

#include "base/text.h"
#include "observe/access_log.h"

struct access_format;

/* Copies what it needs of the configuration. */
struct access_format *access_format_new(const struct access_log_config *config);
void access_format_free(struct access_format *format);
bool access_format_matches(const struct access_format *format, const struct access_log_config *config);
bool access_format_wants(const struct access_format *format, const struct access_record *record);
/* Appends the line with its line end. */
void access_format_line(const struct access_format *format, const struct access_record *record, struct text *out);

#endif
