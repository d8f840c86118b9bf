#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/nginx/syntax.h"
#include "nginx_text.h"

static struct fixture f;

static const struct {
    const char *text, *said;
} mistakes[] = {
    {"lorem a;", "nginx.conf:1:1: unknown directive \"lorem\""},
    {"http { server { test_wrod a; } }", "nginx.conf:1:17: unknown directive \"test_wrod\", did you mean \"test_word\"?"},
    {"http { lorem { ipsum; dolor { sit; } } test_word a; }", "nginx.conf:1:8: unknown directive \"lorem\""},
    {"server { }", "nginx.conf:1:1: \"server\" directive is not allowed here, it may stand in http and upstream"},
    {"test_some a;", "nginx.conf:1:1: \"test_some\" directive is not allowed here, it may stand in http, server and location"},
    {"http { test_word; }",
     "nginx.conf:1:8: invalid number of arguments in \"test_word\" directive, it takes 1"},
    {"http { test_some a b c d; }",
     "nginx.conf:1:8: invalid number of arguments in \"test_some\" directive, it takes 1 to 3"},
    {"http { test_many; test_none a; }",
     "nginx.conf:1:8: invalid number of arguments in \"test_many\" directive, it takes 1 or more\n"
     "nginx.conf:1:19: invalid number of arguments in \"test_none\" directive, it takes none"},
    {"http { test_word a\n test_flag on; }",
     "nginx.conf:1:8: invalid number of arguments in \"test_word\" directive, is a ';' missing behind 'a'?"},
    {"http { test_flag; }",
     "nginx.conf:1:8: invalid number of arguments in \"test_flag\" directive, it takes \"on\" or \"off\""},
    {"http { test_flag yes; }",
     "nginx.conf:1:18: invalid value \"yes\" in \"test_flag\" directive, it must be \"on\" or \"off\""},
    {"http { test_flag ON; server { test_flag Off; } }", ""},
    {"http { test_word a; test_word b; }",
     "nginx.conf:1:21: \"test_word\" directive is duplicate (first given)"},
    {"http { test_word a; server { test_word b; } }", ""},
    {"http;", "nginx.conf:1:1: directive \"http\" has no opening \"{\""},
    {"http { test_word a { b; } }", "nginx.conf:1:8: directive \"test_word\" is not terminated by \";\""},
    {"http { } }", "nginx.conf:1:10: unexpected \"}\""},
    {"http { test_word a }", "nginx.conf:1:20: unexpected \"}\", is a ';' missing behind 'a'?"},
    {"http { test_word 'a'}", "nginx.conf:1:21: unexpected \"}\", is a ';' missing before it?"},
    {"test_word \"a\"b;", "nginx.conf:1:14: unexpected \"b\", a space or ';' belongs behind the closing quote\n"
                          "nginx.conf:1:1: invalid number of arguments in \"test_word\" directive, it takes 1"},
    {";", "nginx.conf:1:1: unexpected \";\""},
    {"{ a; { b; } } test_word a;", "nginx.conf:1:1: unexpected \"{\""},
    {"http {\n", "nginx.conf:2:1: unexpected end of file, expecting \"}\" (of this block)"},
    {"test_word a", "nginx.conf:1:11: unexpected end of file, expecting \";\" or \"}\", it came within this word: is a quote or a ';' missing?"},
    {"test_word a ", "nginx.conf:1:13: unexpected end of file, expecting \";\" or \"}\", is a ';' missing behind 'a'?"},
    {"test_word \"a;\n\n",
     "nginx.conf:1:11: unexpected end of file, expecting \";\" or \"}\", it came within this word: is a quote or a ';' missing?"},
    {"test_rows { a b; c { d; } }", "nginx.conf:1:18: unexpected \"{\" in this block"},
    {"http { test_noted a; test_noted b; }", "note: nginx.conf:1:8: \"test_noted\" has no effect: the reason"},
    {"http { test_refused a; test_refused off; }", "nginx.conf:1:8: unknown directive \"test_refused\", use test_word"},
    {"http { js_import a; ssi off; fastcgi_param a b; }",
     "nginx.conf:1:8: unknown directive \"js_import\", there is no njs in Portico: use map, if, auth_request, or an application behind "
     "proxy_pass\n"
     "note: nginx.conf:1:30: \"fastcgi_param\" has no effect: it says something only of what is not used here"},
    {"include a.conf;", "nginx.conf:1:1: \"include\" directive is not allowed here"},
    {"http { lorem a; test_flag x; } ipsum;",
     "nginx.conf:1:8: unknown directive \"lorem\"\n"
     "nginx.conf:1:27: invalid value \"x\" in \"test_flag\" directive, it must be \"on\" or \"off\"\n"
     "nginx.conf:1:32: unknown directive \"ipsum\""},
};

TEST(nginx_mistakes_are_told_in_its_words_all_in_one_run)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        assert_non_null(nginx_text_read(&f, mistakes[i].text));
        assert_string_equal(nginx_text_said(&f), mistakes[i].said);
        fixture_release(&f);
    }
}

TEST(nginx_comments_stay_with_their_directives)
{
    struct nginx_directive *root = nginx_text_read(&f, "# one\n\n# two\nhttp { # three\n"
                                                       "  test_word a; # four\n  # five\n  test_flag on;\n  # six\n}\n");
    const struct nginx_directive *http = root->first;
    assert_str_equal(http->comment, S(" one\n two\n three\n six"));
    assert_str_equal(http->first->comment, S(" four"));
    assert_str_equal(http->last->comment, S(" five"));
    fixture_release(&f);
}

TEST(nginx_directives_of_one_name_at_one_level_are_linked)
{
    struct nginx_directive *root = nginx_text_read(&f, "test_many a; http { test_many b; test_flag on; test_many c; } test_many d;");
    const struct nginx_directive *http = root->first->next;
    assert_ptr_equal(root->first->same, http->next);
    assert_null(http->next->same);
    assert_ptr_equal(http->first->same, http->last);
    fixture_release(&f);
}

TEST(nginx_blocks_are_nested_within_a_bound)
{
    char text[4096] = "http { server {";
    for (int i = 0; i < 150; i++)
        strcat(text, " location / {");
    nginx_text_read(&f, text);
    assert_int_equal(f.diag.errors, 1);
    assert_non_null(strstr(nginx_text_said(&f), "blocks are nested more than 100 deep"));
    fixture_release(&f);
}

TEST(nginx_directives_are_found_for_their_context)
{
    assert_true(nginx_syntax_find(S("server"), NGINX_HTTP)->block);
    assert_false(nginx_syntax_find(S("server"), NGINX_UPSTREAM)->block);
    assert_non_null(nginx_syntax_find(S("server"), NGINX_MAIN));
    assert_null(nginx_syntax_find(S("Server"), NGINX_HTTP));
}

/* --- files ------------------------------------------------------------------------------------------- */

static char folder[64];

static void write_file(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_true(file_write(path, str_from(text), 0600));
}

static struct nginx_directive *read_files(const char *text, struct nginx_files *files)
{
    char path[160];
    fixture_init(&f);
    write_file("nginx.conf", text);
    snprintf(path, sizeof(path), "%s/nginx.conf", folder);
    return nginx_read(str_from(path), files, &f.arena, &f.diag);
}

static void begin(void)
{
    strcpy(folder, "/tmp/portico-nginx-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void end(void)
{
    char command[160];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    fixture_release(&f);
    assert_int_equal(system(command), 0);
}

static void count_file(void *context, struct str path)
{
    assert_true(str_starts(path, str_from(folder)));
    ++*(int *)context;
}

TEST(nginx_includes_stand_where_they_are_included)
{
    begin();
    write_file("b.conf", "test_many b;");
    write_file("a.conf", "test_many a;\n# more\n");
    write_file("types", "text/html html;");
    int noted = 0;
    struct nginx_files files = {.note = count_file, .context = &noted};
    struct nginx_directive *root = read_files("http { test_many 1; include *.[c]onf.d; include [ab].conf; include a.conf;\n"
                                              "test_rows { include types; x y; } }", &files);
    assert_string_equal(nginx_text_said(&f), "");
    assert_string_equal(nginx_text_tree(&f, root),
                        "http{test_many(1) test_many(a) test_many(b) test_many(a) test_rows{text/html(html) x(y)}}");
    const struct nginx_directive *a = root->first->first->next;
    assert_true(str_ends(a->span.source->name, S("/a.conf")));
    assert_int_equal(files.count, 4);
    assert_int_equal(noted, 6);
    assert_str_equal(files.files[1].content, S("test_many a;\n# more\n"));
    end();
}

TEST(nginx_includes_end_at_their_bounds)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"include none.conf;", "/none.conf\" failed (2: No such file or directory)"},
        {"include nginx.conf;", "/nginx.conf\" includes itself"},
        {"include loop.conf;", "includes itself"},
        {"include .;", "failed (21: Is a directory)"},
        {"include open.conf;", "unexpected end of file, expecting \"}\""},
        {"http { include close.conf; }", "close.conf:1:1: unexpected \"}\""},
        {"include a b;", "invalid number of arguments in \"include\" directive"},
        {"include none*.conf;", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        write_file("loop.conf", "include loop2.conf;");
        write_file("loop2.conf", "include loop.conf;");
        write_file("open.conf", "http {");
        write_file("close.conf", "}");
        struct nginx_files files = {0};
        read_files(cases[i].text, &files);
        assert_non_null(strstr(nginx_text_said(&f), cases[i].said));
        assert_int_equal(f.diag.errors, cases[i].said[0] != '\0');
        end();
    }
}
