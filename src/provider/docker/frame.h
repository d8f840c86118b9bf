/* What the front process and its helper say to each other: packets over a socketpair (SOCK_SEQPACKET), one frame each.
 *
 * The front first names the endpoint, once; after that it can only ask the questions below, by number. It never sends a method, a
 * path or a query: those are the helper's own (question.h), so whoever gets hold of the front process can read what an engine says of
 * its containers and nothing else.
 *
 *     front                          helper
 *     struct endpoint_frame   ->
 *     struct question_frame   ->
 *                             <-     ANSWER_BEGIN  the engine's HTTP status
 *                             <-     ANSWER_DATA   bytes of its answer, as often as needed
 *                             <-     ANSWER_END    how it went
 *
 * Both sides are the same binary on the same machine: the bytes are the structs. The helper believes no frame unchecked. */
#ifndef PROVIDER_DOCKER_FRAME_H
#define PROVIDER_DOCKER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_DATA_MAX 16384                       /* bytes of an answer in one frame: what libcurl gives at once */
#define ANSWER_BYTES_MAX (INT64_C(64) << 20)       /* of a whole answer; streams have no end */
#define QUESTIONS_MAX 32                           /* under way at once */
#define CONTAINER_ID_SIZE 65

enum frame_kind { FRAME_ENDPOINT = 1, FRAME_QUESTION, FRAME_CANCEL };

struct endpoint_frame {
    uint32_t kind;
    uint32_t tls;                                  /* tcp:// is spoken over TLS */
    uint32_t skip_verify;
    uint32_t timeout_ms;                           /* for a whole answer; 0: the house's own */
    char url[1024];                                /* as it was configured: unix:///path, tcp://host:port, https://... */
    char ca[1024], cert[1024], key[1024];          /* files; empty: none */
    char username[256], password[256];
};

enum question {
    QUESTION_VERSION,
    QUESTION_CONTAINERS,                           /* the list of all, those that do not run too */
    QUESTION_CONTAINER,                            /* one, by its id */
    QUESTION_EVENTS,                               /* of containers and networks, as they happen */
    QUESTION_SERVICES,
    QUESTION_TASKS,                                /* those that are to run */
    QUESTION_SWARM_EVENTS,                         /* of services and of this node's containers */
    QUESTION_KINDS
};

struct question_frame {
    uint32_t kind;                                 /* FRAME_QUESTION, FRAME_CANCEL (number alone counts) */
    uint32_t number;                               /* the front's, not in use */
    uint32_t question;
    uint32_t api_minor;                            /* of "v1.41" */
    char id[CONTAINER_ID_SIZE];                    /* of QUESTION_CONTAINER */
};

enum answer_kind { ANSWER_BEGIN = 1, ANSWER_DATA, ANSWER_END };

/* Why there is no whole answer; the engine's own "no" is an answer. */
enum answer_failure {
    FAILURE_NONE,
    FAILURE_CONNECT,                               /* `error` is errno, or 0 */
    FAILURE_NAME,                                  /* the host's name is not known */
    FAILURE_TLS,
    FAILURE_TIMEOUT,
    FAILURE_CUT,                                   /* the connection ended in the middle */
    FAILURE_TOO_LONG,
    FAILURE_REFUSED,                               /* the helper does not ask that */
    FAILURE_HELPER,                                /* the helper itself ended; said by the front */
    FAILURE_OTHER
};

struct answer_frame {
    uint32_t number;
    uint32_t kind;
    uint32_t status;                               /* BEGIN, END: the engine's HTTP status; 0: none came */
    uint32_t failure;                              /* END */
    int32_t error;                                 /* END: errno of FAILURE_CONNECT */
};

#endif
