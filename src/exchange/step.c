#include "exchange/step.h"

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

static const char *const names[STEP_COUNT] = {
#define X(name, text, next) [STEP_##name] = #name,
    STEP_TABLE(X)
#undef X
};

const char *step_name(enum step step)
{
    return step < STEP_COUNT ? names[step] : "WAIT";
}

const char *step_text(enum step step)
{
    return step < STEP_COUNT ? texts[step] : "";
}
