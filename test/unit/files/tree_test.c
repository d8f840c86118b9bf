#include "files/tree.h"

#include "test.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "place.h"

struct woods {
    struct place place;
    struct tree tree;
};

static void woods_init(struct woods *woods)
{
    place_init(&woods->place);
    tree_init(&woods->tree, &woods->place.fixture.arena, str_from(place_at(&woods->place, "root")), 1);
    place_folder(&woods->place, "root/sub");
    place_write(&woods->place, "root/sub/a.txt", "a");
}

static void woods_release(struct woods *woods)
{
    tree_release(&woods->tree);
    place_release(&woods->place);
}

/* What the file says, "/" for a folder, or why it could not be opened. */
static const char *opened(struct woods *woods, const char *name)
{
    static char content[64];
    struct tree_file file;
    enum status status = tree_open(&woods->tree, &woods->place.worker, name, &file);
    if (status != STATUS_OK)
        return status_reason(status);
    ssize_t got = S_ISDIR(file.stat.st_mode) ? 0 : read(file.fd, content, sizeof(content) - 1);
    assert_true(got >= 0);
    content[got] = '\0';
    close(file.fd);
    return S_ISDIR(file.stat.st_mode) ? "/" : content;
}

static void assert_name(struct woods *woods, const char *path, const char *expected)
{
    struct str name;
    enum status status = tree_name(&woods->tree, &woods->place.fixture.arena, str_from(path), &name);
    if (expected == NULL) {
        assert_int_equal(status, STATUS_FILE_NOT_FOUND);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    assert_str_equal(name, str_from(expected));
    assert_int_equal(name.data[name.len], '\0');
}

TEST(tree_name_is_the_decoded_path_without_its_first_slash)
{
    struct woods woods;
    woods_init(&woods);
    assert_name(&woods, "/", ".");
    assert_name(&woods, "/a.txt", "a.txt");
    assert_name(&woods, "/sub/", "sub/");
    assert_name(&woods, "/sub//a.txt", "sub/a.txt");
    assert_name(&woods, "//", ".");
    assert_name(&woods, "/a%20b%25%C3%A9", "a b%\xc3\xa9");
    assert_name(&woods, "/%252e%252e/a", "%2e%2e/a");
    woods_release(&woods);
}

TEST(tree_name_refuses_what_could_mean_another_file)
{
    static const char *const paths[] = {"", "a", "*", "/..", "/../a", "/a/..", "/.", "/./a", "/%2e%2e/a", "/a%2fb", "/..%2fa", "/%2F",
                                        "/a%00", "/%00", "/.%00.", "/a%5cb", "/..\\a", "/a%", "/a%2", "/a%zz"};
    struct woods woods;
    woods_init(&woods);
    for (int hidden = 0; hidden < 2; hidden++) {
        woods.tree.hidden = hidden != 0;
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
            assert_name(&woods, paths[i], NULL);
    }
    woods_release(&woods);
}

TEST(tree_name_hides_what_begins_with_a_dot_but_for_well_known)
{
    struct woods woods;
    woods_init(&woods);
    assert_name(&woods, "/.env", NULL);
    assert_name(&woods, "/sub/.git/config", NULL);
    assert_name(&woods, "/%2eenv", NULL);
    assert_name(&woods, "/...", NULL);
    assert_name(&woods, "/.well-known/security.txt", ".well-known/security.txt");
    assert_name(&woods, "/sub/.well-known/x", NULL);
    woods.tree.hidden = true;
    assert_name(&woods, "/.env", ".env");
    assert_name(&woods, "/...", "...");
    woods_release(&woods);
}

/* What holds with openat2 and without it. */
static void check_opening(struct woods *woods)
{
    struct place *place = &woods->place;
    assert_string_equal(opened(woods, "sub/a.txt"), "a");
    assert_string_equal(opened(woods, "."), "/");
    assert_string_equal(opened(woods, "sub"), "/");
    assert_string_equal(opened(woods, "sub/"), "/");
    assert_string_equal(opened(woods, "absent"), "file_not_found");
    assert_string_equal(opened(woods, "sub/a.txt/"), "file_not_found");
    assert_string_equal(opened(woods, "sub/a.txt/b"), "file_not_found");
    assert_string_equal(opened(woods, "out.txt"), "file_forbidden");
    assert_string_equal(opened(woods, "absolute.txt"), "file_forbidden");
    assert_true(strstr("file_forbidden file_not_found", opened(woods, "up/secret.txt")) != NULL);
    assert_true(strstr("file_forbidden file_not_found", opened(woods, "sub/updeep/secret.txt")) != NULL);
    assert_true(strstr("file_forbidden file_not_found", opened(woods, "proc/self/root/etc/passwd")) != NULL);
    assert_string_equal(opened(woods, "loop"), "file_forbidden");
    assert_string_equal(opened(woods, "fifo"), "file_forbidden");
    assert_string_equal(opened(woods, "socket"), "file_forbidden");
    char name[600];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_string_equal(opened(woods, name), "file_not_found");
    struct stat stat = {0};
    assert_int_equal(tree_look(&woods->tree, &place->worker, "sub/a.txt", &stat), STATUS_OK);
    assert_int_equal(stat.st_size, 1);
    assert_int_equal(tree_look(&woods->tree, &place->worker, "out.txt", &stat), STATUS_FILE_FORBIDDEN);
}

static void make_traps(struct place *place)
{
    place_link(place, "root/inside", "sub/a.txt");
    place_link(place, "root/out.txt", "../secret.txt");
    place_link(place, "root/absolute.txt", place_at(place, "root/sub/a.txt"));
    place_link(place, "root/up", "..");
    place_link(place, "root/sub/updeep", "../..");
    place_link(place, "root/proc", "/proc");
    place_link(place, "root/loop", "loop");
    assert_int_equal(mkfifo(place_at(place, "root/fifo"), 0644), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, place_at(place, "root/socket"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

TEST(tree_opens_what_lies_beneath_and_nothing_else)
{
    struct woods woods;
    woods_init(&woods);
    make_traps(&woods.place);
    unsigned before = place_descriptors();
    woods.tree.openat2 = true;
    check_opening(&woods);
    assert_string_equal(opened(&woods, "inside"), "a");
    woods.tree.follow = false;
    check_opening(&woods);
    assert_string_equal(opened(&woods, "inside"), "file_forbidden");
    assert_int_equal(place_descriptors(), before + 1);      /* the root's own */
    woods_release(&woods);
}

TEST(tree_without_openat2_follows_no_links)
{
    struct woods woods;
    woods_init(&woods);
    make_traps(&woods.place);
    unsigned before = place_descriptors();
    woods.tree.openat2 = false;
    check_opening(&woods);
    assert_string_equal(opened(&woods, "inside"), "file_forbidden");
    assert_int_equal(place_descriptors(), before + 1);
    woods_release(&woods);
}

TEST(tree_sees_a_root_that_was_swapped)
{
    struct woods woods;
    woods_init(&woods);
    struct place *place = &woods.place;
    place_folder(place, "new");
    place_write(place, "new/b.txt", "new");
    place_link(place, "current", "root");
    tree_release(&woods.tree);
    tree_init(&woods.tree, &place->fixture.arena, str_from(place_at(place, "current")), 1);
    assert_string_equal(opened(&woods, "sub/a.txt"), "a");
    assert_int_equal(unlink(place_at(place, "current")), 0);
    place_link(place, "current", "new");
    assert_string_equal(opened(&woods, "b.txt"), "file_not_found");
    place->worker.loop.now += TIME_S;
    assert_string_equal(opened(&woods, "b.txt"), "new");
    assert_int_equal(unlink(place_at(place, "current")), 0);
    place->worker.loop.now += TIME_S;
    assert_string_equal(opened(&woods, "b.txt"), "file_error");
    place_link(place, "current", "root");
    assert_string_equal(opened(&woods, "sub/a.txt"), "a");
    woods_release(&woods);
}
