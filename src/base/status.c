/* Owns the tables behind enum status, all made from STATUS_TABLE. */
#include "base/status.h"

#include <assert.h>
#include <stddef.h>

#include "base/str.h"

#define REASON_SIZE 32

#define X(name, http, text)                                                                        \
    _Static_assert(sizeof(#name) <= REASON_SIZE, "the reason of " #name " is too long");
STATUS_TABLE(X)
#undef X

/* The names of the enum, in lower case from before main on. */
static char reasons[STATUS_COUNT][REASON_SIZE] = {
#define X(name, http, text) #name,
    STATUS_TABLE(X)
#undef X
};

static const char *const texts[STATUS_COUNT] = {
#define X(name, http, text) text,
    STATUS_TABLE(X)
#undef X
};

static const short https[STATUS_COUNT] = {
#define X(name, http, text) http,
    STATUS_TABLE(X)
#undef X
};

__attribute__((constructor)) static void lower_reasons(void)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        for (char *c = reasons[i]; *c != '\0'; c++)
            *c = ascii_lower(*c);
    }
}

const char *status_reason(enum status status)
{
    assert((size_t)status < STATUS_COUNT);
    return reasons[status];
}

const char *status_text(enum status status)
{
    assert((size_t)status < STATUS_COUNT);
    return texts[status];
}

int status_http(enum status status)
{
    assert((size_t)status < STATUS_COUNT);
    return https[status];
}
