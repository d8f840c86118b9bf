#include "observe/log_files.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"

static char folder[64];

static const char *path_of(const char *name)
{
    static char path[96];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void begin(void)
{
    strcpy(folder, "/tmp/portico-files-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void end(void)
{
    unlink(path_of("a"));
    unlink(path_of("b"));
    unlink(path_of("c"));
    assert_int_equal(rmdir(folder), 0);
}

static bool add(struct log_files *files, const char *name, int64_t now)
{
    return log_files_write(files, 0, path_of(name), S("x\n"), now);
}

/* Only a file that stayed open still takes a line when its name is gone. */
static bool stays_open(struct log_files *files, const char *name, int64_t now)
{
    unlink(path_of(name));
    assert_true(add(files, name, now));
    bool open = access(path_of(name), F_OK) != 0;
    unlink(path_of(name));
    return open;
}

TEST(log_files_keep_nothing_open_unless_asked)
{
    struct log_files_settings settings = {.max = 0};
    struct log_files *files = log_files_new(&settings, 1);
    begin();
    assert_true(add(files, "a", 1));
    assert_false(stays_open(files, "a", 2));
    end();
    log_files_free(files);
}

TEST(log_files_keep_those_open_that_are_used_often_enough)
{
    struct log_files_settings settings = {.max = 2, .min_uses = 2, .inactive = TIME_S, .valid = 10 * TIME_S};
    struct log_files *files = log_files_new(&settings, 1);
    begin();
    assert_true(add(files, "a", 1));
    assert_true(add(files, "b", 1));
    assert_true(add(files, "b", 1));
    assert_true(stays_open(files, "b", 2));
    assert_false(stays_open(files, "a", 3));
    end();
    log_files_free(files);
}

TEST(log_files_let_the_least_recently_used_go)
{
    struct log_files_settings settings = {.max = 2, .min_uses = 1, .inactive = TIME_S, .valid = 10 * TIME_S};
    struct log_files *files = log_files_new(&settings, 1);
    begin();
    add(files, "a", 1);
    add(files, "b", 2);
    add(files, "a", 3);
    add(files, "c", 4);
    assert_true(stays_open(files, "a", 5));
    assert_true(stays_open(files, "c", 6));
    assert_false(stays_open(files, "b", 7));
    end();
    log_files_free(files);
}

TEST(log_files_look_whether_a_file_is_still_there)
{
    struct log_files_settings settings = {.max = 2, .min_uses = 1, .inactive = 100 * TIME_S, .valid = TIME_S};
    struct log_files *files = log_files_new(&settings, 1);
    begin();
    add(files, "a", TIME_S);
    assert_true(stays_open(files, "a", TIME_S + 1));
    assert_false(stays_open(files, "a", 3 * TIME_S));
    end();
    log_files_free(files);
}

TEST(log_files_that_were_not_used_for_long_are_closed)
{
    struct log_files_settings settings = {.max = 2, .min_uses = 1, .inactive = TIME_S, .valid = 100 * TIME_S};
    struct log_files *files = log_files_new(&settings, 1);
    begin();
    add(files, "a", TIME_S);
    assert_false(stays_open(files, "a", 5 * TIME_S));
    end();
    log_files_free(files);
}

TEST(log_files_are_opened_anew_when_told)
{
    struct log_files_settings settings = {.max = 2, .min_uses = 1, .inactive = 100 * TIME_S, .valid = 100 * TIME_S};
    struct log_files *files = log_files_new(&settings, 1);
    begin();
    add(files, "a", 1);
    log_files_reopen(files);
    assert_false(stays_open(files, "a", 2));
    end();
    log_files_free(files);
}
