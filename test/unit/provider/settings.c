#include "provider/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

TEST(files_can_be_taken_as_a_former_model_has_them)
{
    char directory[] = "/tmp/portico-settings-XXXXXX", main_path[64], first[64], second[64], flag[96];
    assert_non_null(mkdtemp(directory));
    snprintf(main_path, sizeof(main_path), "%s/main.yaml", directory);
    snprintf(first, sizeof(first), "%s/dynamic/first.yaml", directory);
    snprintf(second, sizeof(second), "%s/dynamic/second.yaml", directory);
    snprintf(flag, sizeof(flag), "--providers.file.directory=%s/dynamic", directory);
    char dynamic[64];
    snprintf(dynamic, sizeof(dynamic), "%s/dynamic", directory);
    assert_int_equal(mkdir(dynamic, 0700), 0);
    write_file(main_path, "workers: 3\n");
    write_file(first, "http: {routers: {a: {rule: 'Host(`a`)', service: s}}}\n");
    char config[96];
    snprintf(config, sizeof(config), "--config=%s", main_path);
    const char *words[] = {config, flag};
    char *const nothing[] = {NULL};
    struct settings settings = {.words = words, .word_count = 2, .environment = nothing};
    struct diag diag;
    struct model *former = settings_load(&settings, &diag, NULL);
    assert_int_equal(diag.errors, 0);
    diag_release(&diag);

    write_file(main_path, "workers: [is, being, edited\n");
    write_file(first, "http: {nonsense\n");
    write_file(second, "nonsense\n");
    settings.former = former;
    struct model *model = settings_load(&settings, &diag, NULL);
    assert_int_equal(diag.errors, 0);
    assert_int_equal(model->config.workers, 3);
    assert_int_equal(model->part_count, 2);
    assert_int_equal(model->parts[1].http->routers.count, 1);
    diag_release(&diag);

    model_free(former);
    settings.former = model;      /* and it can be the former one of the next */
    struct model *third = settings_load(&settings, &diag, NULL);
    assert_int_equal(diag.errors, 0);
    diag_release(&diag);
    model_free(third);
    model_free(model);
    unlink(main_path), unlink(first), unlink(second), rmdir(dynamic), rmdir(directory);
}
