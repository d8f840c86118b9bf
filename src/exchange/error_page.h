/* How an answer of our own looks: a small page for browsers, JSON for programs that ask for it, else the plain words that Traefik
 * uses. The simple page names nothing of what is behind; the detailed one (errorPages: detailed) says why and what to do, and is
 * for clients on this machine alone: their request came straight from a loopback address, and nobody forwarded it.
 *
 * Threading: the worker's. Everything lies in the exchange's arena. */
#ifndef EXCHANGE_ERROR_PAGE_H
#define EXCHANGE_ERROR_PAGE_H

#include "exchange/exchange.h"

struct error_page {
    struct str type, body;
    bool styled;                  /* HTML with a style of its own */
};

/* The answer with this status; x->failure says why. */
struct error_page error_page_make(struct exchange *x, int status);

/* error_detail.c. Whether this client may see the inside. */
bool error_detail_is_for(const struct exchange *x);
/* What is known of the request and its way, as pairs that are shown in this order; texts in the arena. */
struct error_fact {
    const char *name;
    struct str value;
    bool advice;                  /* what to do, not what was */
};
#define ERROR_FACTS_MAX 40
unsigned error_detail(struct exchange *x, struct error_fact facts[ERROR_FACTS_MAX]);

#endif
