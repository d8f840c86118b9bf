#include "test.h"

#include "exchange/text_template.h"
#include "exchange/variable.h"
#include "middleware/rig.h"

static struct str text_of(struct rig *rig, const char *text)
{
    const struct text_template *template = text_template_new(str_from(text), &rig->compile, SPAN_NONE);
    assert_non_null(template);
    rig->x.values = NULL;
    return text_template_text(template, &rig->x);
}

TEST(templates_are_the_request_in_the_words_of_both_dialects)
{
    static const struct {
        const char *template, *text;
    } cases[] = {
        {"", ""},
        {"plain $uri text$", "plain $uri text$"},
        {"${request_method} ${host}${request_uri}", "GET example.org/a%20b/c?x=1&Y=two&x=3"},
        {"${uri}${is_args}${args}", "/a b/c?x=1&Y=two&x=3"},
        {"${request.path}|${request.query}|${request.host}", "/a b/c|x=1&Y=two&x=3|example.org"},
        {"${arg_x}${arg_y}${arg_none}.", "1two."},
        {"${http_x_user_name}", "ann, bob"},
        {"${http_X_User_NAME}", "ann, bob"},
        {"${request.header.X-User-Name}", "ann, bob"},
        {"${http_absent}", ""},
        {"${http_cookie}", "a=1; b = 2; c=3"},
        {"${cookie_b}${cookie_B}${cookie_c}${cookie_d}", "223"},
        {"${remote_addr} ${client.address}", "192.0.2.1 192.0.2.1"},
        {"${scheme}${https}", "http"},
        {"${document_uri}${query_string}", "/a b/cx=1&Y=two&x=3"},
        {"${server_protocol}${content_length}${remote_user}", "HTTP/1.1"},
    };
    struct rig rig;
    rig_init(&rig);
    rig_begin(&rig, "GET", "http://example.org/a%20b/c?x=1&Y=two&x=3");
    rig_field(&rig, "X-User-Name", "ann");
    rig_field(&rig, "x-user-name", "bob");
    rig_field(&rig, "Cookie", "a=1; b = 2");
    rig_field(&rig, "Cookie", "c=3");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_str_equal(text_of(&rig, cases[i].template), str_from(cases[i].text));
    rig_release(&rig);
}

TEST(a_template_without_variables_is_constant_and_its_own_text)
{
    struct rig rig;
    rig_init(&rig);
    const struct text_template *template = text_template_new(S("no $variables {here}"), &rig.compile, SPAN_NONE);
    assert_true(text_template_is_constant(template));
    assert_true(text_template_is_in(S("a ${b} c")));
    assert_false(text_template_is_in(S("a $b {c}")));
    rig_release(&rig);
}

TEST(an_unknown_variable_is_told_with_what_it_may_have_meant)
{
    struct rig rig;
    rig_init(&rig);
    assert_null(text_template_new(S("${requst_uri}"), &rig.compile, SPAN_NONE));
    assert_non_null(strstr(rig_reported(&rig), "unknown variable 'requst_uri'"));
    assert_non_null(strstr(rig_reported(&rig), "request_uri"));
    assert_null(text_template_new(S("${uri"), &rig.compile, SPAN_NONE));
    assert_null(text_template_new(S("${}"), &rig.compile, SPAN_NONE));
    rig_release(&rig);
}

TEST(a_variable_that_is_set_keeps_its_value_and_is_empty_before)
{
    struct rig rig;
    rig_init(&rig);
    rig_begin(&rig, "GET", "http://example.org/");
    const struct variable *mine = variable_declare(S("mine"), &rig.compile, SPAN_NONE);
    const struct text_template *template = text_template_new(S("<${mine}>"), &rig.compile, SPAN_NONE);
    assert_str_equal(text_template_text(template, &rig.x), S("<>"));
    variable_set(mine, &rig.x, S("one"));
    assert_str_equal(text_template_text(template, &rig.x), S("<one>"));
    variable_set(mine, &rig.x, S(""));
    assert_str_equal(variable_get(mine, &rig.x), S(""));
    rig_release(&rig);
}

TEST(a_family_is_shadowed_by_what_is_set_and_shows_again_where_nothing_was)
{
    struct rig rig;
    rig_init(&rig);
    rig_begin(&rig, "GET", "http://example.org/?a=query");
    const struct variable *a = variable_declare(S("arg_a"), &rig.compile, SPAN_NONE);
    assert_str_equal(variable_get(a, &rig.x), S("query"));
    variable_set(a, &rig.x, S("set"));
    assert_str_equal(variable_get(a, &rig.x), S("set"));
    rig_release(&rig);
}

TEST(built_in_variables_are_read_only_but_those_that_say_how_they_are_set)
{
    struct rig rig;
    rig_init(&rig);
    rig_begin(&rig, "GET", "http://example.org/?a=1");
    assert_null(variable_declare(S("host"), &rig.compile, SPAN_NONE));
    assert_non_null(strstr(rig_reported(&rig), "cannot be set"));
    const struct variable *args = variable_declare(S("args"), &rig.compile, SPAN_NONE);
    assert_non_null(args);
    variable_set(args, &rig.x, S("b=2"));
    assert_str_equal(rig.x.stream.request.query, S("b=2"));
    assert_str_equal(variable_get(args, &rig.x), S("b=2"));
    assert_null(variable_declare(S("a.b"), &rig.compile, SPAN_NONE));
    rig_release(&rig);
}

static int times_asked;

static struct str count_calls(struct exchange *x, struct str argument)
{
    return arena_printf(&x->arena, "%d", ++times_asked);
}

static const struct variable_type counted = {.name = "test_counted_", .family = true, .help = "A test's.", .get = count_calls};
REGISTER(variable_type, counted);
static const struct variable_type counted_anew = {
    .name = "test_volatile_", .family = true, .is_volatile = true, .help = "A test's.", .get = count_calls};
REGISTER(variable_type, counted_anew);

TEST(a_value_is_made_once_for_an_exchange_unless_its_type_is_volatile)
{
    struct rig rig;
    rig_init(&rig);
    rig_begin(&rig, "GET", "http://example.org/");
    times_asked = 0;
    const struct text_template *kept = text_template_new(S("${test_counted_a}${test_counted_a}"), &rig.compile, SPAN_NONE);
    const struct text_template *anew = text_template_new(S("${test_volatile_a}${test_volatile_a}"), &rig.compile, SPAN_NONE);
    assert_str_equal(text_template_text(kept, &rig.x), S("11"));
    assert_str_equal(text_template_text(kept, &rig.x), S("11"));
    assert_str_equal(text_template_text(anew, &rig.x), S("23"));
    rig_release(&rig);
}

TEST(every_built_in_variable_has_a_help_and_a_name_of_its_own)
{
    static const struct variable_type *types[1024];
    size_t count = variable_types(types, 1024);
    assert_true(count > 30 && count < 1024);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(types[i]->help);
        for (size_t other = i + 1; other < count; other++) {
            assert_string_not_equal(types[i]->name, types[other]->name);
            if (types[i]->alias != NULL && types[other]->alias != NULL)
                assert_string_not_equal(types[i]->alias, types[other]->alias);
        }
    }
}
