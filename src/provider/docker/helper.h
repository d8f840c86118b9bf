/* The helper process: the only one that opens an engine's socket. It is this binary, started again by the front process
 * (provider/docker/engine.h) as "portico: engine", one for each engine.
 *
 * It takes frames (frame.h) from the front, makes the GET requests of question.c, and hands the answers back as bytes: it parses no
 * JSON, knows no labels, keeps no state. What it is told before anything else, and once, is its endpoint: a front that was taken over
 * cannot point it elsewhere. Files of TLS are read before root is given up (rights.h).
 *
 * Memory is bounded: QUESTIONS_MAX transfers, each with one piece on its way; when the front does not read, transfers pause. */
#ifndef PROVIDER_DOCKER_HELPER_H
#define PROVIDER_DOCKER_HELPER_H

#include <stdbool.h>

#define HELPER_FD 3              /* the front's end of the line */

/* Whether somebody who would talk to a helper stands behind the descriptor. */
bool helper_is_expected(int fd);
/* Until the front is gone; then the process ends. */
void helper_run(int fd) __attribute__((noreturn));

#endif
