/* Is it so? Texts, expressions and files. */
#include <sys/stat.h>

#include "middleware/script.h"

static bool is_true(struct str text)
{
    return text.len != 0 && !str_equal(text, S("0"));
}

/* A match keeps what it captured; where nothing matches there are no captures any more. */
static bool matches(const struct capture *regex, struct exchange *x, struct str text)
{
    if (capture_match(regex, x, text))
        return true;
    if (x->visit != NULL)
        x->visit->captures.count = 0;
    return false;
}

static bool look_at_file(enum script_test test, struct exchange *x, struct str path)
{
    struct stat info;
    struct str name = arena_str(&x->arena, path);
    if (name.data == NULL || stat(name.data, &info) != 0)
        return false;
    if (test == SCRIPT_IS_FILE)
        return S_ISREG(info.st_mode);
    if (test == SCRIPT_IS_DIRECTORY)
        return S_ISDIR(info.st_mode);
    if (test == SCRIPT_EXISTS)
        return S_ISREG(info.st_mode) || S_ISDIR(info.st_mode);
    return (info.st_mode & S_IXUSR) != 0;
}

static struct str text_of(const struct text_template *template, struct exchange *x, bool escaped)
{
    return escaped ? text_template_escaped(template, x) : text_template_text(template, x);
}

static bool is_so(const struct script_condition *condition, struct exchange *x, bool escaped)
{
    struct str value = text_of(condition->value, x, escaped);
    switch (condition->test) {
    case SCRIPT_IS_TRUE:
        return is_true(value);
    case SCRIPT_EQUALS:
        return str_equal(value, text_of(condition->operand, x, escaped));
    case SCRIPT_MATCHES:
        return matches(condition->regex, x, value);
    case SCRIPT_IS_FILE:
    case SCRIPT_IS_DIRECTORY:
    case SCRIPT_EXISTS:
    case SCRIPT_IS_EXECUTABLE:
        return look_at_file(condition->test, x, value);
    }
    return false;
}

bool script_holds(const struct script_condition *condition, struct exchange *x, bool escaped)
{
    return is_so(condition, x, escaped) != condition->negative;
}
