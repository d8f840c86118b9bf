#include "base/log.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "test.h"

struct place {
    char folder[32];
    char path[64];
    char moved[64];
    struct arena arena;
};

static struct log_settings settings_for(const struct place *place, enum log_format format)
{
    return (struct log_settings){
        .level = LOG_INFO, .format = format, .path = str_from(place->path)};
}

static void enter(struct place *place, enum log_format format)
{
    strcpy(place->folder, "/tmp/portico-log-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof(place->path), "%s/portico.log", place->folder);
    snprintf(place->moved, sizeof(place->moved), "%s/portico.log.1", place->folder);
    arena_init(&place->arena, ARENA_UNLIMITED);
    struct log_settings settings = settings_for(place, format);
    assert_true(log_configure(&settings));
}

static void leave(struct place *place)
{
    struct log_settings settings = {.level = LOG_INFO};
    assert_true(log_configure(&settings));
    unlink(place->path);
    unlink(place->moved);
    assert_int_equal(rmdir(place->folder), 0);
    arena_release(&place->arena);
}

static struct str content_of(struct place *place, const char *path)
{
    struct str content;
    assert_true(file_read(&place->arena, path, (size_t)1 << 24, &content));
    return content;
}

/* Checks "2026-11-22T10:00:00.123Z " and gives what follows it. */
static struct str after_time(struct str line)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    assert_true(line.len >= sizeof(shape) - 1);
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        if (shape[i] == 'd')
            assert_true(ascii_digit(line.data[i]));
        else
            assert_int_equal(line.data[i], shape[i]);
    }
    return str_from_index(line, sizeof(shape) - 1);
}

TEST(log_text_is_time_level_message_and_fields)
{
    struct place place;
    enter(&place, LOG_TEXT);
    log_with(LOG_WARN, FIELDS("service", "api", "empty", "", "why", "a \"b\"\n=c"), "server is %s",
             "down");
    assert_str_equal(after_time(content_of(&place, place.path)),
                     S("WRN server is down service=api empty=\"\" why=\"a \\\"b\\\"\\n=c\"\n"));
    leave(&place);
}

TEST(log_text_cannot_be_forged_by_a_message)
{
    struct place place;
    enter(&place, LOG_TEXT);
    log_info("path '%s'", "/x\n2026 ERR \x1b[31m\r");
    assert_str_equal(after_time(content_of(&place, place.path)),
                     S("INF path '/x\\n2026 ERR \\x1b[31m\\x0d'\n"));
    leave(&place);
}

TEST(log_json_is_one_object_a_line)
{
    struct place place;
    enter(&place, LOG_JSON);
    log_with(LOG_ERROR, FIELDS("path", "/\"\xff\n"), "say \"%s\"", "hi");
    struct str content = content_of(&place, place.path);
    assert_int_equal(str_find_char(content, '\n', 0), content.len - 1);
    json_t *line = json_loadb(content.data, content.len, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "msg")), "say \"hi\"");
    assert_string_equal(json_string_value(json_object_get(line, "path")), "/\"\xef\xbf\xbd\n");
    char time[32];
    snprintf(time, sizeof(time), "%s ", json_string_value(json_object_get(line, "time")));
    assert_int_equal(after_time(str_from(time)).len, 0);
    json_decref(line);
    leave(&place);
}

TEST(log_lines_stay_whole_when_the_message_is_huge)
{
    struct place place;
    static char huge[3000000];
    enter(&place, LOG_JSON);
    memset(huge, 1, sizeof(huge) - 1);
    log_with(LOG_ERROR, FIELDS("k", huge), "%s", huge);
    struct str content = content_of(&place, place.path);
    assert_true(content.len < 200000);
    json_t *line = json_loadb(content.data, content.len, 0, NULL);
    assert_non_null(line);
    assert_true(json_string_length(json_object_get(line, "msg")) > 10000);
    json_decref(line);
    leave(&place);
}

TEST(log_leaves_out_what_is_below_its_level_and_keeps_errno)
{
    struct place place;
    enter(&place, LOG_TEXT);
    assert_false(log_enabled(LOG_DEBUG));
    log_debug("not shown");
    errno = EXDEV;
    log_error("shown");
    assert_int_equal(errno, EXDEV);
    assert_str_equal(after_time(content_of(&place, place.path)), S("ERR shown\n"));
    leave(&place);
}

TEST(log_reopen_follows_the_name_after_rotation)
{
    struct place place;
    enter(&place, LOG_TEXT);
    log_info("one");
    assert_int_equal(rename(place.path, place.moved), 0);
    log_info("two");
    assert_true(log_reopen());
    log_info("three");
    assert_str_equal(after_time(content_of(&place, place.path)), S("INF three\n"));
    assert_true(str_ends(content_of(&place, place.moved), S("INF two\n")));
    leave(&place);
}

TEST(log_that_cannot_be_opened_leaves_the_former_one)
{
    struct place place;
    enter(&place, LOG_TEXT);
    struct log_settings bad = {.level = LOG_ERROR, .path = S("/tmp/portico-no-such-folder/log")};
    assert_false(log_configure(&bad));
    assert_int_equal(errno, ENOENT);
    log_info("still here");
    assert_str_equal(after_time(content_of(&place, place.path)), S("INF still here\n"));
    leave(&place);
}

TEST(log_opens_no_descriptor_more_however_often_it_is_configured)
{
    struct place place;
    enter(&place, LOG_TEXT);
    int before = dup(0);
    close(before);
    for (int i = 0; i < 50; i++) {
        struct log_settings settings = settings_for(&place, LOG_TEXT);
        if (i % 2 == 0)
            settings.path = STR_NONE;
        assert_true(log_configure(&settings));
        assert_true(log_reopen());
    }
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
    leave(&place);
}

#define LINES 400

static void *chatter(void *name)
{
    for (int i = 0; i < LINES; i++)
        log_with(LOG_INFO, FIELDS("thread", name), "a line that must stay whole");
    return NULL;
}

TEST(log_lines_of_threads_never_mix_nor_vanish_while_it_is_reopened)
{
    struct place place;
    pthread_t threads[3];
    static char names[3][2] = {"0", "1", "2"};
    enter(&place, LOG_TEXT);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, names[i]), 0);
    for (int i = 0; i < 100; i++)
        assert_true(log_reopen());
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    struct str rest = content_of(&place, place.path), line;
    unsigned count = 0;
    for (; str_split(&rest, '\n', &line) && line.len != 0; count++)
        assert_str_equal(str_first(after_time(line), line.len - 26),
                         S("INF a line that must stay whole thread="));
    assert_int_equal(count, 3 * LINES);
    leave(&place);
}

static enum log_level tapped;
static char tapped_line[256];

static void on_line(enum log_level level, struct str line)
{
    tapped = level;
    snprintf(tapped_line, sizeof(tapped_line), "%.*s", STR_ARGS(line));
}

TEST(log_in_nginx_s_form_has_level_and_process)
{
    struct place place;
    enter(&place, LOG_NGINX);
    log_with(LOG_PANIC, FIELDS("client", "1.2.3.4"), "a\nb");
    struct str line = content_of(&place, place.path);
    assert_true(str_find(line, S(" [emerg] ")) > 0 && str_find(line, S("#")) > 0);
    assert_true(str_ends(line, S(": a\\nb, client: 1.2.3.4\n")));
    leave(&place);
}

TEST(log_tells_its_tap_of_more_than_it_writes)
{
    struct place place;
    enter(&place, LOG_TEXT);
    struct log_settings settings = settings_for(&place, LOG_TEXT);
    settings.heard_below = 1;
    assert_true(log_configure(&settings));
    log_set_tap(on_line);
    log_debug("only heard");
    log_set_tap(NULL);
    assert_int_equal(tapped, LOG_DEBUG);
    assert_non_null(strstr(tapped_line, "only heard"));
    assert_str_equal(content_of(&place, place.path), S(""));
    leave(&place);
}
