/* Requests that have ended (observe/recent.h) as JSON. Control thread. */
#ifndef ADMIN_RECENT_SHOW_H
#define ADMIN_RECENT_SHOW_H

#include "base/json.h"
#include "exchange/survey.h"

/* An object of {number, at, method, host, ...}. */
void recent_show(const struct recent_entry *entry, struct json *json);

/* All that a survey brought, each once, the newest first: pointers into the reports, to be freed. */
const struct recent_entry **recent_sorted(const struct survey *survey, bool requests, bool failures, size_t *ret_count);

#endif
