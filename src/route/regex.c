/* Owns compiled patterns. Refuses to run without bounds.
 *
 * Go matches characters, PCRE2 without UTF mode bytes. For ASCII subjects (nearly all) both are the
 * same, so `narrow` (bytes, fastest) serves. A subject with other bytes is matched by `wide` when
 * it makes a difference; wide is compiled when first needed, unless the pattern itself goes beyond
 * ASCII. A subject that is not UTF-8 is matched as bytes, and never by a pattern that goes beyond
 * ASCII. (PCRE2_MATCH_INVALID_UTF would serve for both, but the JIT of 10.42 then misses what \W,
 * \D and \S match.) */
#include "route/regex.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/swar.h"
#include "base/utf8.h"
#include "route/match_memory.h"
#include "route/regex_syntax.h"

struct regex {
    pcre2_code *narrow;         /* NULL: the pattern needs UTF */
    _Atomic(pcre2_code *) wide; /* NULL: not compiled yet */
    atomic_bool wide_failed;    /* it did not compile: narrow has to do */
    bool sees_characters;
    bool narrow_jit; /* narrow has machine code */
    uint32_t groups;
    struct str *names;  /* of groups 1..groups, in `text` */
    struct str pattern; /* for PCRE2 */
    char *text;         /* the pattern as it came, then `pattern` */
};

static pcre2_code *compile(struct str pattern, bool utf, int *ret_error)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    assert(context != NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, REGEX_DEPTH_MAX + 8);
    uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_CIRCUMFLEX |
                       PCRE2_NEVER_UCP | (utf ? PCRE2_UTF : PCRE2_NEVER_UTF);
    size_t offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.data != NULL ? pattern.data : ""),
                                     pattern.len, options, ret_error, &offset, context);
    pcre2_compile_context_free(context);
    if (code != NULL)
        (void)pcre2_jit_compile(code,
                                PCRE2_JIT_COMPLETE); /* where it cannot, the interpreter serves */
    return code;
}

static bool has_machine_code(const pcre2_code *code)
{
    size_t size = 0;
    return pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
}

/* Copies what outlives the reading: both spellings of the pattern and the names' views into the
 * first. */
static struct regex *keep(const struct regex_syntax *syntax, struct str pattern)
{
    struct regex *regex = memory_zalloc(sizeof(*regex));
    size_t count = syntax->groups.count;
    regex->text = memory_alloc(pattern.len + syntax->pcre.len + 1);
    if (pattern.len > 0)
        memcpy(regex->text, pattern.data, pattern.len);
    if (syntax->pcre.len > 0)
        memcpy(regex->text + pattern.len, syntax->pcre.data, syntax->pcre.len);
    regex->pattern = str_of(regex->text + pattern.len, syntax->pcre.len);
    regex->sees_characters = syntax->sees_characters;
    regex->groups = (uint32_t)count;
    regex->names = memory_alloc((count + 1) * sizeof(regex->names[0]));
    for (size_t i = 0; i < count; i++) {
        struct str name = syntax->groups.items[i];
        regex->names[i] =
            name.len > 0 ? str_of(regex->text + (name.data - pattern.data), name.len) : STR_NONE;
    }
    return regex;
}

struct regex *regex_new(struct str pattern, struct arena *arena, struct str *ret_error,
                        size_t *ret_offset)
{
    struct regex_syntax syntax;
    struct regex *regex = NULL;
    if (!regex_syntax_read(&syntax, pattern)) {
        *ret_error = arena_str(arena, str_from(syntax.error));
        *ret_offset = syntax.error_offset;
        goto out;
    }
    regex = keep(&syntax, pattern);
    int code;
    if (syntax.needs_utf)
        atomic_init(&regex->wide, compile(regex->pattern, true, &code));
    else
        regex->narrow = compile(regex->pattern, false, &code);
    regex->narrow_jit = regex->narrow != NULL && has_machine_code(regex->narrow);
    if (regex->narrow == NULL && atomic_load(&regex->wide) == NULL) {
        char message[256] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof(message));
        *ret_error = arena_str(arena, str_from(message));
        *ret_offset = 0;
        regex_free(regex);
        regex = NULL;
    }
out:
    regex_syntax_release(&syntax);
    return regex;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->narrow);
    pcre2_code_free(atomic_load(&regex->wide));
    free(regex->names);
    free(regex->text);
    free(regex);
}

static bool is_ascii(struct str s)
{
    uint64_t seen = 0;
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8)
        seen |= swar_load64(s.data + i);
    for (; i < s.len; i++)
        seen |= (uint8_t)s.data[i];
    return (seen & (SWAR_ONES * 0x80)) == 0;
}

/* Compiles the UTF form once; of two threads that do at the same time, one throws its own away. */
static pcre2_code *wide_code(struct regex *regex)
{
    pcre2_code *code = atomic_load_explicit(&regex->wide, memory_order_acquire), *none = NULL;
    if (code != NULL || atomic_load_explicit(&regex->wide_failed, memory_order_relaxed))
        return code;
    int error;
    code = compile(regex->pattern, true, &error);
    if (code == NULL) {
        atomic_store_explicit(&regex->wide_failed, true, memory_order_relaxed);
        return NULL;
    }
    if (atomic_compare_exchange_strong(&regex->wide, &none, code))
        return code;
    pcre2_code_free(code);
    return none;
}

/* NULL: nothing can match. */
static const pcre2_code *code_for(const struct regex *regex, struct str subject)
{
    if (regex->narrow == NULL)
        return is_ascii(subject) || utf8_valid(subject) ? atomic_load(&regex->wide) : NULL;
    if (!regex->sees_characters || is_ascii(subject) || !utf8_valid(subject))
        return regex->narrow;
    /* The lazily compiled form is a cache: the regex means the same before and after. */
    const pcre2_code *wide = wide_code((struct regex *)(uintptr_t)regex);
    return wide != NULL ? wide : regex->narrow;
}

/* A subject that exceeds the limits does not match. `code_for` has checked its UTF-8. */
static bool run(const struct regex *regex, const pcre2_code *code, struct match_memory *memory,
                struct str subject, size_t from)
{
    PCRE2_SPTR data = (PCRE2_SPTR)(subject.data != NULL ? subject.data : "");
    if (code == NULL)
        return false;
    if (code == regex->narrow && regex->narrow_jit)
        return pcre2_jit_match(code, data, subject.len, from, 0, memory->data, memory->strict) >=
               0;
    return pcre2_match(code, data, subject.len, from, PCRE2_NO_UTF_CHECK, memory->data,
                       memory->strict) >= 0;
}

bool regex_match(const struct regex *regex, struct str subject)
{
    return run(regex, code_for(regex, subject), match_memory_with(1), subject, 0);
}

bool regex_find(const struct regex *regex, struct str subject, size_t *ret_start, size_t *ret_end)
{
    struct match_memory *memory = match_memory_with(1);
    if (!run(regex, code_for(regex, subject), memory, subject, 0))
        return false;
    const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(memory->data);
    *ret_start = pairs[0];
    *ret_end = pairs[1];
    return true;
}

/* Text that grows in an arena; `failed` once the budget is spent. */
struct output {
    struct arena *arena;
    char *data;
    size_t len, capacity;
    bool failed;
};

static void put(struct output *output, struct str s)
{
    if (output->failed || s.len == 0)
        return;
    if (output->capacity - output->len < s.len) {
        size_t capacity = output->capacity * 2 + s.len;
        char *data = arena_alloc(output->arena, capacity);
        if (data == NULL) {
            output->failed = true;
            return;
        }
        if (output->len > 0)
            memcpy(data, output->data, output->len);
        output->data = data;
        output->capacity = capacity;
    }
    memcpy(output->data + output->len, s.data, s.len);
    output->len += s.len;
}

static struct str group_text(const struct regex *regex, const PCRE2_SIZE *pairs, struct str subject,
                             uint32_t group)
{
    if (group > regex->groups || pairs[2 * group] == PCRE2_UNSET)
        return STR_NONE;
    return str_of(subject.data + pairs[2 * group], pairs[2 * group + 1] - pairs[2 * group]);
}

static struct str named_text(const struct regex *regex, const PCRE2_SIZE *pairs, struct str subject,
                             struct str name)
{
    uint64_t number;
    if (str_to_u64(name, &number) && (name.len == 1 || name.data[0] != '0'))
        return number <= regex->groups ? group_text(regex, pairs, subject, (uint32_t)number)
                                       : STR_NONE;
    for (uint32_t i = 0; i < regex->groups; i++)
        if (str_equal(regex->names[i], name))
            return group_text(regex, pairs, subject, i + 1);
    return STR_NONE;
}

/* The name behind a "$": "1x" of "$1x", "1" of "${1}x". Gives how many bytes it takes; 0: none is
 * there. */
static size_t template_name(struct str rest, struct str *ret_name)
{
    size_t start = rest.len > 0 && rest.data[0] == '{' ? 1 : 0, end = start;
    while (end < rest.len &&
           (ascii_alpha(rest.data[end]) || ascii_digit(rest.data[end]) || rest.data[end] == '_'))
        end++;
    if (end == start || (start == 1 && (end >= rest.len || rest.data[end] != '}')))
        return 0;
    *ret_name = str_of(rest.data + start, end - start);
    return end + start;
}

static void expand(const struct regex *regex, struct output *output, const PCRE2_SIZE *pairs,
                   struct str subject, struct str replacement)
{
    for (size_t at = 0; at < replacement.len;) {
        ptrdiff_t dollar = str_find_char(replacement, '$', at);
        if (dollar < 0) {
            put(output, str_from_index(replacement, at));
            return;
        }
        put(output, str_of(replacement.data + at, (size_t)dollar - at));
        struct str rest = str_from_index(replacement, (size_t)dollar + 1), name = STR_NONE;
        size_t taken = template_name(rest, &name);
        if (taken > 0)
            put(output, named_text(regex, pairs, subject, name));
        else
            put(output, S("$"));
        at = (size_t)dollar + 1 + (taken == 0 && str_starts(rest, S("$")) ? 1 : taken);
    }
}

static size_t character_len(struct str rest)
{
    uint32_t character;
    size_t len;
    return utf8_decode(rest, &character, &len) ? len : 1;
}

struct str regex_replace(const struct regex *regex, struct str subject, struct str replacement,
                         bool all, struct arena *arena)
{
    const pcre2_code *code = code_for(regex, subject);
    struct match_memory *memory = match_memory_with(regex->groups + 1);
    const PCRE2_SIZE *pairs = pcre2_get_ovector_pointer(memory->data);
    struct output output = {.arena = arena};
    size_t done = 0, from = 0;
    bool matched = false;
    if (subject.data == NULL)
        subject.data = "";
    while (from <= subject.len && run(regex, code, memory, subject, from)) {
        size_t start = pairs[0], end = pairs[1];
        put(&output, str_of(subject.data + done, start - done));
        /* An empty match right behind a match is none, as in Go. */
        if (end > done || start == 0)
            expand(regex, &output, pairs, subject, replacement);
        matched = true;
        done = end;
        size_t next =
            from + (from < subject.len ? character_len(str_from_index(subject, from)) : 1);
        from = end > next ? end : next;
        if (!all)
            break;
    }
    if (!matched)
        return subject;
    put(&output, str_from_index(subject, done));
    if (output.failed)
        return STR_NONE;
    return str_of(output.data != NULL ? output.data : "", output.len);
}
