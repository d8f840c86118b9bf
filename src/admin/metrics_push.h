/* Metrics that are pushed to an OpenTelemetry collector (metrics.otlp), in regular intervals and once more at the end.
 * Threading: the control thread. */
#ifndef ADMIN_METRICS_PUSH_H
#define ADMIN_METRICS_PUSH_H

#include "base/diag.h"
#include "model/model.h"

/* Before a model is taken: can its collector be spoken to (files of `tls`, header fields)? False: errors were added. */
bool metrics_push_check(const struct model *model, struct diag *diag);

#endif
