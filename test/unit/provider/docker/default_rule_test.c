#include "provider/docker/default_rule.h"

#include "test.h"

static struct arena arena;
static struct diag diag;

static const struct label labels[] = {
    {.key = STR("zone"), .value = STR("Example.org")}, {.key = STR("empty"), .value = STR("")}, {.key = STR("a.b/c"), .value = STR("x y")}};
static const struct default_rule_input input = {
    .name = STR("api-shop"), .container_name = STR("shop-api-1"), .labels = labels, .label_count = 3};

static struct default_rule *read(const char *text)
{
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    const struct source *source = diag_source_word(&arena, S("defaultRule"), str_from(text));
    struct span span = {.source = source, .line = 1, .column = 1, .length = (uint32_t)strlen(text)};
    return default_rule_read(str_from(text), span, &arena, &diag);
}

static void release(void)
{
    diag_release(&diag);
    arena_release(&arena);
}

TEST(default_rules_are_made_as_go_would)
{
    static const struct {
        const char *text, *made;
    } cases[] = {
        {"Host(`{{ normalize .Name }}`)", "Host(`api-shop`)"},
        {"{{.ContainerName}}", "shop-api-1"},
        {"a {{- .Name -}} b", "aapi-shopb"},
        {"{{/* nothing */}}x", "x"},
        {"{{- /* nothing */ -}}  x", "x"},
        {"{{ index .Labels \"zone\" | lower }}", "example.org"},
        {"{{ .Labels.zone }}", "Example.org"},
        {"x{{ .Labels.absent }}y", "xy"},
        {"{{ index .Labels `a.b/c` | normalize }}", "x-y"},
        {"{{ trimPrefix \"api-\" .Name }}", "shop"},
        {"{{ .Name | trimSuffix \"-shop\" | upper }}", "API"},
        {"{{ replace \"-\" \".\" .ContainerName }}", "shop.api.1"},
        {"{{ index .Labels \"absent\" | default \"none\" }}", "none"},
        {"{{ default (printf \"%s-%d%%\" .Name 7) .Labels.empty }}", "api-shop-7%"},
        {"{{ printf \"%q %v %t\" `a\"b` 3 true }}", "\"a\\\"b\" 3 true"},
        {"{{ if eq .Name \"api-shop\" }}yes{{ else }}no{{ end }}", "yes"},
        {"{{ if .Labels.empty }}1{{ else if ne .Name \"x\" \"\" | not }}2{{ end }}3", NULL},
        {"{{ if .Labels.empty }}1{{ else if ne .Name \"x\" }}2{{ else }}3{{ end }}4", "24"},
        {"{{ if and .Name (not .Labels.absent) (or .Labels.empty true) }}both{{ end }}", "both"},
        {"{{ if eq .Name \"a\" \"b\" \"api-shop\" }}one of{{ end }}", "one of"},
        {"{{ with .Labels.zone }}{{ . }} of {{ $.Name }}{{ else }}none{{ end }}", "Example.org of api-shop"},
        {"{{ with .Labels }}{{ .zone }}{{ end }}", "Example.org"},
        {"{{ with .Labels.absent }}{{ . }}{{ else }}none{{ end }}", "none"},
        {"{{ coalesce .Labels.absent .Labels.empty .Name }}", "api-shop"},
        {"{{ if contains \"sho\" .Name }}{{ if hasPrefix \"api\" .Name }}{{ if hasSuffix \"op\" .Name }}all{{ end }}{{ end }}{{ end }}", "all"},
        {"{{ trim \" a \" }}{{ trimAll \"-\" \"--b-\" }}{{ if empty .Labels.empty }}c{{ end }}", "abc"},
        {"  Host(`a`)  ", "Host(`a`)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str why;
        struct default_rule *rule = read(cases[i].text);
        if (cases[i].made == NULL) {
            assert_null(rule);
        } else {
            if (rule == NULL)
                fail_msg("%s: %.*s", cases[i].text, STR_ARGS(diag.items[0].message));
            struct str made = default_rule_make(rule, &input, &arena, &why);
            assert_str_equal(made, str_from(cases[i].made));
        }
        release();
    }
}

TEST(what_default_rules_cannot_say_is_told_at_its_place)
{
    static const struct {
        const char *text, *message;
        uint32_t column;
    } cases[] = {
        {"{{ .Nam }}", "unknown field 'Nam'", 5},
        {"{{ normalise .Name }}", "unknown word 'normalise'", 4},
        {"{{ range .Labels }}{{ end }}", "unknown word 'range'", 4},
        {"{{ .Name", "expected '}}'", 1},
        {"{{ if .Name }}x", "this has no {{end}}", 4},
        {"{{ if .Name }}x{{ else }}y", "this has no {{end}}", 4},
        {"x{{ end }}", "there is an {{end}} or {{else}} too many", 1},
        {"{{ .Labels }}", "this cannot be written into a rule: name one of its fields", 4},
        {"{{ lower .Labels }}", "'lower' wants a text here", 10},
        {"{{ lower 7 }}", "'lower' wants a text here", 10},
        {"{{ index .Name \"a\" }}", "'index' wants .Labels here", 10},
        {"{{ trimPrefix \"a\" }}", "'trimPrefix' works on 2 values", 4},
        {"{{ eq .Name }}", "'eq' works on at least 2 values", 4},
        {"{{ .Name.First }}", "this has no fields", 9},
        {"{{ $x := 1 }}", "variables are not read here", 4},
        {"{{ lower (lower .Name }}", "expected ')'", 23},
        {"{{ lower lower .Name }}", "'lower' and what it works on go into parentheses here", 10},
        {"{{ .Name .Name }}", "this is no word that could work on something", 4},
        {"{{ .Name | .Name }}", "this is no word that could work on something", 12},
        {"{{ printf \"%5d\" 1 }}", "'printf' knows %s, %v, %d, %q, %t and %%, without widths", 11},
        {"{{ printf \"%d\" }}", "'printf' works on at least 2 values", 4},
        {"{{ 'a' }}", "this does not belong here", 4},
        {"{{ \"a }}", "the string has no closing quote", 4},
        {"{{ }}", "this does not belong here", 4},
        {"{{/* }}", "the comment has no end", 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct default_rule *rule = read(cases[i].text);
        if (rule != NULL || diag.count != 1 || !str_equal(diag.items[0].message, str_from(cases[i].message)) ||
            diag.items[0].span.column != cases[i].column)
            fail_msg("%s: %zu items, \"%.*s\" at %u", cases[i].text, diag.count, STR_ARGS(diag.count != 0 ? diag.items[0].message : S("")),
                     diag.count != 0 ? diag.items[0].span.column : 0);
        release();
    }
}

TEST(default_rules_that_fail_for_a_container_say_why)
{
    static const char *const cases[][2] = {
        {"{{ .Labels.absent }}", "it makes an empty rule"},
        {"{{ lower (default 7 .Labels.absent) }}", "'lower' wants a text"},
        {"{{ if eq (default 7 .Labels.absent) .Name }}x{{ end }}", "'eq' and 'ne' compare values of one kind"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str why;
        struct default_rule *rule = read(cases[i][0]);
        assert_non_null(rule);
        assert_null(default_rule_make(rule, &input, &arena, &why).data);
        assert_str_equal(why, str_from(cases[i][1]));
        release();
    }
}
