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
    bool plain;                   /* words: text/plain; charset=utf-8 */
    bool styled;                  /* HTML with a style of its own */
};

/* The answer with this status; x->failure says why. */
struct error_page error_page_make(struct exchange *x, int status);

/* What they look like for this request: enum error_pages, but INHERIT. */
int error_page_style(const struct exchange *x);

/* error_classic.c: answers as nginx's users, clients and tests know them. */
/* The status that stands for this failure there: 494 and 497 where 400 goes out, 502 for no ready server. */
int error_classic_status(enum status failure, int status);
/* What goes out for 494 to 497, which only error pages tell apart. */
int error_classic_sent(int status);
/* "Request Entity Too Large": nginx's words where they differ from RFC 9110's. */
struct str error_classic_reason(int status);
/* The page; its body is empty where such statuses get none. */
struct error_page error_classic_page(struct exchange *x, int status);
/* The connection is closed behind such an answer: what else came on it is not to be believed, or not worth reading. */
bool error_classic_closes(int status);

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
