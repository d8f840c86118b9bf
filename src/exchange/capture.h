/* A regular expression whose captures become variables: `$1` to `$9` of the visit, and its named groups. One way for locations,
 * site names, rewrites, conditions and maps.
 *
 * Threading: const once made; matching on the worker's thread. Ownership: the graph's. */
#ifndef EXCHANGE_CAPTURE_H
#define EXCHANGE_CAPTURE_H

#include "exchange/compile.h"
#include "route/captures.h"

struct exchange;
struct capture;

/* NULL after an error was reported. Declares the variables of its named groups. */
const struct capture *capture_new(struct compile *compile, struct str pattern, bool ignore_case, struct span span);
/* The expression itself, for whoever only wants to know whether it matches. */
const struct perl_regex *capture_regex(const struct capture *capture);
/* After a match the exchange's captures are this one's; otherwise they stay as they were. */
bool capture_match(const struct capture *capture, struct exchange *x, struct str subject);
/* The same for a match that was made elsewhere: its captures become the exchange's. */
void capture_keep(const struct capture *capture, struct exchange *x, const struct captures *captures);

#endif
