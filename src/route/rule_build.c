#include "route/rule_build.h"

#include "http/token.h"

static void fault(struct builder *builder, size_t offset, size_t length, const char *message,
                  struct str hint, bool warning)
{
    struct rule_faults *faults = builder->faults;
    if (!warning)
        faults->errors++;
    if (faults->count++ >= RULE_FAULTS_MAX)
        return;
    faults->items[faults->count - 1] = (struct rule_fault){.offset = (uint32_t)offset,
                                                           .length = (uint32_t)length,
                                                           .warning = warning,
                                                           .message = str_from(message),
                                                           .hint = hint};
}

void fault_error(struct builder *builder, size_t offset, size_t length, const char *message,
                 struct str hint)
{
    fault(builder, offset, length, message, hint, false);
}

void fault_warning(struct builder *builder, size_t offset, size_t length, const char *message,
                   struct str hint)
{
    fault(builder, offset, length, message, hint, true);
}

struct term *builder_term(struct builder *builder, enum term_kind kind, uint32_t offset,
                          uint32_t length)
{
    struct term *term = arena_new(builder->arena, struct term);
    term->kind = (uint8_t)kind;
    term->offset = offset;
    term->length = length;
    builder->terms++;
    return term;
}

struct term *builder_matcher(struct builder *builder, const struct call *call, enum matcher matcher)
{
    struct term *term = builder_term(builder, TERM_MATCHER, call->offset, call->length);
    term->matcher = (uint8_t)matcher;
    return term;
}

const struct regex *builder_regex(struct builder *builder, const struct token *value,
                                  struct str pattern)
{
    struct str error = STR_NONE;
    size_t offset = 0;
    const struct regex *regex =
        regex_set_get(builder->regexes, pattern, builder->arena, &error, &offset);
    if (regex != NULL)
        return regex;
    bool exact = value->verbatim && pattern.data == value->value.data;
    struct str message =
        arena_printf(builder->arena, "the regular expression is not valid: %.*s", STR_ARGS(error));
    fault_error(builder, exact ? value->offset + 1 + offset : value->offset,
                exact ? (offset < pattern.len ? 1 : 0) : value->length, message.data, STR_NONE);
    return NULL;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] >= 0x80)
            return false;
    return true;
}

static bool host_is_ascii(struct builder *builder, const struct token *value)
{
    if (is_ascii(value->value))
        return true;
    fault_error(builder, value->offset, value->length, "a host is written in ASCII",
                S("write international names in their xn-- form"));
    return false;
}

static bool has_any(struct str s, const char *bytes)
{
    for (; *bytes != '\0'; bytes++)
        if (str_find_char(s, *bytes, 0) >= 0)
            return true;
    return false;
}

/* Traefik accepts hosts that no request has; the rule then never matches and nobody is told why. */
static void warn_about_host(struct builder *builder, const struct token *value, struct str host)
{
    size_t offset = value->offset, length = value->length;
    if (has_any(host, "{}"))
        fault_warning(builder, offset, length, "no host has braces: this never matches",
                      S("{name:regex} is v2 syntax: use HostRegexp, or set ruleSyntax: v2"));
    else if (has_any(host, "/ ,"))
        fault_warning(builder, offset, length, "this is not a host: it never matches",
                      S("a host alone, as in Host(`example.com`)"));
    else if (host.data[0] != '[' && str_find_char(host, ':', 0) >= 0)
        fault_warning(builder, offset, length,
                      "the port is not part of the host: this never matches",
                      S("leave the port out; entrypoints decide it"));
    else if (str_find_char(host, '*', 0) >= 0)
        fault_warning(builder, offset, length,
                      "'*' stands for the whole first label only: this never matches",
                      S("as in Host(`*.example.com`), or use HostRegexp"));
}

/* As struct request has it: lower case, no dot at the end, IPv6 in brackets. */
static struct str canonical_host(struct builder *builder, struct str host)
{
    host = arena_lower(builder->arena, host);
    if (host.len > 1 && host.data[host.len - 1] == '.')
        host.len--;
    struct ip ip;
    if (str_find_char(host, ':', 0) >= 0 && host.data[0] != '[' && ip_parse(host, &ip))
        return arena_printf(builder->arena, "[%.*s]", STR_ARGS(host));
    return host;
}

struct term *build_host(struct builder *builder, const struct call *call, const struct token *value)
{
    if (!host_is_ascii(builder, value))
        return NULL;
    struct str host = canonical_host(builder, value->value);
    struct term *term = builder_matcher(builder, call, MATCH_HOST);
    term->value = host;
    if (builder->syntax == RULE_V3 && str_equal(host, S("*"))) {
        term->matcher = MATCH_HOST_ANY;
    } else if (builder->syntax == RULE_V3 && str_starts(host, S("*.")) && host.len > 2) {
        term->matcher = MATCH_HOST_BELOW;
        term->value = str_from_index(host, 1);
        warn_about_host(builder, value, term->value);
    } else {
        warn_about_host(builder, value, host);
    }
    return term;
}

struct term *build_path(struct builder *builder, const struct call *call, const struct token *value,
                        enum matcher matcher)
{
    if (value->value.data[0] != '/') {
        struct str hint = arena_printf(builder->arena, "write `/%.*s`", STR_ARGS(value->value));
        fault_error(builder, value->offset, value->length, "a path begins with '/'", hint);
        return NULL;
    }
    if (has_any(value->value, "?#"))
        fault_warning(builder, value->offset, value->length,
                      "a path has no '?' and no '#': this never matches",
                      S("use Query for the query"));
    struct term *term = builder_matcher(builder, call, matcher);
    term->value = value->value;
    return term;
}

struct term *build_method(struct builder *builder, const struct call *call,
                          const struct token *value)
{
    struct term *term = builder_matcher(builder, call, MATCH_METHOD);
    char *upper = arena_alloc(builder->arena, value->value.len);
    for (size_t i = 0; i < value->value.len; i++) {
        char c = value->value.data[i];
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
    }
    term->value = str_of(upper, value->value.len);
    term->method = (uint8_t)method_identify(term->value);
    return term;
}

struct term *build_client_ip(struct builder *builder, const struct call *call,
                             const struct token *value)
{
    struct term *term = builder_matcher(builder, call, MATCH_CLIENT_IP);
    term->value = value->value;
    if (network_parse(value->value, &term->network))
        return term;
    fault_error(builder, value->offset, value->length,
                "this is neither an IP address nor a network",
                S("such as 10.0.0.1, 10.0.0.0/8 or fd00::/8"));
    return NULL;
}

struct term *build_header(struct builder *builder, const struct call *call,
                          const struct token *name, const struct token *value, bool regexp)
{
    if (!token_is_valid(name->value))
        fault_warning(builder, name->offset, name->length,
                      "this is not the name of a header: it never matches", STR_NONE);
    struct term *term = builder_matcher(builder, call, regexp ? MATCH_HEADER_REGEXP : MATCH_HEADER);
    term->name = name->value;
    term->field = (uint8_t)field_identify(name->value.data, name->value.len);
    term->value = value->value;
    if (regexp && (term->regex = builder_regex(builder, value, value->value)) == NULL)
        return NULL;
    return term;
}

const struct matcher_type *matcher_find(const struct matcher_type *types, struct str name)
{
    for (; types->name != NULL; types++)
        if (str_equal_nocase(name, str_from(types->name)))
            return types;
    return NULL;
}

static struct str values_text(const struct call *call)
{
    if (call->count == 0)
        return STR_NONE;
    const struct token *last = &call->values[call->count - 1];
    return str_of(call->values[0].text.data,
                  (size_t)(last->text.data + last->text.len - call->values[0].text.data));
}

/* What a matcher of v2 alone is called in v3. */
static struct str v3_spelling(struct builder *builder, const struct call *call)
{
    static const struct {
        const char *v2, *v3;
    } renamed[] = {
        {"Headers", "Header"}, {"HeadersRegexp", "HeaderRegexp"}, {"HostHeader", "Host"}};
    for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
        if (str_equal_nocase(call->name.text, str_from(renamed[i].v2)))
            return arena_printf(builder->arena,
                                "that is v2 syntax: write %s(%.*s), or set ruleSyntax: v2",
                                renamed[i].v3, STR_ARGS(str_first(values_text(call), 200)));
    return STR_NONE;
}

static struct str near_name(struct builder *builder, const struct matcher_type *types,
                            struct str name)
{
    struct str names[16];
    size_t count = 0;
    for (; types->name != NULL && count < 16; types++)
        names[count++] = str_from(types->name);
    struct str found = nearest(name, names, count);
    return str_empty(found) ? STR_NONE
                            : arena_printf(builder->arena, "did you mean '%.*s'?", STR_ARGS(found));
}

void matcher_unknown(struct builder *builder, const struct call *call)
{
    struct str name = call->name.text, hint = STR_NONE;
    bool v2 = builder->syntax == RULE_V2;
    if (!v2)
        hint = v3_spelling(builder, call);
    else if (matcher_find(matchers_v3, name) != NULL)
        hint = S("that is v3 syntax: leave ruleSyntax: v2 out");
    if (str_starts_nocase(name, S("HostSNI")) || str_equal_nocase(name, S("ALPN")))
        hint = S("that is a matcher of TCP routers; HTTP routers use Host");
    if (str_empty(hint))
        hint = near_name(builder, v2 ? matchers_v2 : matchers_v3, name);
    struct str message =
        arena_printf(builder->arena, "there is no matcher '%.*s'", STR_ARGS(str_first(name, 64)));
    fault_error(builder, call->name.offset, call->name.length, message.data, hint);
}
