// TLS 1.3 on the connections of the load generator: a client that verifies nothing. Every peer gets
// the same offer, one key exchange (X25519) and one cipher (AES-128-GCM), so all do the same
// mathematics, and ALPN names the one protocol that the run speaks.
#ifndef BENCH_LOAD_TLS_H
#define BENCH_LOAD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct connection;

enum tls_progress { TLS_DONE, TLS_AGAIN, TLS_FAILED, TLS_NOT_RESUMED };

// Makes what all connections share. A run of resumed handshakes first makes a full one, outside of
// what is counted, to have a ticket. Ends the process when that fails.
void tls_prepare(void);

// Starts TLS on the connected c->fd. With resumed handshakes it offers the connection's last
// ticket; tls_shake_hands then says so when the server did not take it.
void tls_attach(struct connection *c);
enum tls_progress tls_shake_hands(struct connection *c);

// As recv() and send(), with errno EAGAIN or ECONNRESET.
ssize_t tls_read(struct connection *c, void *buffer, size_t size);
ssize_t tls_write(struct connection *c, const void *bytes, size_t size);

// Whether bytes were read from the socket that tls_read has not given out.
bool tls_has_more(const struct connection *c);

// Frees c->ssl without a word to the server: what follows is close().
void tls_detach(struct connection *c);

#endif
