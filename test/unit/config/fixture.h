/* An arena, a diag and a source for one test. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "base/diag.h"
#include "base/node.h"

struct fixture {
    struct arena arena;
    struct diag diag;
};

void fixture_init(struct fixture *fixture);
void fixture_release(struct fixture *fixture);
struct node *fixture_yaml(struct fixture *fixture, const char *text);
/* The whole diag as people read it; in the arena. */
const char *fixture_rendered(struct fixture *fixture);

#endif
