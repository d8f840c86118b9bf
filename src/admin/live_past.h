/* A meter's sum in as few bytes as what is in it takes: of its buckets those from the first to the last that hold something. Thousands
 * of routers have one each. Control thread; whoever packs one frees it. */
#ifndef ADMIN_LIVE_PAST_H
#define ADMIN_LIVE_PAST_H

#include "base/meter.h"

struct live_past;

/* In the place of `former` (NULL: there is none), which may be freed. */
struct live_past *live_past_pack(struct live_past *former, const struct meter_sum *sum);
/* NULL: nothing. */
uint64_t live_past_count(const struct live_past *past);
void live_past_unpack(const struct live_past *past, struct meter_sum *ret_sum);

#endif
