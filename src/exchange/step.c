#include "exchange/step.h"

#include "base/str.h"

#define EDGE(step) (1U << STEP_##step)
const unsigned step_followers[STEP_COUNT] = {
#define X(name, text, next) [STEP_##name] = next,
    STEP_TABLE(X)
#undef X
};

static const char *const texts[STEP_COUNT] = {
#define X(name, text, next) [STEP_##name] = text,
    STEP_TABLE(X)
#undef X
};

/* The names of the enum, in lower case from before main on. */
static char names[STEP_COUNT][16] = {
#define X(name, text, next) [STEP_##name] = #name,
    STEP_TABLE(X)
#undef X
};

__attribute__((constructor)) static void lower_names(void)
{
    for (size_t i = 0; i < STEP_COUNT; i++)
        for (char *c = names[i]; *c != '\0'; c++)
            *c = ascii_lower(*c);
}

const char *step_name(enum step step)
{
    return step < STEP_COUNT ? names[step] : "wait";
}

const char *step_text(enum step step)
{
    return step < STEP_COUNT ? texts[step] : "";
}
