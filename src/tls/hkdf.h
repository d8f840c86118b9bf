/* HKDF (RFC 5869) as TLS 1.3 uses it (RFC 8446 7.1), for output of one hash's length at most. The library's own takes some
 * twenty times the instructions of the hashing, for parameters, fetches and allocations; a handshake derives two dozen keys.
 *
 * Threading: a struct is one worker's. Errors: false, the library could not. */
#ifndef TLS_HKDF_H
#define TLS_HKDF_H

#include <openssl/evp.h>

#include "base/str.h"

#define HKDF_BYTES_MAX 48
#define HKDF_LABEL_MAX 249     /* and "tls13 " */

enum hkdf_hash { HKDF_SHA256, HKDF_SHA384, HKDF_HASHES };

struct hkdf {
    EVP_MD_CTX *hashing[HKDF_HASHES];
    EVP_MD *hash[HKDF_HASHES];
    uint8_t of_nothing[HKDF_HASHES][HKDF_BYTES_MAX];    /* the hash of an empty text */
};

/* False: nothing is held then. */
bool hkdf_init(struct hkdf *hkdf);
void hkdf_release(struct hkdf *hkdf);

size_t hkdf_size(enum hkdf_hash hash);
/* HKDF-Extract; writes hkdf_size bytes. `salt` is no longer than that. */
bool hkdf_extract(struct hkdf *hkdf, enum hkdf_hash hash, struct str salt, struct str secret, uint8_t *out);
/* HKDF-Expand-Label; `size` <= hkdf_size, `label` without "tls13 " and at most HKDF_LABEL_MAX, `context` at most 255. */
bool hkdf_expand_label(struct hkdf *hkdf, enum hkdf_hash hash, struct str secret, struct str label, struct str context,
                       uint8_t *out, size_t size);
/* Derive-Secret(secret, "derived", "") and the Extract behind it: a secret of the schedule's next stage. An empty `former`
 * begins the schedule; an empty `secret` stands for zeros. */
bool hkdf_next_stage(struct hkdf *hkdf, enum hkdf_hash hash, struct str former, struct str secret, uint8_t *out);

#endif
