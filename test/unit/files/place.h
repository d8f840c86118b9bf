/* A temporary folder with a root in it and something outside, and a file service that is asked without a wire. */
#ifndef PLACE_H
#define PLACE_H

#include "config/fixture.h"
#include "exchange/graph.h"
#include "files/site.h"

struct place {
    struct compile compile;          /* first: the vtable finds its way back */
    char path[64];                   /* absolute; "root" lies in it */
    struct fixture fixture;
    struct worker worker;
    struct mime_types types;
    bool types_made;
    struct service service;
    struct router router;
    struct exchange x;
};

/* root/, and secret.txt beside it. */
void place_init(struct place *place);
void place_release(struct place *place);
/* "PATH/name", in the fixture's arena. */
const char *place_at(struct place *place, const char *name);
void place_folder(struct place *place, const char *name);
void place_write(struct place *place, const char *name, const char *content);
void place_link(struct place *place, const char *name, const char *target);
void place_age(struct place *place, const char *name, int64_t seconds, int64_t ns);

/* Compiles the service for root/ with these options ("spa: true"); false when something was reported. */
bool place_serve(struct place *place, const char *options);
/* Begins a request by GET; fields are added afterwards. */
void place_ask(struct place *place, const char *path);
void place_field(struct place *place, enum field_id id, const char *value);
/* Asks the service; gives the status. */
int place_pick(struct place *place);
/* Both, for requests without fields. */
int place_get(struct place *place, const char *path);
/* The body as the source gives it, asked for `step` bytes at a time; fails when it breaks. In the fixture's arena. */
struct str place_body(struct place *place, size_t step);
struct str place_value(struct place *place, enum field_id id);
/* Descriptors that this process has open. */
unsigned place_descriptors(void);

#endif
