#include "observe/line_log.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/time.h"

/* A log in a folder of its own, and a worker whose loop is turned by hand. */
struct desk {
    struct worker worker;
    struct arena arena;
    char folder[64], path[80];
    struct line_log *log;
};

static void desk_init(struct desk *desk, int64_t buffer, int64_t flush, int gzip)
{
    assert_true(worker_init(&desk->worker, 0));
    arena_init(&desk->arena, ARENA_UNLIMITED);
    strcpy(desk->folder, "/tmp/portico-lines-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    snprintf(desk->path, sizeof(desk->path), "%s/log", desk->folder);
    struct line_log_settings settings = {.path = str_from(desk->path), .buffer = buffer, .flush = flush, .gzip = gzip};
    desk->log = line_log_new(&settings, 1);
}

static void desk_release(struct desk *desk)
{
    line_log_worker_release(&desk->worker);
    line_log_unref(desk->log);
    worker_release(&desk->worker);
    arena_release(&desk->arena);
    unlink(desk->path);
    assert_int_equal(rmdir(desk->folder), 0);
}

static void add(struct desk *desk, const char *words)
{
    struct text *line = line_log_begin(desk->log, &desk->worker, SYSLOG_INFO);
    assert_non_null(line);
    text_add(line, str_from(words));
    line_log_end(desk->log, &desk->worker);
}

static struct str content(struct desk *desk)
{
    struct str bytes;
    assert_true(file_read(&desk->arena, desk->path, (size_t)1 << 20, &bytes));
    return bytes;
}

TEST(line_log_takes_nothing_before_it_is_opened)
{
    struct desk desk;
    desk_init(&desk, 0, 0, 0);
    assert_null(line_log_begin(desk.log, &desk.worker, SYSLOG_INFO));
    assert_int_not_equal(access(desk.path, F_OK), 0);
    desk_release(&desk);
}

TEST(line_log_writes_what_a_turn_has_brought_when_it_ends)
{
    struct desk desk;
    desk_init(&desk, 0, 0, 0);
    assert_true(line_log_open(desk.log));
    add(&desk, "one");
    add(&desk, "two");
    assert_str_equal(content(&desk), S(""));
    loop_turn(&desk.worker.loop, 0);
    assert_str_equal(content(&desk), S("one\ntwo\n"));
    desk_release(&desk);
}

TEST(line_log_holds_lines_back_until_the_next_does_not_fit)
{
    struct desk desk;
    desk_init(&desk, 10, 0, 0);
    assert_true(line_log_open(desk.log));
    add(&desk, "first");
    loop_turn(&desk.worker.loop, 0);
    assert_str_equal(content(&desk), S(""));
    add(&desk, "second");
    loop_turn(&desk.worker.loop, 0);
    assert_str_equal(content(&desk), S("first\n"));
    line_log_worker_release(&desk.worker);
    assert_str_equal(content(&desk), S("first\nsecond\n"));
    desk_release(&desk);
}

TEST(line_log_writes_a_line_that_is_longer_than_the_buffer)
{
    struct desk desk;
    desk_init(&desk, 4, 0, 0);
    assert_true(line_log_open(desk.log));
    add(&desk, "longer than four");
    assert_str_equal(content(&desk), S("longer than four\n"));
    desk_release(&desk);
}

TEST(line_log_compresses_each_buffer_as_a_file_of_its_own)
{
    struct desk desk;
    char plain[64];
    desk_init(&desk, 8, 0, 1);
    assert_true(line_log_open(desk.log));
    add(&desk, "one");
    add(&desk, "second");
    line_log_worker_release(&desk.worker);
    gzFile file = gzopen(desk.path, "rb");
    assert_non_null(file);
    int len = gzread(file, plain, sizeof(plain));
    gzclose(file);
    assert_str_equal(str_of(plain, (size_t)len), S("one\nsecond\n"));
    desk_release(&desk);
}

TEST(line_log_that_is_opened_again_goes_on_in_a_new_file)
{
    struct desk desk;
    desk_init(&desk, 0, 0, 0);
    assert_true(line_log_open(desk.log));
    line_log_write(desk.log, SYSLOG_ERROR, S("before"));
    unlink(desk.path);
    assert_true(line_log_reopen(desk.log));
    line_log_write(desk.log, SYSLOG_ERROR, S("after"));
    assert_str_equal(content(&desk), S("after\n"));
    desk_release(&desk);
}

TEST(line_log_that_cannot_be_opened_says_so)
{
    struct line_log_settings settings = {.path = S("/nowhere/at/all/log")};
    struct line_log *log = line_log_new(&settings, 1);
    assert_false(line_log_open(log));
    line_log_unref(log);
}
