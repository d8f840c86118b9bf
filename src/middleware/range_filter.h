/* A body filter that lets stretches of a body pass, each behind a text of its own, and drops the rest. */
#ifndef MIDDLEWARE_RANGE_FILTER_H
#define MIDDLEWARE_RANGE_FILTER_H

#include "base/arena.h"
#include "exchange/filter.h"
#include "http/stream.h"

/* The stretches live as long as the filter. NULL: they are not in the body's order, or there is no memory. */
struct filter *range_filter_new(struct arena *arena, struct body_stretch *stretches, unsigned count);

#endif
