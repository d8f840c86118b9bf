/* Perl's expressions by PCRE2: bytes unless the pattern itself begins with (*UTF8) or (*UTF). */
#include "route/captures.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "route/match_memory.h"

struct perl_regex {
    pcre2_code *code;
    bool jit;                 /* machine code that may be called without checks: bytes, no UTF */
    uint32_t groups;
    uint32_t name_count, name_size;
    PCRE2_SPTR names;         /* PCRE2's table: two bytes of number, then the name */
};

#define UTF8_VERB STR("(*UTF8)")

/* PCRE1 called the switch UTF8, and so do nginx's pages. */
static struct str modern_spelling(struct str pattern, struct arena *arena)
{
    static const struct str verb = UTF8_VERB;
    if (!str_starts(pattern, verb))
        return pattern;
    return arena_concat(arena, S("(*UTF)"), str_from_index(pattern, verb.len));
}

static struct str compile_error(int code, struct arena *arena)
{
    char message[256] = "";
    pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof(message));
    return arena_str(arena, str_from(message));
}

static uint32_t info(const pcre2_code *code, uint32_t what)
{
    uint32_t value = 0;
    int failed = pcre2_pattern_info(code, what, &value);
    assert(failed == 0);
    return value;
}

static bool is_utf(const pcre2_code *code)
{
    return (info(code, PCRE2_INFO_ALLOPTIONS) & PCRE2_UTF) != 0;
}

static void look_at(struct perl_regex *regex)
{
    size_t size = 0;
    regex->groups = info(regex->code, PCRE2_INFO_CAPTURECOUNT);
    regex->name_count = info(regex->code, PCRE2_INFO_NAMECOUNT);
    regex->name_size = info(regex->code, PCRE2_INFO_NAMEENTRYSIZE);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &regex->names);
    if (!is_utf(regex->code) && pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0)
        regex->jit = pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
}

/* A named group beyond those that are kept could never be seen. */
static bool names_are_kept(const struct perl_regex *regex, struct arena *arena, struct str *ret_error)
{
    struct str name;
    unsigned group;
    for (unsigned i = 0; perl_regex_name(regex, i, &name, &group); i++) {
        if (group >= CAPTURES_MAX) {
            *ret_error = arena_printf(arena, "the named group '%.*s' is not among the first %d", STR_ARGS(name), CAPTURES_MAX - 1);
            return false;
        }
    }
    return true;
}

struct perl_regex *perl_regex_new(struct str pattern, bool ignore_case, struct arena *arena, struct str *ret_error,
                                  size_t *ret_offset)
{
    struct str text = modern_spelling(pattern, arena);
    int error = 0;
    size_t offset = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(text.data != NULL ? text.data : ""), text.len, ignore_case ? PCRE2_CASELESS : 0,
                                     &error, &offset, NULL);
    *ret_offset = 0;
    if (code == NULL) {
        *ret_error = compile_error(error, arena);
        *ret_offset = offset + pattern.len - text.len;
        return NULL;
    }
    struct perl_regex *regex = memory_zalloc(sizeof(*regex));
    regex->code = code;
    look_at(regex);
    if (names_are_kept(regex, arena, ret_error))
        return regex;
    perl_regex_free(regex);
    return NULL;
}

void perl_regex_free(struct perl_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

static void take_captures(const struct perl_regex *regex, const struct match_memory *memory, struct str subject,
                          struct captures *captures)
{
    const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(memory->data);
    captures->count = regex->groups + 1 < CAPTURES_MAX ? regex->groups + 1 : CAPTURES_MAX;
    for (unsigned i = 0; i < captures->count; i++) {
        size_t start = pairs[2 * i], end = pairs[2 * i + 1];
        /* \K can put a match's start behind its end. */
        captures->groups[i] = start == PCRE2_UNSET ? STR_NONE : str_of(subject.data + start, end > start ? end - start : 0);
    }
}

/* What exceeds the bounds does not match, and what is not UTF-8 not where the pattern asks for it. */
bool perl_regex_match(const struct perl_regex *regex, struct str subject, struct captures *captures)
{
    struct match_memory *memory = match_memory_with(captures != NULL ? regex->groups + 1 : 1);
    if (subject.data == NULL)
        subject.data = "";
    int found = regex->jit ? pcre2_jit_match(regex->code, (PCRE2_SPTR)subject.data, subject.len, 0, 0, memory->data, memory->generous)
                           : pcre2_match(regex->code, (PCRE2_SPTR)subject.data, subject.len, 0, 0, memory->data, memory->generous);
    if (found < 0)
        return false;
    if (captures != NULL)
        take_captures(regex, memory, subject, captures);
    return true;
}

bool perl_regex_name(const struct perl_regex *regex, unsigned index, struct str *ret_name, unsigned *ret_group)
{
    if (index >= regex->name_count)
        return false;
    PCRE2_SPTR entry = regex->names + (size_t)index * regex->name_size;
    *ret_group = (unsigned)entry[0] << 8 | entry[1];
    *ret_name = str_from((const char *)entry + 2);
    return true;
}
