#include "base/kept_files.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/vec.h"

struct kept {
    char *path, *content;
    size_t len;
};

static VEC(struct kept) kept_files;
static bool keeping;

static void release(struct kept *kept)
{
    explicit_bzero(kept->content, kept->len);
    free(kept->content);
    free(kept->path);
}

static struct kept *find(const char *path)
{
    for (size_t i = 0; i < kept_files.count; i++)
        if (strcmp(kept_files.items[i].path, path) == 0)
            return &kept_files.items[i];
    return NULL;
}

void kept_files_begin(void)
{
    keeping = true;
}

void kept_files_settle(void)
{
    size_t left = 0;
    for (size_t i = 0; i < kept_files.count; i++) {
        if (faccessat(AT_FDCWD, kept_files.items[i].path, R_OK, AT_EACCESS) == 0)
            release(&kept_files.items[i]);
        else
            kept_files.items[left++] = kept_files.items[i];
    }
    kept_files.count = left;
    keeping = false;
    if (left == 0)
        VEC_RELEASE(&kept_files);
}

void kept_files_add(const char *path, struct str content)
{
    if (!keeping)
        return;
    struct kept *former = find(path), kept = {.path = memory_copy_text(path, strlen(path)),
                                              .content = memory_copy_text(content.data, content.len),
                                              .len = content.len};
    if (former == NULL) {
        VEC_PUSH(&kept_files, kept);
        return;
    }
    release(former);
    *former = kept;
}

bool kept_files_find(const char *path, struct str *ret_content)
{
    const struct kept *kept = find(path);
    if (kept != NULL)
        *ret_content = str_of(kept->content, kept->len);
    return kept != NULL;
}
