/* Parts of all clients: the source's hash says which. The hash is the one that others use for this, so that a client stays in the
 * part that it had elsewhere. */
#include <math.h>

#include "exchange/text_template.h"
#include "exchange/variable_kind.h"

struct split_part {
    const struct node *origin;
    double percent;
    struct str value;
};

struct split_options {
    const struct node *origin;
    struct str source;
    struct objects parts;
};

struct part {
    uint32_t below;               /* hashes less than this, of those that no part before has; 0: all that are left */
    const struct text_template *value;
};

struct split_state {
    const struct text_template *source;
    struct part *parts;
    size_t count;
};

static const struct option part_options[] = {
    OPTION(NUMBER, struct split_part, percent, .fallback = "0", .help = "Its share in per cent, to a hundredth; 0: all that is left."),
    OPTION(STR, struct split_part, value, .help = "The variable's value for this part; a template."),
};
static const struct option_table part_table = OPTION_TABLE(struct split_part, part_options, .summary = "One part.");

static const struct option split_options[] = {
    OPTION(STR, struct split_options, source, .required = true,
           .help = "What tells clients apart, such as ${client.address}; a template. The same text is always in the same part."),
    OPTION(LIST, struct split_options, parts, .table = &part_table, .required = true, .help = "The parts, in this order."),
};
static const struct option_table split_table =
    OPTION_TABLE(struct split_options, split_options, .summary = "Parts of all clients by a hash, for A/B tests.");

#define WHOLE 10000      /* hundredths of a per cent */
#define MIX UINT32_C(0x5bd1e995)

/* MurmurHash2 by Austin Appleby (public domain), seed 0. */
static uint32_t hash_of(struct str text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    uint32_t hash = (uint32_t)text.len;
    size_t left = text.len;
    for (; left >= 4; left -= 4, at += 4) {
        uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        word *= MIX;
        word = (word ^ word >> 24) * MIX;
        hash = hash * MIX ^ word;
    }
    if (left != 0) {
        for (size_t i = 0; i < left; i++)
            hash ^= (uint32_t)at[i] << (8 * i);
        hash *= MIX;
    }
    hash = (hash ^ hash >> 13) * MIX;
    return hash ^ hash >> 15;
}

/* Where the part ends in the space of hashes; each share is rounded by itself. */
static bool add_part(struct split_state *state, const struct split_part *from, long *sum, uint32_t *end, struct compile *compile)
{
    struct part *part = &state->parts[state->count++];
    long share = lround(from->percent * (WHOLE / 100));
    struct span span = node_span(node_get(from->origin, S("percent")));
    part->value = text_template_new(from->value, compile, node_span(node_get(from->origin, S("value"))));
    if (from->percent < 0 || from->percent > 100 || (from->percent > 0 && share == 0)) {
        diag_error(compile->diag, span, "'%g' is no share from 0.01 to 100 per cent", from->percent);
        return false;
    }
    *sum = share != 0 ? *sum + share : WHOLE;
    if (*sum > WHOLE) {
        diag_error(compile->diag, span, "the parts are more than 100 per cent");
        return false;
    }
    if (*sum != WHOLE) {
        *end += (uint32_t)((uint64_t)share * UINT32_MAX / WHOLE);
        part->below = *end;
    }
    return part->value != NULL;
}

static bool compile_split(const void *from, void *to, struct compile *compile)
{
    const struct split_options *options = from;
    struct split_state *state = to;
    long sum = 0;
    uint32_t end = 0;
    bool good = true;
    state->source = text_template_new(options->source, compile, node_span(node_get(options->origin, S("source"))));
    state->parts = arena_array(compile->arena, struct part, options->parts.count);
    for (size_t i = 0; good && i < options->parts.count; i++)
        good = add_part(state, options->parts.items[i].value, &sum, &end, compile);
    return good && state->source != NULL;
}

static struct str get(const void *from, struct exchange *x)
{
    const struct split_state *state = from;
    uint32_t hash = hash_of(text_template_text(state->source, x));
    for (size_t i = 0; i < state->count; i++)
        if (hash < state->parts[i].below || state->parts[i].below == 0)
            return text_template_text(state->parts[i].value, x);
    return S("");
}

static const struct variable_kind split_kind = {
    .choice = {.name = "splitClients", .summary = "Parts of all clients by a hash, for A/B tests.", .table = &split_table},
    .state_size = sizeof(struct split_state),
    .compile = compile_split,
    .get = get,
};
REGISTER(variable_kind, split_kind);
