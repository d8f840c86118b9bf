/* One reading of a path: what equivalent spellings of a request are turned into before anything
 * looks at it, and which encoded characters an entrypoint refuses.
 *
 * In this order: escapes of unreserved characters are decoded and other escapes written in upper
 * case (RFC 3986 6.2.2), refused encoded characters end the request, "//", "/./" and "/../" are
 * collapsed (sanitizePath), ";" in the query becomes "&" or "%3B". A path without "%", "//" and
 * "/." costs one scan and nothing else. Threading: a normalizer is const once initialised. */
#ifndef ROUTE_NORMALIZE_H
#define ROUTE_NORMALIZE_H

#include "base/status.h"
#include "http/message.h"
#include "model/entrypoint.h"

/* Which of %2F %5C %00 %3B %25 %3F %23 are refused. */
struct encoded_policy {
    bool denied[128];
    bool any;
};

void encoded_policy_init(struct encoded_policy *policy, const struct encoded_characters *allowed);
/* OK, BAD_ENCODED_CHARACTER, or BAD_TARGET when an escape is malformed. */
enum status encoded_policy_check(const struct encoded_policy *policy, struct str path);

struct normalizer {
    struct encoded_policy encoded;
    bool sanitize_path, encode_query_semicolons, keep_query_semicolons;
};

void normalizer_init(struct normalizer *normalizer, const struct entrypoint_http *settings);
/* Rewrites request->path and ->query (in `arena` when they change) and gives the path that routers
 * match. OK, BAD_ENCODED_CHARACTER, BAD_TARGET, OUT_OF_MEMORY. "*" and empty paths are left alone.
 */
enum status normalize(const struct normalizer *normalizer, struct request *request,
                      struct arena *arena, struct str *ret_routing_path);

#endif
