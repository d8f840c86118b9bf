/* The options of `responseHeaders`, and what they are compiled to. Threading: what is compiled is const. */
#ifndef MIDDLEWARE_RESPONSE_HEADERS_H
#define MIDDLEWARE_RESPONSE_HEADERS_H

#include "exchange/middleware.h"
#include "exchange/text_template.h"
#include "http/status_ranges.h"
#include "middleware/expires.h"

/* One field of the response, or of its trailer. */
struct response_field {
    struct str name;
    enum field_id id;
    const struct text_template *value;
    struct status_ranges on_status;
    bool always;                /* whatever the status */
    bool on_customary;          /* neither: for the customary statuses */
    bool replace;               /* in place of what is there; an empty value then removes it */
};

struct response_fields {
    struct response_field *items;
    size_t count;
};

/* Whether this status is one of 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308. */
bool response_status_is_customary(int status);
/* Whether the field is meant for this status. */
bool response_field_is_for(const struct response_field *field, int status);

/* response_trailers.c. The fields that go out behind the body. Their values are found when it has ended. False: no memory. */
bool response_trailers_begin(struct exchange *x, const struct response_fields *fields);

#endif
