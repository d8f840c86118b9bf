#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kept_files.h"
#include "base/text.h"

#define READ_STEP ((size_t)16384)

/* Closes without losing the errno of what went wrong before. */
static void close_quietly(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* The size that stat gives is only a hint: pipes and /proc have none. The text's maximum is one byte more than
 * the file's, which tells a file of just that size from a larger one. */
static bool read_all(int fd, struct text *content)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return false;
    size_t step = status.st_size > 0 ? (size_t)status.st_size + 1 : READ_STEP;
    for (;;) {
        size_t left = content->max - content->len;
        if (left == 0) {
            errno = EFBIG;
            return false;
        }
        text_reserve(content, step < left ? step : left);
        ssize_t got = read(fd, content->data + content->len, content->capacity - content->len);
        if (got == 0)
            return true;
        if (got > 0)
            content->len += (size_t)got;
        else if (errno != EINTR)
            return false;
        step = READ_STEP;
    }
}

static bool read_kept(struct arena *arena, const char *path, size_t max, struct str *ret_content)
{
    struct str kept;
    if (errno != EACCES || !kept_files_find(path, &kept))
        return false;
    errno = EFBIG;
    if (kept.len > max)
        return false;
    *ret_content = arena_str(arena, kept);
    errno = ENOMEM;
    return ret_content->data != NULL;
}

bool file_read(struct arena *arena, const char *path, size_t max, struct str *ret_content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return read_kept(arena, path, max, ret_content);
    struct text content;
    text_init(&content, max < SIZE_MAX / 2 ? max + 1 : SIZE_MAX / 2);
    bool done = read_all(fd, &content);
    if (done) {
        kept_files_add(path, text_str(&content));
        *ret_content = arena_str(arena, text_str(&content));
        done = ret_content->data != NULL;
        if (!done)
            errno = ENOMEM;
    }
    close_quietly(fd);
    text_release(&content);
    return done;
}

static bool write_all(int fd, struct str content)
{
    while (content.len != 0) {
        ssize_t written = write(fd, content.data, content.len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            content = str_of(content.data + written, content.len - (size_t)written);
    }
    return true;
}

/* Without this the new name may be lost in a crash. Some file systems cannot do it for a folder. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
    close_quietly(fd);
    return synced;
}

static bool fill(int fd, struct str content, mode_t mode)
{
    bool filled = fchmod(fd, mode) == 0 && write_all(fd, content) && fsync(fd) == 0;
    close_quietly(fd);
    return filled;
}

bool file_write(const char *path, struct str content, mode_t mode)
{
    struct text folder, temporary;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    text_init(&folder, SIZE_MAX / 2);
    text_init(&temporary, SIZE_MAX / 2);
    text_add(&folder, slash != NULL ? str_of(path, (size_t)(name - path)) : S("./"));
    text_addf(&temporary, "%s.%s.XXXXXX", text_c(&folder), name);
    text_c(&temporary);
    int fd = mkostemp(temporary.data, O_CLOEXEC);
    bool written = fd >= 0;
    if (written) {
        written = fill(fd, content, mode) && rename(temporary.data, path) == 0;
        if (!written) {
            int error = errno;
            unlink(temporary.data);
            errno = error;
        }
    }
    written = written && sync_folder(text_c(&folder));
    int error = errno;
    text_release(&folder);
    text_release(&temporary);
    errno = error;
    return written;
}
