/* Targets, paths and queries (RFC 3986, RFC 9110 4). Pure. */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

/* %XX decoded; false when malformed. Decoded bytes may be anything, NUL included. */
bool uri_decode(struct arena *arena, struct str text, struct str *ret_text);
/* '+' is a space too: for query values. */
bool uri_decode_query(struct arena *arena, struct str text, struct str *ret_text);
/* Encodes what may not stand raw in a path segment sequence ("/" is kept). */
struct str uri_encode_path(struct arena *arena, struct str text);
/* Encodes everything but unreserved characters. */
struct str uri_encode_component(struct arena *arena, struct str text);
/* The same behind what `out` has. */
void uri_add_component(struct text *out, struct str text);

/* Collapses "//", "/./" and "/../" in a raw path, percent-encoded dots included, as Traefik's sanitizePath
 * does ("/foo/bar//" -> "/foo/bar/", "/a/b/.." -> "/a"). The same view when nothing changes; never leaves the
 * root. A path that does not begin with "/" ("*") is left alone. */
struct str uri_sanitize_path(struct arena *arena, struct str path);

/* The path that routers match: percent-decoded, but reserved characters (RFC 3986 2.2, and "%") are kept
 * encoded, their hex in upper case. The same view when nothing changes; data NULL when malformed. */
struct str uri_routing_path(struct arena *arena, struct str path);

/* Walks a query: next key and value, still encoded, separated by '&'; false at the end. A key without "=" has
 * value.data NULL. */
bool uri_next_pair(struct str *rest, struct str *ret_key, struct str *ret_value);

struct uri {
    struct str scheme, authority, path, query;   /* query.data NULL when absent; fragment dropped */
};
/* An absolute http, https or ws URI split up; false when it is none. */
bool uri_split(struct str text, struct uri *ret_uri);

/* "host[:port]" of an authority: host in lower case without a trailing dot (in arena when it changes), the
 * port 0 when absent. A name holds letters, digits, "-", ".", "_" and "~"; brackets hold an IPv6 address or an
 * IPvFuture. False
 * when malformed (user info, empty host, bad brackets, port over 65535, other bytes). */
bool uri_split_authority(struct arena *arena, struct str authority, struct str *ret_host, uint16_t *ret_port);

#endif
