#include "base/kept_files.h"

#include "test.h"

TEST(a_file_is_kept_as_long_as_it_cannot_be_read)
{
    struct str content;
    kept_files_add("/nonexistent/before", S("not kept yet"));
    kept_files_begin();
    kept_files_add("/nonexistent/key.pem", S("former"));
    kept_files_add("/nonexistent/key.pem", S("secret"));
    kept_files_add("/dev/null", S("can be read"));
    kept_files_settle();
    kept_files_add("/nonexistent/after", S("not kept any more"));
    assert_true(kept_files_find("/nonexistent/key.pem", &content));
    assert_true(str_equal(content, S("secret")));
    assert_false(kept_files_find("/dev/null", &content));
    assert_false(kept_files_find("/nonexistent/before", &content));
    assert_false(kept_files_find("/nonexistent/after", &content));
}
