/* A TLS handshake of a client, from the first byte of its ClientHello to the connection that ALPN names: the name it asks for
 * chooses the options and the certificate; where there is none and the entrypoint allows it, one is got first (on demand).
 *
 * Threading: the worker's. Ownership: the handshake is in its port's list of connections and frees itself. */
#ifndef EXCHANGE_HANDSHAKE_H
#define EXCHANGE_HANDSHAKE_H

#include "net/loop.h"
#include "proto/settings.h"
#include "tls/hello.h"

struct port;

/* For a fresh connection where TLS is to be expected: takes the descriptor over. One that begins with something else goes on as
 * HTTP in the clear. */
void handshake_accept(struct port *port, int fd, const struct client *client);
/* For one that began elsewhere and turned out to be TLS: takes the socket over with what was read. False without memory: the giver still has it. */
bool handshake_start(struct port *port, const struct foreign *foreign);

/* A question to whoever gets certificates on demand (acme/ sets the function): asked by a message to the control thread,
 * answered by one to the worker. The question belongs to the handshake's side again once it was answered; `granted` says that
 * a certificate is in the vault now, `why` (a literal) why not. */
struct on_demand {
    struct message message;
    struct loop *asker;               /* where the answer goes */
    void (*on_answer)(struct on_demand *question);
    void *owner;
    bool granted;
    const char *why;
    char name[HELLO_NAME_MAX + 1];
};
/* On the control thread. It answers exactly once, by on_demand_answer, soon or after the certificate's whole way. */
extern void (*on_demand_get)(struct on_demand *question);
/* The control thread's loop; set with the function. */
extern struct loop *on_demand_loop;
/* Sends the answer home. */
void on_demand_answer(struct on_demand *question, bool granted, const char *why);

#endif
