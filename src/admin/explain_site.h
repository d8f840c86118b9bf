/* What becomes of a request in a site (model/http.h): its entrance, the location that is found and why, and redirects inside, each
 * of which is a step. For `explain`: uses an exchange that never runs, and middlewares that are pure. One thread. */
#ifndef ADMIN_EXPLAIN_SITE_H
#define ADMIN_EXPLAIN_SITE_H

#include "base/text.h"
#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/visit.h"

#define SITE_STEPS_MAX 24
#define EXPLAIN_NOTES_MAX 6

/* What middlewares have to say of a request, in its exchange's arena. */
struct explain_notes {
    struct explain_note {
        const struct middleware *of;
        struct str words;
    } items[EXPLAIN_NOTES_MAX];
    unsigned count;
};

/* One stay: at the entrance, or at a location. */
struct site_step {
    const struct router *router;
    struct str uri;                   /* the path that was looked for */
    bool searched;                    /* by `uri`; else a name led there, or the script of another */
    struct location_reason reason;    /* where it was searched */
    unsigned passed;                  /* middlewares */
    bool left;                        /* it went on elsewhere inside, from the middleware behind those */
    struct explain_notes notes;
};

struct site_way {
    const struct site *site;          /* NULL: no site has the host, or routers with rules took the request */
    struct site_step steps[SITE_STEPS_MAX];
    unsigned count;
};

/* Runs the middlewares of x->router until one stops; gives its verdict and how many were passed. Those that were passed see an answer
 * that was made here then: REROUTE where one of them sends the request on. Notes are added. */
enum verdict explain_pass(struct exchange *x, unsigned *ret_passed, struct explain_notes *notes);
/* Goes on where no rule fits. False: no site takes it; then x->router is NULL. x->failure: it ends with that. */
bool explain_site(struct exchange *x, struct site_way *way);

/* "location ^~ /images/ (nginx.conf:5) won over the regex on line 14": one line without its end. */
void explain_site_words(const struct site_step *step, struct text *out);
/* ["tryFiles: the file ... is there"] */
void explain_notes_json(const struct explain_notes *notes, struct text *out);
/* [{router, location, place, uri, why, notes, passed, left}] */
void explain_site_json(const struct site_way *way, struct text *out);

#endif
