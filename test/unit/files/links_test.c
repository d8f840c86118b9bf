#include "files/links.h"

#include "test.h"

#include <unistd.h>

#include "place.h"

static enum status open_with(struct place *place, const char *name, enum links links, size_t base)
{
    struct tree_file file;
    struct str path = str_from(place_at(place, name));
    struct links_rule rule = {.links = links, .base = base == 1 ? strlen(place_at(place, "root")) : base};
    enum status looked = links_open(path, &rule, true, &file);
    enum status status = links_open(path, &rule, false, &file);
    if (status == STATUS_OK)
        close(file.fd);
    assert_int_equal(looked, status);
    return status;
}

TEST(links_are_followed_as_the_rule_says)
{
    struct place place;
    place_init(&place);
    place_folder(&place, "root/sub");
    place_write(&place, "root/sub/a", "");
    place_link(&place, "root/near", "sub/a");
    place_link(&place, "root/out", "../secret.txt");
    place_link(&place, "root/folder", "sub");
    place_link(&place, "by", "root");
    unsigned before = place_descriptors();
    assert_int_equal(open_with(&place, "root/near", LINKS_INSIDE, 1), STATUS_OK);
    assert_int_equal(open_with(&place, "root/out", LINKS_INSIDE, 1), STATUS_FILE_FORBIDDEN);
    assert_int_equal(open_with(&place, "root/out", LINKS_ANYWHERE, 0), STATUS_OK);
    assert_int_equal(open_with(&place, "root/sub/a", LINKS_NONE, 1), STATUS_OK);
    assert_int_equal(open_with(&place, "root/near", LINKS_NONE, 1), STATUS_FILE_FORBIDDEN);
    assert_int_equal(open_with(&place, "root/folder/a", LINKS_NONE, 1), STATUS_FILE_NOT_FOUND);
    assert_int_equal(open_with(&place, "by/sub/a", LINKS_NONE, 0), STATUS_FILE_NOT_FOUND);
    assert_int_equal(open_with(&place, "by/sub/a", LINKS_NONE, strlen(place_at(&place, "by"))), STATUS_OK);
    assert_int_equal(open_with(&place, "by/near", LINKS_OWNED, 0), STATUS_OK);
    assert_int_equal(open_with(&place, "root/none", LINKS_OWNED, 0), STATUS_FILE_NOT_FOUND);
    assert_int_equal(open_with(&place, "root/sub/", LINKS_NONE, 1), STATUS_OK);
    assert_int_equal(open_with(&place, "root/sub/a/", LINKS_NONE, 1), STATUS_FILE_NOT_FOUND);
    assert_int_equal(place_descriptors(), before);
    place_release(&place);
}
