#include "admin/body.h"

#include "base/diag.h"

#define CANDIDATES_MAX 16

static const struct body_member *find(const struct body_member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

static bool refuse_unknown(struct admin_call *call, const struct body_member *members, size_t count, const char *name)
{
    struct str candidates[CANDIDATES_MAX];
    size_t known = count < CANDIDATES_MAX ? count : CANDIDATES_MAX;
    for (size_t i = 0; i < known; i++)
        candidates[i] = str_from(members[i].name);
    struct str near = nearest(str_from(name), candidates, known);
    if (near.len != 0)
        return admin_refuse(call, 422, "unknown member '%s': did you mean '%.*s'?", name, STR_ARGS(near));
    return admin_refuse(call, 422, "unknown member '%s'", name);
}

static bool is_word(const struct body_member *member, const char *text)
{
    if (member->words == NULL)
        return text[0] != '\0';
    for (const char *const *word = member->words; *word != NULL; word++)
        if (strcmp(*word, text) == 0)
            return true;
    return false;
}

static bool refuse_text(struct admin_call *call, const struct body_member *member, const char *text)
{
    if (member->words == NULL)
        return admin_refuse(call, 422, "'%s' must not be empty", member->name);
    struct text words;
    text_init(&words, 1024);
    for (const char *const *word = member->words; *word != NULL; word++)
        text_addf(&words, "%s'%s'", words.len != 0 ? ", " : "", *word);
    admin_refuse(call, 422, "'%s' is to be one of %s, not '%s'", member->name, text_c(&words), text);
    text_release(&words);
    return true;
}

/* True: it will do; else the call was answered. */
static bool check_value(struct admin_call *call, const struct body_member *member, const json_t *value)
{
    static const char *const kinds[] = {
        [BODY_BOOL] = "true or false", [BODY_INT] = "a whole number", [BODY_TEXT] = "a string"};
    bool fits = member->type == BODY_BOOL  ? json_is_boolean(value)
                : member->type == BODY_INT ? json_is_integer(value)
                                           : json_is_string(value);
    if (json_is_null(value) && member->nullable)
        return true;
    if (!fits)
        return !admin_refuse(call, 422, "'%s' is to be %s%s", member->name, kinds[member->type],
                             member->nullable ? ", or null" : "");
    if (member->type == BODY_TEXT && !is_word(member, json_string_value(value)))
        return !refuse_text(call, member, json_string_value(value));
    if (member->type == BODY_INT && (json_integer_value(value) < member->min || json_integer_value(value) > member->max))
        return !admin_refuse(call, 422, "'%s' is to be between %lld and %lld", member->name, (long long)member->min,
                             (long long)member->max);
    return true;
}

static bool check(struct admin_call *call, json_t *root, const struct body_member *members, size_t count)
{
    const char *name;
    json_t *value;
    if (!json_is_object(root))
        return !admin_refuse(call, 422, "the body is to be a JSON object");
    json_object_foreach(root, name, value) {
        const struct body_member *member = find(members, count, name);
        if (member == NULL)
            return !refuse_unknown(call, members, count, name);
        if (!check_value(call, member, value))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (members[i].required && json_object_get(root, members[i].name) == NULL)
            return !admin_refuse(call, 422, "'%s' is missing", members[i].name);
    return true;
}

json_t *body_read(struct admin_call *call, const struct body_member *members, size_t count)
{
    json_error_t error;
    json_t *root = json_loadb(call->body.data != NULL ? call->body.data : "", call->body.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        admin_refuse(call, 422, "the body is no JSON object: line %d, column %d: %s", error.line, error.column, error.text);
        return NULL;
    }
    if (check(call, root, members, count))
        return root;
    json_decref(root);
    return NULL;
}
