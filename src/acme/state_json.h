/* A resolver's state as JSON, as Traefik writes it (one object per resolver, bytes in base64), with members of our own that
 * Traefik skips: FallbackAccount, Orders, Problems, and in a certificate CA, Unwanted and OnDemand. Pure.
 *
 * Reading is strict where a mistake would lose something: duplicate members, wrong types, what is not base64. It is lenient
 * where files differ in real life: an empty file, null for an empty list or object, no Store, no KeyType, names of members in
 * other letter case (as Go reads them). What is not known is kept and written back. */
#ifndef ACME_STATE_JSON_H
#define ACME_STATE_JSON_H

#include "acme/state.h"
#include "base/text.h"

#define STATE_BYTES_MAX ((size_t)64 << 20)

/* `text`: the whole file. `resolver` empty: the object is the state itself. False, and why in `why`: "le.Certificates[2].key is
 * not base64". The state must be inited, and is released by its owner in either case. */
bool state_parse(struct str text, struct str resolver, struct state *state, struct text *why);
/* `former`: what stands in the file now, whose other resolvers are kept; empty: nothing. False: it cannot be read, which says
 * `why`. */
bool state_format(struct str former, struct str resolver, const struct state *state, struct text *ret_text, struct text *why);

/* meta.json of a certificate that lies in a folder of its own: its object without certificate and key. */
bool state_parse_meta(struct str text, struct state_certificate *certificate, struct text *why);
bool state_format_meta(const struct state_certificate *certificate, struct text *ret_text);

#endif
