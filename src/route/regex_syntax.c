/* A recursive-free reader: one pass over the pattern, a stack of open groups that is bounded. Knows
 * nothing of PCRE2's API; what it cannot judge (names of Unicode properties) PCRE2 does when it
 * compiles. */
#include "route/regex_syntax.h"

#include "route/regex_class.h"

struct reader {
    struct str in;
    size_t at;
    struct regex_syntax *out;
    uint32_t depth;
    uint32_t open_repeats[REGEX_DEPTH_MAX]; /* the largest repeat inside each open group, but for
                                               the innermost */
    size_t open_at[REGEX_DEPTH_MAX];        /* where its "(" stands */
    uint32_t group_repeats; /* the largest nested repeat in the innermost group so far */
    uint32_t item_repeats;  /* of the item just read */
    bool has_item;          /* there is something that a repeat can apply to */
    bool has_repeat;        /* and it is repeated already */
    bool has_flags;         /* "(?i)" stands between it and here */
};

bool regex_fail(struct regex_syntax *syntax, size_t offset, const char *error)
{
    if (syntax->error == NULL) {
        syntax->error = error;
        syntax->error_offset = offset;
    }
    return false;
}

bool utf8_decode(struct str s, uint32_t *ret_character, size_t *ret_len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = s.len > 0 ? (uint8_t)s.data[0] : 0xff;
    size_t len = lead < 0x80   ? 1
                 : lead < 0xc0 ? 0
                 : lead < 0xe0 ? 2
                 : lead < 0xf0 ? 3
                 : lead < 0xf8 ? 4
                               : 0;
    if (len == 0 || len > s.len)
        return false;
    uint32_t character = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (((uint8_t)s.data[i] & 0xc0) != 0x80)
            return false;
        character = character << 6 | ((uint8_t)s.data[i] & 0x3f);
    }
    if (character < smallest[len] || character > 0x10ffff ||
        (character >= 0xd800 && character < 0xe000))
        return false;
    *ret_character = character;
    *ret_len = len;
    return true;
}

void regex_add_character(struct regex_syntax *syntax, uint32_t character)
{
    if (character >= 0x80)
        syntax->needs_utf = true;
    if (character < 0x20 || character >= 0x7f) {
        text_addf(&syntax->pcre, "\\x{%x}", character);
        return;
    }
    char c = (char)character;
    if (!ascii_alpha(c) && !ascii_digit(c) && c != '_')
        text_add_char(&syntax->pcre, '\\');
    text_add_char(&syntax->pcre, c);
}

/* An item that a repeat may follow has been written. */
static bool item(struct reader *reader)
{
    reader->has_item = true;
    reader->has_repeat = reader->has_flags = false;
    reader->item_repeats = 1;
    return true;
}

static bool read_literal(struct reader *reader)
{
    uint32_t character;
    size_t len;
    if (!utf8_decode(str_from_index(reader->in, reader->at), &character, &len))
        return regex_fail(reader->out, reader->at, "the pattern is not UTF-8");
    reader->at += len;
    regex_add_character(reader->out, character);
    return item(reader);
}

/* \Q...\E: everything between stands for itself; the end of the pattern closes too. */
static bool read_quoted(struct reader *reader)
{
    reader->at += 2;
    while (reader->at < reader->in.len) {
        if (str_starts(str_from_index(reader->in, reader->at), S("\\E"))) {
            reader->at += 2;
            return true;
        }
        if (!read_literal(reader))
            return false;
    }
    return true;
}

/* "^", "\b" and the like: PCRE2 repeats them only as a group, Go also bare. */
static bool read_assertion(struct reader *reader, size_t len)
{
    struct str text = str_of(reader->in.data + reader->at, len);
    reader->at += len;
    char next = reader->at < reader->in.len ? reader->in.data[reader->at] : '\0';
    bool repeated = next == '*' || next == '+' || next == '?' || next == '{';
    text_addf(&reader->out->pcre, repeated ? "(?:%.*s)" : "%.*s", STR_ARGS(text));
    return item(reader);
}

static bool read_escape(struct reader *reader)
{
    struct text *out = &reader->out->pcre;
    char c = reader->at + 1 < reader->in.len ? reader->in.data[reader->at + 1] : '\0';
    switch (c) {
    case 'Q':
        return read_quoted(reader);
    case 'B':
        reader->out->sees_characters = true;
        __attribute__((fallthrough));
    case 'A':
    case 'b':
    case 'z':
        return read_assertion(reader, 2);
    case 's':
        text_add(out, S("[\\t\\n\\f\\r ]"));
        reader->at += 2;
        return item(reader);
    case 'S':
        text_add(out, S("[^\\t\\n\\f\\r ]"));
        reader->out->sees_characters = true;
        reader->at += 2;
        return item(reader);
    default:
        break;
    }
    if (regex_read_set(reader->out, reader->in, &reader->at))
        return reader->out->error == NULL && item(reader);
    uint32_t character;
    if (!regex_read_escape(reader->out, reader->in, &reader->at, &character))
        return false;
    regex_add_character(reader->out, character);
    return item(reader);
}

/* "(?i)", "(?i-s:", "(?:": what may stand between "(?" and ")" or ":". */
static bool read_flags(struct reader *reader, size_t open)
{
    bool negative = false, flag_seen = false;
    size_t at = reader->at + 2;
    for (; at < reader->in.len; at++) {
        char c = reader->in.data[at];
        if (c == 'i' || c == 'm' || c == 's' || c == 'U') {
            flag_seen = true;
            if (c == 'i')
                reader->out->sees_characters = true;
        } else if (c == '-' && !negative) {
            negative = true;
            flag_seen = false;
        } else {
            break;
        }
    }
    if (at >= reader->in.len || (reader->in.data[at] != ')' && reader->in.data[at] != ':') ||
        (negative && !flag_seen))
        return regex_fail(reader->out, open,
                          "this kind of group is not part of Go's regular expressions");
    text_add(&reader->out->pcre, str_of(reader->in.data + reader->at, at + 1 - reader->at));
    reader->at = at + 1;
    return true;
}

static bool read_name(struct reader *reader, size_t start, struct str *ret_name)
{
    ptrdiff_t end = str_find_char(reader->in, '>', start);
    if (end < 0)
        return regex_fail(reader->out, reader->at, "the group's name has no closing \">\"");
    struct str name = str_of(reader->in.data + start, (size_t)end - start);
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_alpha(name.data[i]) && !ascii_digit(name.data[i]) && name.data[i] != '_')
            return regex_fail(reader->out, start + i,
                              "a group's name is made of letters, digits and \"_\"");
    if (name.len == 0)
        return regex_fail(reader->out, reader->at, "the group's name is empty");
    for (size_t i = 0; i < reader->out->groups.count; i++)
        if (str_equal(reader->out->groups.items[i], name))
            return regex_fail(reader->out, start, "two groups have this name");
    *ret_name = name;
    reader->at = (size_t)end + 1;
    return true;
}

static const char *refused_group(struct str rest)
{
    if (str_starts(rest, S("(?=")) || str_starts(rest, S("(?!")))
        return "look-ahead is not part of Go's regular expressions";
    if (str_starts(rest, S("(?<=")) || str_starts(rest, S("(?<!")))
        return "look-behind is not part of Go's regular expressions";
    if (str_starts(rest, S("(?>")))
        return "atomic groups are not part of Go's regular expressions";
    if (str_starts(rest, S("(?#")))
        return "comments are not part of Go's regular expressions";
    if (str_starts(rest, S("(?P=")))
        return "back-references are not part of Go's regular expressions";
    if (str_starts(rest, S("(?R")) || str_starts(rest, S("(?P>")) || str_starts(rest, S("(?&")))
        return "recursion is not part of Go's regular expressions";
    if (str_starts(rest, S("(?(")))
        return "conditionals are not part of Go's regular expressions";
    if (str_starts(rest, S("(*")))
        return "the repeat has nothing to repeat";
    return NULL;
}

static bool push_group(struct reader *reader, size_t open)
{
    if (reader->depth == REGEX_DEPTH_MAX)
        return regex_fail(reader->out, open, "the groups are nested too deeply");
    reader->open_repeats[reader->depth] = reader->group_repeats;
    reader->open_at[reader->depth++] = open;
    reader->group_repeats = 1;
    reader->has_item = false;
    return true;
}

static bool read_open(struct reader *reader)
{
    size_t open = reader->at;
    struct str rest = str_from_index(reader->in, open), name = STR_NONE;
    const char *refused = refused_group(rest);
    if (refused != NULL)
        return regex_fail(reader->out, open + (str_starts(rest, S("(*")) ? 1 : 0), refused);
    bool named = str_starts(rest, S("(?P<")) || str_starts(rest, S("(?<"));
    if (!named && str_starts(rest, S("(?"))) {
        if (!read_flags(reader, open))
            return false;
        reader->has_flags = reader->in.data[reader->at - 1] == ')';
        return reader->has_flags || push_group(reader, open);
    }
    if (named && !read_name(reader, open + (rest.data[2] == 'P' ? 4 : 3), &name))
        return false;
    if (!named)
        reader->at++;
    if (reader->out->groups.count == REGEX_GROUPS_MAX)
        return regex_fail(reader->out, open, "there are too many groups");
    VEC_PUSH(&reader->out->groups, name);
    text_add_char(&reader->out->pcre, '(');
    return push_group(reader, open);
}

static bool read_close(struct reader *reader)
{
    if (reader->depth == 0)
        return regex_fail(reader->out, reader->at, "this \")\" has no \"(\"");
    uint32_t inside = reader->group_repeats;
    reader->group_repeats = reader->open_repeats[--reader->depth];
    reader->at++;
    text_add_char(&reader->out->pcre, ')');
    item(reader);
    reader->item_repeats = inside;
    if (inside > reader->group_repeats)
        reader->group_repeats = inside;
    return true;
}

/* Reads "{n}", "{n,}" or "{n,m}"; false when the brace is none of them and stands for itself. */
static bool read_counts(struct str in, size_t *at, uint32_t *ret_min, uint32_t *ret_max,
                        bool *ret_open_ended)
{
    uint32_t counts[2] = {0, 0};
    size_t i = *at + 1, digits = 0;
    for (; i < in.len && ascii_digit(in.data[i]); i++, digits++)
        counts[0] = counts[0] > REGEX_REPEAT_MAX ? counts[0]
                                                 : counts[0] * 10 + (uint32_t)(in.data[i] - '0');
    if (digits == 0 || (digits > 1 && in.data[*at + 1] == '0'))
        return false;
    counts[1] = counts[0];
    *ret_open_ended = false;
    if (i < in.len && in.data[i] == ',') {
        size_t first = ++i;
        counts[1] = 0;
        for (; i < in.len && ascii_digit(in.data[i]); i++)
            counts[1] = counts[1] > REGEX_REPEAT_MAX
                            ? counts[1]
                            : counts[1] * 10 + (uint32_t)(in.data[i] - '0');
        if (i - first > 1 && in.data[first] == '0')
            return false;
        *ret_open_ended = i == first;
    }
    if (i >= in.len || in.data[i] != '}')
        return false;
    *ret_min = counts[0];
    *ret_max = *ret_open_ended ? counts[0] : counts[1];
    *at = i + 1;
    return true;
}

static bool repeat(struct reader *reader, size_t start, uint32_t times)
{
    if (!reader->has_item)
        return regex_fail(reader->out, start, "the repeat has nothing to repeat");
    if (reader->has_repeat)
        return regex_fail(reader->out, start,
                          "a repeat cannot be repeated (Go has no possessive repeats)");
    if (reader->has_flags)
        return regex_fail(reader->out, start,
                          "a repeat stands right behind what it repeats, before any flags");
    if (times > 1)
        reader->item_repeats *= times;
    if (reader->item_repeats > REGEX_REPEAT_MAX)
        return regex_fail(reader->out, start, "more than 1000 repeats");
    if (reader->item_repeats > reader->group_repeats)
        reader->group_repeats = reader->item_repeats;
    if (reader->at < reader->in.len && reader->in.data[reader->at] == '?')
        reader->at++;
    text_add(&reader->out->pcre, str_of(reader->in.data + start, reader->at - start));
    reader->has_repeat = true;
    return true;
}

static bool read_brace(struct reader *reader)
{
    uint32_t min, max;
    bool open_ended;
    size_t start = reader->at;
    if (!read_counts(reader->in, &reader->at, &min, &max, &open_ended))
        return read_literal(reader);
    if (min > REGEX_REPEAT_MAX || max > REGEX_REPEAT_MAX)
        return regex_fail(reader->out, start, "more than 1000 repeats");
    if (min > max)
        return regex_fail(reader->out, start,
                          "the repeat's first number is larger than its second");
    return repeat(reader, start, max);
}

static bool read_class(struct reader *reader)
{
    return regex_read_class(reader->out, reader->in, &reader->at) && item(reader);
}

static bool read_next(struct reader *reader)
{
    char c = reader->in.data[reader->at];
    switch (c) {
    case '\\':
        return read_escape(reader);
    case '[':
        return read_class(reader);
    case '(':
        return read_open(reader);
    case ')':
        return read_close(reader);
    case '{':
        return read_brace(reader);
    case '*':
    case '+':
    case '?':
        reader->at++;
        return repeat(reader, reader->at - 1, 1);
    case '|':
        text_add_char(&reader->out->pcre, '|');
        reader->at++;
        reader->has_item = false;
        return true;
    case '.':
        reader->out->sees_characters = true;
        text_add_char(&reader->out->pcre, c);
        reader->at++;
        return item(reader);
    case '^':
    case '$':
        return read_assertion(reader, 1);
    default:
        return read_literal(reader);
    }
}

bool regex_syntax_read(struct regex_syntax *syntax, struct str pattern)
{
    *syntax = (struct regex_syntax){0};
    text_init(&syntax->pcre, REGEX_PATTERN_MAX * 8);
    if (pattern.len > REGEX_PATTERN_MAX)
        return regex_fail(syntax, 0, "the pattern is longer than 64 KiB");
    struct reader reader = {.in = pattern, .out = syntax, .group_repeats = 1};
    while (reader.at < pattern.len)
        if (!read_next(&reader))
            return false;
    if (reader.depth > 0)
        return regex_fail(syntax, reader.open_at[reader.depth - 1], "this \"(\" is never closed");
    if (syntax->pcre.overflow)
        return regex_fail(syntax, 0, "the pattern is too long");
    return true;
}

void regex_syntax_release(struct regex_syntax *syntax)
{
    text_release(&syntax->pcre);
    VEC_RELEASE(&syntax->groups);
}
