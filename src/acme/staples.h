/* OCSP responses for our own certificates, got from responders when a handshake wants one (tls/stapling.h). Control thread. */
#ifndef ACME_STAPLES_H
#define ACME_STAPLES_H

#include "net/loop.h"

void staples_start(struct loop *loop);
/* What is under way ends without an answer. */
void staples_stop(void);

#endif
