#include "provider/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

TEST(files_that_change_after_they_were_noted_are_found_to_have_changed)
{
    char path[] = "/tmp/portico-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct settings_files files = {.paths = {0}};
    write_file(path, "one");
    settings_files_note(&files, str_from(path));
    assert_true(settings_files_unchanged(&files));
    write_file(path, "two");
    assert_false(settings_files_unchanged(&files));
    write_file(path, "one");
    assert_true(settings_files_unchanged(&files));
    unlink(path);
    assert_false(settings_files_unchanged(&files));
    settings_files_release(&files);
}

TEST(a_file_that_comes_into_a_noted_directory_is_found_when_it_could_be_configuration)
{
    char directory[] = "/tmp/portico-settings-XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    struct settings_files files = {.paths = {0}};
    settings_files_note(&files, str_from(directory));
    snprintf(path, sizeof(path), "%s/access.log", directory);
    write_file(path, "");
    assert_true(settings_files_unchanged(&files));
    unlink(path);
    snprintf(path, sizeof(path), "%s/new.yaml", directory);
    write_file(path, "");
    assert_false(settings_files_unchanged(&files));
    unlink(path);
    assert_true(settings_files_unchanged(&files));
    rmdir(directory);
    settings_files_release(&files);
}
