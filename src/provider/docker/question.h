/* The only requests that a helper makes, each a GET. Pure. */
#ifndef PROVIDER_DOCKER_QUESTION_H
#define PROVIDER_DOCKER_QUESTION_H

#include <stddef.h>

#include "base/str.h"
#include "provider/docker/frame.h"

#define QUESTION_PATH_SIZE 256
/* Versions 1.24 to 1.199 of the API. */
#define QUESTION_API_MINOR_LEAST 24
#define QUESTION_API_MINOR_MOST 199

/* Where an endpoint is: with `socket` the host in `base` is only a name. */
struct endpoint_place {
    char base[1100];             /* "http://engine", "https://10.0.0.1:2376"; no slash at its end */
    char socket[1024];           /* a path, or empty */
    bool tls;
};

/* A container's, whole or its beginning: 12 to 64 hexadecimal digits. Whatever an engine says, nothing else is asked for. */
bool question_id_is_good(struct str id);
/* False: the frame is none of ours, or asks what may not be asked. */
bool question_is_good(const struct question_frame *frame, size_t size);
/* The path and query of a good question; `out` has QUESTION_PATH_SIZE bytes. */
void question_path(const struct question_frame *frame, char *out);
/* Whether its answer goes on for as long as the connection does. */
bool question_is_stream(enum question question);

bool endpoint_is_good(const struct endpoint_frame *frame, size_t size);
/* False: it is no endpoint. */
bool endpoint_place(const struct endpoint_frame *frame, struct endpoint_place *ret_place);

#endif
