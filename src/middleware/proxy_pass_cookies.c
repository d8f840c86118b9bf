/* Set-Cookie of servers: domain and path as clients see them, and flags. */
#include "middleware/proxy_pass.h"

#define ATTRIBUTES_MAX 32     /* of one cookie; further ones go with the last */

struct attribute {
    struct str name, value;   /* value.data NULL: it has none; name.data NULL: removed */
};

struct cookie {
    struct attribute items[ATTRIBUTES_MAX];
    unsigned count;
    bool changed;
};

static void parse(struct str text, struct cookie *cookie)
{
    struct str rest = text, part;
    cookie->count = 0;
    cookie->changed = false;
    while (cookie->count < ATTRIBUTES_MAX - 3 && str_split(&rest, ';', &part)) {
        ptrdiff_t equals = str_find_char(part, '=', 0);
        struct attribute *attribute = &cookie->items[cookie->count++];
        attribute->name = str_trim(equals >= 0 ? str_first(part, (size_t)equals) : part);
        attribute->value = equals >= 0 ? str_trim(str_of(part.data + equals + 1, part.len - (size_t)equals - 1)) : STR_NONE;
    }
}

static void rewrite_values(const struct proxy_pass *pass, struct exchange *x, struct cookie *cookie)
{
    for (unsigned i = 1; i < cookie->count; i++) {
        struct attribute *attribute = &cookie->items[i];
        if (attribute->value.data == NULL)
            continue;
        if (str_equal_nocase(attribute->name, S("domain")))
            cookie->changed |= text_rewrites_apply(&pass->cookie_domains, REWRITE_DOMAIN, x, &attribute->value);
        else if (str_equal_nocase(attribute->name, S("path")))
            cookie->changed |= text_rewrites_apply(&pass->cookie_paths, REWRITE_START, x, &attribute->value);
    }
}

/* ---- flags ---- */

enum flag {
    SECURE_ON = 1, SECURE_OFF = 2, HTTP_ONLY_ON = 4, HTTP_ONLY_OFF = 8,
    SAME_SITE_STRICT = 16, SAME_SITE_LAX = 32, SAME_SITE_NONE = 64, SAME_SITE_OFF = 128,
    SAME_SITE_ANY = SAME_SITE_STRICT | SAME_SITE_LAX | SAME_SITE_NONE,
};
static const struct {
    struct str name;
    unsigned flag;
} flag_names[] = {
    {STR("secure"), SECURE_ON},           {STR("nosecure"), SECURE_OFF},
    {STR("httponly"), HTTP_ONLY_ON},      {STR("nohttponly"), HTTP_ONLY_OFF},
    {STR("samesite=strict"), SAME_SITE_STRICT}, {STR("samesite=lax"), SAME_SITE_LAX},
    {STR("samesite=none"), SAME_SITE_NONE},     {STR("nosamesite"), SAME_SITE_OFF},
};

static unsigned flag_of(struct str name)
{
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
        if (str_equal_nocase(flag_names[i].name, name))
            return flag_names[i].flag;
    return 0;
}

static bool rule_is_for(const struct cookie_flags_rule *rule, struct exchange *x, struct str name)
{
    if (rule->regex != NULL)
        return perl_regex_match(rule->regex, name, NULL);
    return str_equal_nocase(text_template_text(rule->cookie, x), name);
}

static unsigned wanted_flags(const struct proxy_pass *pass, struct exchange *x, struct str name)
{
    for (unsigned i = 0; i < pass->cookie_flag_count; i++) {
        const struct cookie_flags_rule *rule = &pass->cookie_flags[i];
        unsigned flags = 0;
        if (!rule_is_for(rule, x, name))
            continue;
        for (unsigned k = 0; k < rule->count; k++)
            flags |= flag_of(text_template_text(rule->flags[k], x));
        return flags;
    }
    return 0;
}

static struct str same_site_text(unsigned flags)
{
    return (flags & SAME_SITE_STRICT) != 0 ? S("Strict") : (flags & SAME_SITE_LAX) != 0 ? S("Lax") : S("None");
}

/* What is there and wanted stays, what is there and not wanted goes: gives the flags that are still to be added. */
static unsigned edit_attribute(struct attribute *attribute, unsigned flags)
{
    bool secure = str_equal_nocase(attribute->name, S("secure")), http_only = str_equal_nocase(attribute->name, S("httponly"));
    if (secure || http_only) {
        unsigned on = secure ? SECURE_ON : HTTP_ONLY_ON, off = secure ? SECURE_OFF : HTTP_ONLY_OFF;
        if ((flags & on) == 0 && (flags & off) != 0)
            attribute->name.data = NULL;
        return flags & ~on;
    }
    if (!str_equal_nocase(attribute->name, S("samesite")))
        return flags;
    if ((flags & SAME_SITE_ANY) == 0) {
        if ((flags & SAME_SITE_OFF) != 0)
            attribute->name.data = NULL;
        return flags;
    }
    if (!str_equal_nocase(attribute->value, same_site_text(flags)))
        *attribute = (struct attribute){S("SameSite"), same_site_text(flags)};
    return flags & ~(unsigned)SAME_SITE_ANY;
}

static void edit_flags(struct cookie *cookie, unsigned flags)
{
    unsigned count = cookie->count;
    if (flags == 0)
        return;
    cookie->changed = true;
    for (unsigned i = 1; i < count; i++)
        flags = edit_attribute(&cookie->items[i], flags);
    if ((flags & SECURE_ON) != 0)
        cookie->items[cookie->count++] = (struct attribute){S("Secure"), STR_NONE};
    if ((flags & HTTP_ONLY_ON) != 0)
        cookie->items[cookie->count++] = (struct attribute){S("HttpOnly"), STR_NONE};
    if ((flags & SAME_SITE_ANY) != 0)
        cookie->items[cookie->count++] = (struct attribute){S("SameSite"), same_site_text(flags)};
}

static struct str write(struct exchange *x, const struct cookie *cookie)
{
    size_t room = 0;
    for (unsigned i = 0; i < cookie->count; i++)
        room += cookie->items[i].name.len + cookie->items[i].value.len + 3;
    char *text = arena_alloc(&x->arena, room), *at = text;
    if (text == NULL)
        return STR_NONE;
    for (unsigned i = 0; i < cookie->count; i++) {
        const struct attribute *attribute = &cookie->items[i];
        if (attribute->name.data == NULL)
            continue;
        if (at != text)
            at = mempcpy(at, "; ", 2);
        at = mempcpy(at, attribute->name.data, attribute->name.len);
        if (attribute->value.data == NULL)
            continue;
        *at++ = '=';
        if (attribute->value.len != 0)
            at = mempcpy(at, attribute->value.data, attribute->value.len);
    }
    return str_of(text, (size_t)(at - text));
}

struct str proxy_pass_cookie(const struct proxy_pass *pass, struct exchange *x, struct str text)
{
    struct cookie cookie;
    parse(text, &cookie);
    /* One with more attributes than anybody sends is left as it is. */
    if (cookie.count == 0 || cookie.count == ATTRIBUTES_MAX - 3 || cookie.items[0].value.data == NULL)
        return text;
    rewrite_values(pass, x, &cookie);
    edit_flags(&cookie, wanted_flags(pass, x, cookie.items[0].name));
    struct str written = cookie.changed ? write(x, &cookie) : text;
    return written.data != NULL ? written : text;
}
