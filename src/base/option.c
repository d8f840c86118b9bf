/* Looking things up in option tables; what is derived from them is in config/. */
#include "base/option.h"

static bool is_name(const char *name, struct str word)
{
    return name != NULL && ascii_lower(name[0]) == ascii_lower(word.data[0]) &&
           str_equal_nocase(str_from(name), word);
}

const struct option *option_find(const struct option_table *table, struct str name)
{
    if (table == NULL || str_empty(name))
        return NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (option->type == OPTION_CHOICE)
            continue;
        if (is_name(option->name, name) || is_name(option->alias, name))
            return option;
    }
    return NULL;
}

const struct option *option_find_choice(const struct option_table *table)
{
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        if (table->options[i].type == OPTION_CHOICE)
            return &table->options[i];
    }
    return NULL;
}

const struct choice_type *choice_find(const struct option *choice, struct str name)
{
    const struct choice_type *type;
    if (choice == NULL || choice->choices == NULL || str_empty(name))
        return NULL;
    for (size_t i = 0; (type = choice->choices(i)) != NULL; i++) {
        if (is_name(type->name, name) || is_name(type->alias, name))
            return type;
    }
    return NULL;
}

bool option_holds_nothing(const struct option *option, const void *storage)
{
    switch ((enum option_type)option->type) {
    case OPTION_STR:
        return str_empty(*(const struct str *)storage);
    case OPTION_STRS:
        return ((const struct strs *)storage)->count == 0;
    case OPTION_STRMAP:
        return ((const struct strmap *)storage)->count == 0;
    case OPTION_LIST:
    case OPTION_MAP:
        return ((const struct objects *)storage)->count == 0;
    case OPTION_BOOL:
    case OPTION_INT:
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_ENUM:
    case OPTION_STRUCT:
    case OPTION_OBJECT:
    case OPTION_CHOICE:
        break;
    }
    return false;
}

const char *option_type_text(const struct option *option)
{
    static const char *const texts[] = {
        [OPTION_BOOL] = "true or false",
        [OPTION_INT] = "whole number",
        [OPTION_NUMBER] = "number",
        [OPTION_DURATION] = "duration",
        [OPTION_SIZE] = "size",
        [OPTION_STR] = "string",
        [OPTION_ENUM] = "one of a set of words",
        [OPTION_STRS] = "list of strings",
        [OPTION_STRMAP] = "map of strings",
        [OPTION_STRUCT] = "object",
        [OPTION_OBJECT] = "object, or true",
        [OPTION_LIST] = "list of objects",
        [OPTION_MAP] = "map of objects",
        [OPTION_CHOICE] = "exactly one of a set of objects",
    };
    return texts[option->type];
}
