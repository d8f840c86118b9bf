/* The options of a target: what is wrong with them, and whether two are the same. Private to observe/otlp. */
#ifndef OBSERVE_OTLP_SETTINGS_H
#define OBSERVE_OTLP_SETTINGS_H

#include "observe/otlp.h"

/* False after errors in `diag`. Reads the files that are named. */
bool otlp_settings_check(const struct otlp_settings *settings, struct diag *diag);
/* "https://localhost:4318/v1/traces" and its kin, with the path that an endpoint without one gets. */
void otlp_settings_url(const struct otlp_settings *settings, struct text *out);
const struct peer_tls *otlp_settings_tls(const struct otlp_settings *settings);
const struct strmap *otlp_settings_headers(const struct otlp_settings *settings);       /* NULL: none */

#endif
