#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/load.h"
#include "fixture.h"

static struct fixture f;

static struct node *load(enum load_kind kind, const char *text)
{
    fixture_init(&f);
    return load_text(S("d.yaml"), str_from(text), kind, &f.arena, &f.diag);
}

static void assert_member(const struct node *root, const char *key, const char *expected)
{
    assert_non_null(root);
    assert_str_equal(node_get(root, str_from(key))->text, str_from(expected));
}

TEST(load_fills_in_environment_variables_and_nothing_else)
{
    setenv("PORTICO_TEST_DOMAIN", "example.org", 1);
    struct node *root = load(LOAD_DYNAMIC, "rule: \"Host(`{{ env \"PORTICO_TEST_DOMAIN\" }}`)\"\n"
                                           "plain: {{env `PORTICO_TEST_DOMAIN`}}\n"
                                           "# {{ range x }}\n");
    assert_string_equal(fixture_rendered(&f), "");
    assert_member(root, "rule", "Host(`example.org`)");
    assert_member(root, "plain", "example.org");
    unsetenv("PORTICO_TEST_DOMAIN");
    fixture_release(&f);
}

TEST(load_warns_of_a_variable_that_is_not_set)
{
    struct node *root = load(LOAD_DYNAMIC, "a: x{{ env \"PORTICO_TEST_UNSET\" }}\n");
    assert_member(root, "a", "x");
    assert_string_equal(fixture_rendered(&f),
                        "d.yaml:1:5: warning: environment variable 'PORTICO_TEST_UNSET' is not set: nothing stands here\n"
                        " 1 | a: x{{ env \"PORTICO_TEST_UNSET\" }}\n"
                        "   |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n");
    fixture_release(&f);
}

TEST(load_refuses_templates_in_dynamic_files)
{
    assert_null(load(LOAD_DYNAMIC, "http:\n  {{ range $i, $e := until 3 }}\n  a: \"{{ $i }}\"\n"));
    assert_string_equal(fixture_rendered(&f), "d.yaml:2:3: error: Go templates are not read in configuration files\n"
                                              " 2 |   {{ range $i, $e := until 3 }}\n"
                                              "   |   ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~ only {{ env \"NAME\" }} is\n"
                                              "d.yaml:3:7: error: Go templates are not read in configuration files\n"
                                              " 3 |   a: \"{{ $i }}\"\n"
                                              "   |       ^~~~~~~~ only {{ env \"NAME\" }} is\n");
    fixture_release(&f);
}

TEST(load_leaves_templates_inside_of_the_main_files_values)
{
    struct node *root = load(LOAD_MAIN, "a: \"Host(`{{ .Name }}`)\"\nb: Host(`{{ .Name }}`)\n");
    assert_string_equal(fixture_rendered(&f), "");
    assert_member(root, "a", "Host(`{{ .Name }}`)");
    assert_member(root, "b", "Host(`{{ .Name }}`)");
    fixture_release(&f);
    assert_null(load(LOAD_MAIN, "a: {{ .Name }}\n"));
    assert_int_equal(f.diag.errors, 1);
    fixture_release(&f);
}

TEST(load_steps_over_a_byte_order_mark)
{
    struct node *root = load(LOAD_MAIN, "\xef\xbb\xbf" "a: b\n");
    assert_member(root, "a", "b");
    assert_int_equal(root->first->key_span.column, 1);
    fixture_release(&f);
}

TEST(load_file_reads_a_file_and_says_why_it_cannot)
{
    char path[] = "/tmp/portico-load-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, "a: b\n", 5), 5);
    close(file);
    fixture_init(&f);
    assert_member(load_file(path, LOAD_MAIN, &f.arena, &f.diag), "a", "b");
    unlink(path);
    assert_null(load_file("/nowhere/portico.yaml", LOAD_MAIN, &f.arena, &f.diag));
    assert_null(load_file("x.toml", LOAD_MAIN, &f.arena, &f.diag));
    assert_string_equal(fixture_rendered(&f), "/nowhere/portico.yaml: error: cannot be read: No such file or directory\n"
                                              "x.toml: error: TOML is not read\n"
                                              "    = write it as YAML: the options have the same names\n");
    fixture_release(&f);
}

TEST(load_knows_the_files_of_a_directory)
{
    assert_true(load_is_file_name(S("a.yaml")));
    assert_true(load_is_file_name(S("a.YML")));
    assert_true(load_is_file_name(S("a.json")));
    assert_false(load_is_file_name(S(".a.yaml")));
    assert_false(load_is_file_name(S("a.yaml.bak")));
    assert_false(load_is_file_name(S("a.toml")));
}
