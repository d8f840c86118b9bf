/* What is asked of an explanation (admin/explain_way.h): a URL, and where the request arrives. Pure. */
#ifndef ADMIN_EXPLAIN_QUESTION_H
#define ADMIN_EXPLAIN_QUESTION_H

#include "admin/explain_way.h"

#define EXPLAIN_NOTE_SIZE 96

struct explain_question {
    struct way_request request;
    struct str entry;                 /* its name; empty: by the port */
    uint16_t port;
};

/* Fills target, authority, tls and port from "https://a.example/path", "a.example/path" or "/path". False: it is no URL. */
bool explain_question_url(struct explain_question *question, struct str text, struct arena *arena);
/* The entrypoint that was named; else the one with the URL's port; else the first that is meant for visitors, and `note` says so.
 * NULL: there is none, and *ret_meant is a name that is like the one given, or empty. */
struct entry *explain_question_entry(const struct explain_question *question, const struct graph *graph,
                                     char note[EXPLAIN_NOTE_SIZE], struct str *ret_meant);

#endif
