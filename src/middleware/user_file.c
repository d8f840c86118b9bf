#include "middleware/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/secret.h"
#include "base/vec.h"

#define FILES_KEPT 32

struct line {
    struct str name, hash;
    size_t order;
};

struct file {
    char *path;
    char *content;
    size_t size;
    struct stat about;
    VEC(struct line) lines;      /* by name, the first of each name alone */
    unsigned refs;               /* under the lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *kept[FILES_KEPT];
static unsigned next_place;

/* ---- reading ---- */

static int by_name(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    int order = str_compare(left->name, right->name);
    return order != 0 ? order : (left->order > right->order) - (left->order < right->order);
}

static void read_line(struct file *file, struct str text)
{
    ptrdiff_t colon = str_find_char(text, ':', 0);
    if (colon < 0 || text.data[0] == '#' || text.data[0] == '\r')
        return;
    struct str hash = str_from_index(text, (size_t)colon + 1);
    size_t end = 0;
    while (end < hash.len && hash.data[end] != ':' && hash.data[end] != '\r')
        end++;
    VEC_PUSH(&file->lines, ((struct line){
                               .name = str_first(text, (size_t)colon), .hash = str_first(hash, end), .order = file->lines.count}));
}

static void sort_lines(struct file *file)
{
    size_t left = 0;
    if (file->lines.count != 0)
        qsort(file->lines.items, file->lines.count, sizeof(struct line), by_name);
    for (size_t i = 0; i < file->lines.count; i++)
        if (left == 0 || !str_equal(file->lines.items[left - 1].name, file->lines.items[i].name))
            file->lines.items[left++] = file->lines.items[i];
    file->lines.count = left;
}

static bool read_content(struct file *file, int fd)
{
    if (fstat(fd, &file->about) != 0 || !S_ISREG(file->about.st_mode) || (size_t)file->about.st_size > USER_FILE_MAX)
        return false;
    file->content = memory_alloc((size_t)file->about.st_size + 1);
    while (file->size < (size_t)file->about.st_size) {
        ssize_t got = read(fd, file->content + file->size, (size_t)file->about.st_size - file->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        file->size += (size_t)got;
    }
    struct str rest = str_of(file->content, file->size), text;
    while (str_split(&rest, '\n', &text))
        if (text.len != 0)
            read_line(file, text);
    sort_lines(file);
    return true;
}

static void free_file(struct file *file)
{
    if (file->content != NULL)
        secret_wipe(file->content, file->size);
    free(file->content);
    free(file->path);
    VEC_RELEASE(&file->lines);
    free(file);
}

/* NULL with errno. */
static struct file *read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    struct file *file = memory_zalloc(sizeof(*file));
    file->path = memory_copy_text(path, strlen(path));
    file->refs = 1;
    bool good = read_content(file, fd);
    close(fd);
    if (good)
        return file;
    free_file(file);
    errno = EIO;
    return NULL;
}

/* ---- keeping ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void drop(struct file *file)
{
    if (file != NULL && --file->refs == 0)
        free_file(file);
}

static struct file **place_of(const char *path)
{
    for (unsigned i = 0; i < FILES_KEPT; i++)
        if (kept[i] != NULL && strcmp(kept[i]->path, path) == 0)
            return &kept[i];
    return NULL;
}

/* One reference for the caller; NULL: it is not kept, or has changed. */
static struct file *find_kept(const char *path, const struct stat *about)
{
    pthread_mutex_lock(&lock);
    struct file **place = place_of(path), *file = place != NULL && is_same(&(*place)->about, about) ? *place : NULL;
    if (file != NULL)
        file->refs++;
    pthread_mutex_unlock(&lock);
    return file;
}

static void keep(struct file *file)
{
    pthread_mutex_lock(&lock);
    struct file **place = place_of(file->path);
    if (place == NULL)
        place = &kept[next_place++ % FILES_KEPT];
    drop(*place);
    *place = file;
    file->refs++;
    pthread_mutex_unlock(&lock);
}

static void let_go(struct file *file)
{
    pthread_mutex_lock(&lock);
    drop(file);
    pthread_mutex_unlock(&lock);
}

/* For leak checkers: what is kept is the process's to the end. */
__attribute__((destructor)) static void forget_all(void)
{
    for (unsigned i = 0; i < FILES_KEPT; i++) {
        drop(kept[i]);
        kept[i] = NULL;
    }
}

/* ---- asking ---- */

static int compare_name(const void *key, const void *item)
{
    const struct str *name = key;
    const struct line *line = item;
    return str_compare(*name, line->name);
}

static enum user_file find_line(const struct file *file, struct str name, struct arena *arena, struct str *ret_hash)
{
    *ret_hash = S("");
    if (file->lines.count == 0)
        return USER_FILE_NOT_FOUND;
    const struct line *line = bsearch(&name, file->lines.items, file->lines.count, sizeof(struct line), compare_name);
    const struct line *used = line != NULL ? line : &file->lines.items[str_hash(name) % file->lines.count];
    *ret_hash = arena_str(arena, used->hash);
    return line != NULL && ret_hash->data != NULL ? USER_FILE_FOUND : USER_FILE_NOT_FOUND;
}

enum user_file user_file_find(struct str path, struct str name, struct arena *arena, struct str *ret_hash)
{
    struct stat about;
    const char *text = arena_str(arena, path).data;
    if (text == NULL)
        return USER_FILE_UNREADABLE;
    if (path.len != strlen(text))
        return USER_FILE_MISSING;
    if (stat(text, &about) != 0)
        return errno == ENOENT ? USER_FILE_MISSING : USER_FILE_UNREADABLE;
    struct file *file = find_kept(text, &about);
    if (file == NULL) {
        file = read_file(text);
        if (file == NULL)
            return errno == ENOENT ? USER_FILE_MISSING : USER_FILE_UNREADABLE;
        keep(file);
    }
    enum user_file found = find_line(file, name, arena, ret_hash);
    let_go(file);
    return found;
}
