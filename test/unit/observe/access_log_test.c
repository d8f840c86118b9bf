#include "observe/access_log.h"

#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access_sample.h"
#include "base/log.h"
#include "base/time.h"

/* A log in a folder of its own, and a worker whose loop is turned by hand. */
struct desk {
    struct sample sample;
    struct worker worker;
    char folder[64], path[80], other[80];
    struct access_log *log;
};

static void desk_init(struct desk *desk)
{
    desk->log = NULL;
    sample_init(&desk->sample);
    desk->sample.config.format = ACCESS_COMMON;
    assert_true(worker_init(&desk->worker, 0));
    strcpy(desk->folder, "/tmp/portico-access-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    snprintf(desk->path, sizeof(desk->path), "%s/log", desk->folder);
    snprintf(desk->other, sizeof(desk->other), "%s/log.1", desk->folder);
    desk->sample.config.file_path = str_from(desk->path);
}

static void desk_open(struct desk *desk)
{
    desk->log = access_log_new(&desk->sample.config);
    assert_non_null(desk->log);
}

static void desk_release(struct desk *desk)
{
    access_log_worker_release(&desk->worker);
    if (desk->log != NULL)
        access_log_unref(desk->log);
    worker_release(&desk->worker);
    unlink(desk->path);
    unlink(desk->other);
    assert_int_equal(rmdir(desk->folder), 0);
    sample_release(&desk->sample);
}

static void add(struct desk *desk, const char *path)
{
    desk->sample.record.path = str_from(path);
    access_log_write(desk->log, &desk->worker, &desk->sample.record);
}

/* A turn that comes when the pause between two writes is over. */
static void turn(struct desk *desk)
{
    usleep(11000);
    loop_turn(&desk->worker.loop, 0);
}

static struct str content(struct desk *desk, const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return STR_NONE;
    char *text = arena_alloc(&desk->sample.fixture.arena, 1 << 20);
    size_t len = fread(text, 1, 1 << 20, file);
    fclose(file);
    return str_of(text, len);
}

static size_t lines(struct desk *desk, const char *path)
{
    struct str rest = content(desk, path), line;
    size_t count = 0;
    while (str_split(&rest, '\n', &line))
        count += rest.data != NULL;
    return count;
}

TEST(access_log_lines_are_written_at_the_turns_end)
{
    struct desk desk;
    desk_init(&desk);
    desk_open(&desk);
    add(&desk, "/one");
    add(&desk, "/two");
    assert_int_equal(lines(&desk, desk.path), 0);
    turn(&desk);
    assert_int_equal(lines(&desk, desk.path), 2);
    assert_true(str_find(content(&desk, desk.path), S("\"GET /two?q=1 HTTP/1.1\"")) > 0);
    desk_release(&desk);
}

TEST(access_log_writes_what_came_soon_after_a_write_without_another_line)
{
    struct desk desk;
    desk_init(&desk);
    desk_open(&desk);
    add(&desk, "/one");
    turn(&desk);
    add(&desk, "/two");
    loop_turn(&desk.worker.loop, 0);
    for (int i = 0; i < 100 && lines(&desk, desk.path) == 1; i++)
        loop_turn(&desk.worker.loop, 100 * TIME_MS);
    assert_int_equal(lines(&desk, desk.path), 2);
    desk_release(&desk);
}

TEST(access_log_holds_lines_back_until_there_are_enough)
{
    struct desk desk;
    desk_init(&desk);
    desk.sample.config.buffering_size = 3;
    desk_open(&desk);
    add(&desk, "/1");
    add(&desk, "/2");
    turn(&desk);
    assert_int_equal(lines(&desk, desk.path), 0);
    add(&desk, "/3");
    turn(&desk);
    assert_int_equal(lines(&desk, desk.path), 3);
    add(&desk, "/4");
    turn(&desk);
    for (int i = 0; i < 100 && lines(&desk, desk.path) == 3; i++)      /* the second that a line may wait */
        loop_turn(&desk.worker.loop, 100 * TIME_MS);
    assert_int_equal(lines(&desk, desk.path), 4);
    add(&desk, "/5");
    access_log_flush(&desk.worker);
    assert_int_equal(lines(&desk, desk.path), 5);
    desk_release(&desk);
}

TEST(access_log_that_is_opened_again_goes_on_in_a_new_file)
{
    struct desk desk;
    desk_init(&desk);
    desk_open(&desk);
    add(&desk, "/one");
    turn(&desk);
    assert_int_equal(rename(desk.path, desk.other), 0);
    add(&desk, "/two");      /* still the former file */
    turn(&desk);
    assert_true(access_log_reopen(desk.log));
    add(&desk, "/three");
    turn(&desk);
    assert_int_equal(lines(&desk, desk.other), 2);
    assert_int_equal(lines(&desk, desk.path), 1);
    desk_release(&desk);
}

TEST(access_log_matches_what_it_was_made_of)
{
    struct desk desk;
    desk_init(&desk);
    desk_open(&desk);
    assert_true(access_log_matches(desk.log, &desk.sample.config));
    struct access_log_config other = desk.sample.config;
    other.buffering_size = 5;
    assert_false(access_log_matches(desk.log, &other));
    other = desk.sample.config;
    other.file_path = STR_NONE;
    assert_false(access_log_matches(desk.log, &other));
    other = desk.sample.config;
    other.format = ACCESS_JSON;
    assert_false(access_log_matches(desk.log, &other));
    desk_release(&desk);
}

TEST(access_log_of_a_place_that_is_not_there_is_none)
{
    struct desk desk;
    desk_init(&desk);
    desk.sample.config.file_path = S("/nonexistent/log");
    assert_null(access_log_new(&desk.sample.config));
    desk_release(&desk);
}

TEST(access_log_writes_lines_longer_than_any_buffer)
{
    struct desk desk;
    desk_init(&desk);
    desk_open(&desk);
    static char path[400001];
    memset(path, 'x', sizeof(path) - 1);
    add(&desk, "/before");
    add(&desk, path);
    add(&desk, "/behind");
    turn(&desk);
    assert_int_equal(lines(&desk, desk.path), 3);
    assert_true(str_find(content(&desk, desk.path), str_from(path)) > 0);
    desk_release(&desk);
}

/* The files of this process may not grow beyond `bytes`; RLIM_INFINITY: any more. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(access_log_ends_a_line_that_a_full_disk_cut)
{
    struct desk desk;
    desk_init(&desk);
    desk_open(&desk);
    struct log_settings quiet = {.level = LOG_PANIC};
    assert_true(log_configure(&quiet));
    add(&desk, "/whole");
    turn(&desk);
    size_t before = content(&desk, desk.path).len;
    signal(SIGXFSZ, SIG_IGN);
    limit_files(before + 20);
    add(&desk, "/cut");
    add(&desk, "/lost");
    turn(&desk);
    assert_int_equal(content(&desk, desk.path).len, before + 20);
    add(&desk, "/lost/too");
    turn(&desk);
    limit_files(RLIM_INFINITY);
    add(&desk, "/again");
    turn(&desk);
    struct str rest = str_from_index(content(&desk, desk.path), before + 20);
    assert_true(str_starts(rest, S("\n192.0.2.1 - - [")));
    assert_true(str_find(rest, S("/again")) > 0 && str_find(rest, S("/lost")) < 0);
    assert_int_equal(lines(&desk, desk.path), 3);
    struct log_settings loud = {.level = LOG_INFO};
    assert_true(log_configure(&loud));
    desk_release(&desk);
}
