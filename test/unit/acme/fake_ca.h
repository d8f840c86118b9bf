/* A CA with a script: what it answers to which path, and what it was asked. It checks no signatures; a real CA does that in the
 * wire tests. Plain HTTP on a thread of its own, one request for each connection. */
#ifndef FAKE_CA_H
#define FAKE_CA_H

#include <pthread.h>

#include "base/text.h"

struct fake_rule {
    const char *path;
    int times;                  /* how often it holds; 0: always */
    int status;                 /* 0: closes without an answer; -1: never answers */
    const char *headers;        /* lines, each with its CRLF; "$" stands for the CA's URL */
    const char *body;           /* the same */
    int used;
};

struct fake_ca {
    int listener;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    struct fake_rule rules[40];
    size_t rule_count;
    struct text asked;          /* "PATH PAYLOAD\n" for each POST, "PATH\n" for others */
    unsigned nonces;
};

void fake_ca_start(struct fake_ca *ca);
/* Answers for a directory (with ARI and two profiles), nonces, newAccount, an order for a.example with one authorization, and
 * its certificate. Said last, so that what a test says itself goes first. */
void fake_ca_usual(struct fake_ca *ca);
void fake_ca_stop(struct fake_ca *ca);
/* The first rule for a path that still holds is taken. */
void fake_ca_answer(struct fake_ca *ca, const char *path, int times, int status, const char *headers, const char *body);
/* How many requests begin with `line`. */
size_t fake_ca_asked(struct fake_ca *ca, const char *line);

#endif
