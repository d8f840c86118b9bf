/* Records of TLS 1.3 behind a handshake (RFC 8446 5): the keys of a direction, sealing, opening. The library shakes hands and
 * has the ciphers; what it keeps for a connection (14 KB) is then let go, and this is what goes on: 0.3 KB.
 *
 * Pure: bytes in, bytes out. Threading: an engine is one worker's. Ownership: keys are embedded in a connection, and wiped by
 * record_keys_wipe. */
#ifndef TLS_RECORD_H
#define TLS_RECORD_H

#include <openssl/evp.h>

#include "base/str.h"
#include "tls/hkdf.h"

#define RECORD_BYTES ((size_t)16384)          /* of plain text in one record (5.1) */
#define RECORD_HEADER ((size_t)5)
#define RECORD_TAG ((size_t)16)
#define RECORD_EXTRA (RECORD_HEADER + 1 + RECORD_TAG)           /* what sealing adds */
#define RECORD_WIRE_MAX (RECORD_HEADER + RECORD_BYTES + 256)    /* the longest that a peer may send (5.2) */
#define RECORD_SECRET_MAX HKDF_BYTES_MAX
/* A key is replaced before AES-GCM's bounds wear thin (5.5: 2^24.5 full records). */
#define RECORD_SEQUENCE_MAX (UINT64_C(1) << 24)

enum record_type { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };
enum record_alert {
    ALERT_CLOSE_NOTIFY = 0,
    ALERT_UNEXPECTED_MESSAGE = 10,
    ALERT_BAD_RECORD_MAC = 20,
    ALERT_RECORD_OVERFLOW = 22,
    ALERT_ILLEGAL_PARAMETER = 47,
    ALERT_DECODE_ERROR = 50,
    ALERT_INTERNAL_ERROR = 80,
    ALERT_USER_CANCELED = 90
};

enum record_suite { RECORD_AES_128_GCM, RECORD_AES_256_GCM, RECORD_CHACHA20_POLY1305, RECORD_SUITES };

struct record_keys {
    uint64_t sequence;
    uint64_t id;                    /* of these keys in their engine, which remembers the last that it used */
    uint8_t secret[RECORD_SECRET_MAX];
    uint8_t key[32], iv[12];
    uint8_t suite;                  /* enum record_suite */
};

/* A worker's cipher contexts, shared by all of its connections. */
struct record_engine {
    EVP_CIPHER_CTX *seal[RECORD_SUITES], *open[RECORD_SUITES];
    struct hkdf hkdf;
    uint64_t sealing[RECORD_SUITES], opening[RECORD_SUITES];    /* whose keys the contexts hold */
    uint64_t last_id;
};

/* False: the library could not; nothing is held then. */
bool record_engine_init(struct record_engine *engine);
void record_engine_release(struct record_engine *engine);

/* By the IANA's number of the suite; false: not one of these. */
bool record_suite_of(unsigned number, enum record_suite *ret_suite);
unsigned record_suite_number(enum record_suite suite);
const char *record_suite_name(enum record_suite suite);
size_t record_secret_size(enum record_suite suite);

/* Keys of an application traffic secret (7.3), from record number `sequence` on. False: the library could not. */
bool record_keys_init(struct record_keys *keys, struct record_engine *engine, enum record_suite suite,
                      const uint8_t *secret, uint64_t sequence);
/* The next generation (7.2). */
bool record_keys_update(struct record_keys *keys, struct record_engine *engine);
void record_keys_wipe(struct record_keys *keys);

/* One record of at most RECORD_BYTES into `out`, which holds RECORD_EXTRA more. Gives its length; 0: the library could not. */
size_t record_seal(struct record_engine *engine, struct record_keys *keys, enum record_type type, struct str plain, char *out);
/* Length of the record that begins `bytes`; 0: its header is not there yet. SIZE_MAX: it is none that may come (5.2). */
size_t record_length(struct str bytes);
/* Opens a whole record into `out` (its own place will do), which holds its length less RECORD_HEADER and RECORD_TAG. False:
 * *ret_alert says what is wrong. */
bool record_open(struct record_engine *engine, struct record_keys *keys, struct str record, char *out,
                 enum record_type *ret_type, size_t *ret_len, enum record_alert *ret_alert);

#endif
