#include "acme/storage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme/storage_lock.h"
#include "acme/storage_place.h"
#include "base/file.h"
#include "test.h"

static char root[64];
static char path[256];
static struct text why;

static void begin(const char *name)
{
    snprintf(root, sizeof(root), "/tmp/portico-storage-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/%s", root, name);
    text_init(&why, 4096);
}

static void end(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    assert_int_equal(system(command), 0);
    text_release(&why);
}

static struct storage *open_storage(const char *resolver)
{
    return storage_new(str_from(path), str_from(resolver));
}

static const struct strs *names_of(struct str *name)
{
    static struct strs names;
    names = (struct strs){name, 1};
    return &names;
}

static void add(struct storage *storage, const char *name, const char *chain)
{
    struct str str = str_from(name);
    struct state_certificate *certificate = state_certificate_new(storage_state(storage));
    certificate->names = names_copy(names_of(&str), &certificate->arena);
    certificate->chain = arena_str(&certificate->arena, str_from(chain));
    certificate->key = S("key");
    certificate->unsaved = true;
}

static struct state_certificate *find(struct storage *storage, const char *name)
{
    struct str str = str_from(name);
    return state_certificate_of(storage_state(storage), names_of(&str));
}

static unsigned mode_of(const char *file)
{
    struct stat stat_;
    assert_int_equal(stat(file, &stat_), 0);
    return stat_.st_mode & 0777U;
}

static void write_file(const char *text, unsigned mode)
{
    assert_true(file_write(path, str_from(text), mode));
}

TEST(a_storage_that_is_not_there_is_empty_and_is_made_private)
{
    begin("new/deeper/acme.json");
    struct storage *storage = open_storage("le");
    assert_true(storage_read(storage, &why));
    assert_false(storage_is_unsaved(storage));
    assert_true(storage_save(storage, &why));
    assert_int_equal(access(path, F_OK), -1);
    add(storage, "a.example", "chain");
    assert_true(storage_is_unsaved(storage));
    assert_true(storage_save(storage, &why));
    assert_false(storage_is_unsaved(storage));
    assert_int_equal(mode_of(path), 0600);
    storage_free(storage);
    storage = open_storage("le");
    assert_true(storage_read(storage, &why));
    assert_str_equal(find(storage, "a.example")->chain, S("chain"));
    storage_free(storage);
    end();
}

TEST(a_storage_that_others_may_read_is_refused_with_the_remedy)
{
    begin("acme.json");
    write_file("{}", 0640);
    struct storage *storage = open_storage("le");
    assert_false(storage_read(storage, &why));
    char remedy[300];
    snprintf(remedy, sizeof(remedy), "chmod 600 %s", path);
    assert_non_null(strstr(text_c(&why), remedy));
    add(storage, "a.example", "chain");
    assert_false(storage_save(storage, &why));
    assert_true(storage_is_unsaved(storage));
    chmod(path, 0600);
    assert_true(storage_save(storage, &why));
    storage_free(storage);
    end();
}

TEST(a_broken_storage_is_an_error_and_stays_as_it_is)
{
    begin("acme.json");
    write_file("{\"le\": {\"Certificates\": 7}}", 0600);
    struct storage *storage = open_storage("le");
    assert_false(storage_read(storage, &why));
    assert_non_null(strstr(text_c(&why), "le.Certificates is not a list"));
    add(storage, "a.example", "chain");
    assert_false(storage_save(storage, &why));
    struct arena arena;
    struct str content;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(file_read(&arena, path, 1000, &content));
    assert_str_equal(content, S("{\"le\": {\"Certificates\": 7}}"));
    arena_release(&arena);
    storage_free(storage);
    end();
}

TEST(resolvers_that_share_a_file_keep_each_others_state)
{
    begin("acme.json");
    struct storage *one = open_storage("one"), *two = open_storage("two");
    assert_true(storage_read(one, &why) && storage_read(two, &why));
    add(one, "a.example", "of one");
    add(two, "a.example", "of two");
    assert_true(storage_save(one, &why) && storage_save(two, &why));
    add(one, "b.example", "more");
    assert_true(storage_save(one, &why));
    assert_true(storage_read(two, &why));
    assert_str_equal(find(two, "a.example")->chain, S("of two"));
    assert_null(find(two, "b.example"));
    storage_free(one);
    storage_free(two);
    end();
}

TEST(a_link_to_a_storage_stays_a_link)
{
    begin("acme.json");
    write_file("{}", 0600);
    char link[300];
    snprintf(link, sizeof(link), "%s/link", root);
    assert_int_equal(symlink(path, link), 0);
    struct storage *storage = storage_new(str_from(link), S("le"));
    add(storage, "a.example", "chain");
    assert_true(storage_save(storage, &why));
    struct stat stat_;
    assert_int_equal(lstat(link, &stat_), 0);
    assert_true(S_ISLNK(stat_.st_mode));
    storage_free(storage);
    storage = open_storage("le");
    assert_true(storage_read(storage, &why));
    assert_non_null(find(storage, "a.example"));
    storage_free(storage);
    end();
}

TEST(a_directory_has_a_folder_for_each_certificate)
{
    begin("acme/");
    struct storage *storage = open_storage("le");
    assert_true(storage_is_directory(storage));
    assert_true(storage_read(storage, &why));
    add(storage, "a.example", "first");
    add(storage, "*.a.example", "second");
    add(storage, "../../etc", "third");
    struct state_certificate *both = state_certificate_new(storage_state(storage));
    both->names = names_copy(&(struct strs){(struct str[]){STR("a.example"), STR("b.example")}, 2}, &both->arena);
    both->chain = both->key = S("fourth");
    both->unsaved = true;
    struct state_account *account = state_account_new(storage_state(storage), ACCOUNT_FIRST);
    account->email = S("me@example.com");
    account->key = S("k");
    account->unsaved = true;
    assert_true(storage_save(storage, &why));
    static const char *const files[] = {"a.example/certificate.pem", "_wildcard.a.example/key.pem", "_._.._etc/meta.json",
                                        "a.example-2/certificate.pem", "account.json"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char file[400];
        snprintf(file, sizeof(file), "%s%s", path, files[i]);
        if (access(file, F_OK) != 0)
            fail_msg("%s is not there", file);
        assert_int_equal(mode_of(file), 0600);
    }
    storage_free(storage);
    storage = open_storage("le");
    assert_true(storage_read(storage, &why));
    assert_int_equal(storage_state(storage)->certificates.count, 4);
    assert_str_equal(find(storage, "*.a.example")->chain, S("second"));
    assert_str_equal(find(storage, "a.example")->folder, S("a.example"));
    assert_str_equal(storage_state(storage)->accounts[ACCOUNT_FIRST]->email, S("me@example.com"));
    storage_free(storage);
    end();
}

TEST(a_certificate_that_is_dropped_takes_its_folder_with_it)
{
    begin("acme/");
    struct storage *storage = open_storage("le");
    add(storage, "a.example", "first");
    assert_true(storage_save(storage, &why));
    storage_drop(storage, find(storage, "a.example"));
    assert_true(storage_save(storage, &why));
    assert_true(storage_read(storage, &why));
    assert_null(find(storage, "a.example"));
    storage_free(storage);
    end();
}

TEST(a_key_in_a_directory_that_others_may_read_is_refused)
{
    begin("acme/");
    struct storage *storage = open_storage("le");
    add(storage, "a.example", "first");
    assert_true(storage_save(storage, &why));
    char file[300];
    snprintf(file, sizeof(file), "%sa.example/key.pem", path);
    chmod(file, 0644);
    assert_false(storage_read(storage, &why));
    assert_non_null(strstr(text_c(&why), "chmod 600"));
    assert_non_null(find(storage, "a.example"));
    storage_free(storage);
    end();
}

/* Another process that holds the lock until it may go. */
static pid_t hold_elsewhere(int *ret_release)
{
    int ready[2], release[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(release), 0);
    pid_t child = fork();
    if (child == 0) {
        char lock[300];
        snprintf(lock, sizeof(lock), "%s.lock", path);
        struct storage_lock *held = storage_lock_ref(lock);
        bool good = storage_lock_take(held) && write(ready[1], "x", 1) == 1;
        close(release[1]);
        _exit(good && read(release[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(release[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    *ret_release = release[1];
    return child;
}

TEST(a_lock_keeps_other_processes_out_and_resolvers_of_this_one_in)
{
    begin("acme.json");
    int release, status;
    pid_t child = hold_elsewhere(&release);
    struct storage *one = open_storage("one"), *two = open_storage("two");
    assert_false(storage_lock(one));
    add(one, "a.example", "chain");
    assert_false(storage_save(one, &why));
    close(release);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(storage_lock(one));
    assert_true(storage_lock(two));
    assert_false(storage_is_current(one));
    assert_true(storage_save(one, &why));
    assert_true(storage_is_current(one));
    storage_unlock(one);
    assert_true(storage_is_current(one));
    storage_unlock(two);
    assert_false(storage_is_current(one));
    storage_free(one);
    storage_free(two);
    end();
}

TEST(what_another_process_wrote_is_read_before_the_next_write)
{
    begin("acme.json");
    struct storage *one = open_storage("le");
    add(one, "a.example", "old");
    assert_true(storage_save(one, &why));
    write_file("{\"le\": {\"Certificates\": [{\"domain\": {\"main\": \"a.example\"}, \"certificate\": \"bmV3\","
               "\"key\": \"a2V5\"}]}}", 0600);
    add(one, "b.example", "mine");
    assert_true(storage_save(one, &why));
    assert_str_equal(find(one, "a.example")->chain, S("new"));
    assert_str_equal(find(one, "b.example")->chain, S("mine"));
    storage_free(one);
    end();
}

TEST(a_place_that_cannot_be_written_keeps_the_state_for_later)
{
    begin("acme.json");
    assert_int_equal(symlink("/dev/null/acme.json", path), 0);
    struct storage *storage = open_storage("le");
    add(storage, "a.example", "chain");
    assert_false(storage_save(storage, &why));
    assert_true(storage_is_unsaved(storage));
    assert_true(why.len > 0);
    unlink(path);
    assert_true(storage_save(storage, &why));
    storage_free(storage);
    end();
}
