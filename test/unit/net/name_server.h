/* A name server of our own on the loop of a test, over UDP and TCP, that answers what the test says, and misbehaves when it is told. */
#ifndef NAME_SERVER_H
#define NAME_SERVER_H

#include "net/loop.h"

#define NAME_SERVER_CONNECTIONS 4

enum { RECORD_A = 1, RECORD_TXT = 16, RECORD_AAAA = 28, RECORD_SRV = 33 };

struct name_record {
    const char *name;          /* NULL: of any */
    unsigned type, ttl;        /* s */
    const char *text;          /* an address, the target of SRV; TXT: as on the wire */
    unsigned priority, weight, port;
};

struct name_server {
    /* The test's, at any time. */
    const struct name_record *records;
    unsigned record_count;
    bool truncates;            /* over UDP says only "ask by TCP" */
    bool silent;
    bool fails;                /* SERVFAIL for all */
    bool unknown;              /* NXDOMAIN for all; else for names that have no record */
    bool mangles;              /* says that there is one record more */
    int asked_udp, asked_tcp;

    char address[32];          /* "127.0.0.1:5353" */
    struct loop *loop;
    struct watch udp, tcp, connections[NAME_SERVER_CONNECTIONS];
    int connection_count;
};

#define SERVES(server, items) ((server)->records = (items), (server)->record_count = sizeof(items) / sizeof((items)[0]))

void name_server_start(struct name_server *server, struct loop *loop);
/* Before the loop is released. */
void name_server_stop(struct name_server *server);
/* Whatever waits for a time on the loop waits no longer. */
void loop_hurry(struct loop *loop);

#endif
