#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct place {
    char folder[32];
    char path[64];
    struct arena arena;
};

static void enter(struct place *place)
{
    strcpy(place->folder, "/tmp/portico-file-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof(place->path), "%s/state.json", place->folder);
    arena_init(&place->arena, ARENA_UNLIMITED);
}

static unsigned count_entries(const char *folder)
{
    DIR *open = opendir(folder);
    unsigned count = 0;
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(open);
    return count;
}

static void leave(struct place *place)
{
    unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0);
    arena_release(&place->arena);
}

TEST(file_reads_back_what_it_wrote_and_leaves_nothing_beside_it)
{
    struct place place;
    struct str content;
    enter(&place);
    mode_t mask = umask(077);
    assert_true(file_write(place.path, S("former"), 0600));
    assert_true(file_write(place.path, S("a\0b"), 0644));
    umask(mask);
    assert_true(file_read(&place.arena, place.path, 100, &content));
    assert_str_equal(content, S("a\0b"));
    assert_int_equal(content.data[3], '\0');
    struct stat status;
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(count_entries(place.folder), 1);
    leave(&place);
}

TEST(file_read_takes_the_maximum_and_not_a_byte_more)
{
    struct place place;
    struct str content = S("untouched");
    enter(&place);
    assert_true(file_write(place.path, S("12345"), 0600));
    assert_false(file_read(&place.arena, place.path, 4, &content));
    assert_int_equal(errno, EFBIG);
    assert_str_equal(content, S("untouched"));
    assert_true(file_read(&place.arena, place.path, 5, &content));
    assert_int_equal(content.len, 5);
    assert_true(file_write(place.path, STR_NONE, 0600));
    assert_true(file_read(&place.arena, place.path, 0, &content));
    assert_int_equal(content.len, 0);
    leave(&place);
}

TEST(file_read_goes_through_pipes_and_files_without_a_size)
{
    struct place place;
    struct str content;
    int ends[2];
    static char bytes[50000];
    enter(&place);
    memset(bytes, 'p', sizeof(bytes));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, sizeof(bytes)), sizeof(bytes));
    close(ends[1]);
    snprintf(place.path, sizeof(place.path), "/dev/fd/%d", ends[0]);
    assert_true(file_read(&place.arena, place.path, sizeof(bytes), &content));
    assert_int_equal(content.len, sizeof(bytes));
    close(ends[0]);
    assert_true(file_read(&place.arena, "/proc/self/status", 100000, &content));
    assert_true(str_starts(content, S("Name:")));
    leave(&place);
}

TEST(file_errors_come_by_errno)
{
    struct place place;
    struct str content;
    struct arena small;
    enter(&place);
    assert_false(file_read(&place.arena, place.path, 10, &content));
    assert_int_equal(errno, ENOENT);
    assert_false(file_read(&place.arena, place.folder, 10, &content));
    assert_int_equal(errno, EISDIR);
    assert_false(file_write("/tmp/portico-no-such-folder/x", S("x"), 0600));
    assert_int_equal(errno, ENOENT);
    assert_true(file_write(place.path, S("does not fit"), 0600));
    arena_init(&small, 8);
    assert_false(file_read(&small, place.path, 100, &content));
    assert_int_equal(errno, ENOMEM);
    arena_release(&small);
    leave(&place);
}

TEST(file_write_that_fails_leaves_no_temporary_file)
{
    struct place place;
    enter(&place);
    assert_int_equal(mkdir(place.path, 0700), 0);
    assert_false(file_write(place.path, S("x"), 0600));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(count_entries(place.folder), 1);
    assert_int_equal(rmdir(place.path), 0);
    leave(&place);
}

TEST(file_write_takes_names_without_a_folder)
{
    struct place place;
    struct str content;
    enter(&place);
    int here = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(place.folder), 0);
    bool written = file_write("state.json", S("relative"), 0600);
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_true(written);
    assert_true(file_read(&place.arena, place.path, 100, &content));
    assert_str_equal(content, S("relative"));
    leave(&place);
}
