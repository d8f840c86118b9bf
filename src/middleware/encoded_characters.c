/* Refuses paths that hold encoded characters which servers might read in another way than the
 * router did ("%2F" as a separator). Of an entrypoint's policy this is the stricter kin, for
 * single routers. */
#include "exchange/middleware.h"
#include "model/entrypoint.h"

struct encoded_characters_state {
    uint64_t refused[2]; /* a bit for each ASCII character that may not stand encoded */
};

#define ALLOW(member, key, what)                                                                   \
    OPTION_NAMED(BOOL, struct encoded_characters, member, key,                                     \
                 .help =                                                                           \
                     "Let an encoded " what " in the path pass; else such a request gets 400."),
static const struct option encoded_characters_options[] = {ENCODED_CHARACTERS_OPTIONS(ALLOW)};
static const struct option_table encoded_characters_table =
    OPTION_TABLE(struct encoded_characters, encoded_characters_options,
                 .summary = "Which encoded characters a path may hold.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct encoded_characters *options = m->options;
    struct encoded_characters_state *state = m->state;
    const struct {
        bool allowed;
        char character;
    } characters[] = {
        {options->allow_slash, '/'},   {options->allow_backslash, '\\'},
        {options->allow_null, '\0'},   {options->allow_semicolon, ';'},
        {options->allow_percent, '%'}, {options->allow_question_mark, '?'},
        {options->allow_hash, '#'},
    };
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        if (!characters[i].allowed)
            state->refused[characters[i].character >> 6] |= UINT64_C(1)
                                                            << (characters[i].character & 63);
    }
    return true;
}

static bool is_refused(const struct encoded_characters_state *state, struct str path)
{
    for (ptrdiff_t at = str_find_char(path, '%', 0); at >= 0;
         at = str_find_char(path, '%', (size_t)at + 1)) {
        if ((size_t)at + 2 >= path.len)
            return false;
        int high = ascii_hex(path.data[at + 1]), low = ascii_hex(path.data[at + 2]);
        if (high < 0 || high > 7 || low < 0)
            continue;
        int byte = high << 4 | low;
        if ((state->refused[byte >> 6] >> (byte & 63) & 1) != 0)
            return true;
    }
    return false;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    if (!is_refused(m->state, exchange_request(x)->path))
        return VERDICT_NEXT;
    exchange_answer_status(x, status_http(STATUS_BAD_ENCODED_CHARACTER),
                           STATUS_BAD_ENCODED_CHARACTER);
    return VERDICT_ANSWER;
}

static const struct middleware_type encoded_characters = {
    .choice = {.name = "encodedCharacters",
               .summary = "Refuses paths with encoded characters that are not allowed.",
               .table = &encoded_characters_table},
    .state_size = sizeof(struct encoded_characters_state),
    .compile = compile,
    .pure = true,
    .on_request = on_request,
};
REGISTER(middleware_type, encoded_characters);
