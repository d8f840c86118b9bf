/* Owns a body that was taken off its connection. Refuses to know who will read it, and how often. */
#include "exchange/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"

struct spool {
    struct arena *arena;
    struct chunk_pool *pool;
    const struct spool_place *place;        /* NULL: none of its own */
    struct str name;                /* of its file; data NULL: it has none */
    int64_t memory_max;
    int64_t length;
    struct chunkq memory;           /* all of it, while fd is -1 */
    int fd;                         /* else all of it is here */
    struct body_source source;
    struct body_source *then;       /* what follows; NULL: nothing */
    int64_t read_at;                /* how far the present reader has come */
};

struct spool *spool_new(struct arena *arena, struct chunk_pool *pool, int64_t memory_max)
{
    struct spool *spool = arena_new(arena, struct spool);
    if (spool == NULL)
        return NULL;
    spool->arena = arena;
    spool->pool = pool;
    spool->memory_max = memory_max;
    spool->fd = -1;
    chunkq_init(&spool->memory);
    return spool;
}

struct spool *spool_share(const struct spool *spool, struct arena *arena)
{
    struct spool *other = spool_new(arena, spool->pool, spool->memory_max);
    if (other == NULL)
        return NULL;
    other->length = spool->length;
    if (spool->fd < 0) {
        chunkq_share(&other->memory, &spool->memory, 0, (size_t)spool->length);
        return other;
    }
    other->fd = fcntl(spool->fd, F_DUPFD_CLOEXEC, 0);
    return other->fd >= 0 ? other : NULL;
}

void spool_release(struct spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    if (spool->name.data != NULL && !spool->place->kept)
        unlink(spool->name.data);
    spool->fd = -1;
    spool->name = STR_NONE;
    chunkq_release(&spool->memory);
}

void spool_set_place(struct spool *spool, const struct spool_place *place)
{
    spool->place = place;
    if (place->named)
        spool->memory_max = -1;
}

static const char *folder_of(const struct spool *spool, bool own)
{
    const char *folder = own ? spool->place->folder.data : getenv("TMPDIR");
    return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

/* A file with a name of its own in the folder, which `path` gets; -1 with errno. */
static int open_named(const char *folder, char *path, size_t size)
{
    int len = snprintf(path, size, "%s/portico-body-XXXXXX", folder);
    return len >= 0 && (size_t)len < size ? mkostemp(path, O_CLOEXEC) : -1;
}

/* A file without a name; file systems that know no such thing get one whose name is removed at once. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    char path[PATH_MAX];
    fd = open_named(folder, path, sizeof(path));
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int open_in(struct spool *spool, const char *folder)
{
    if (spool->place == NULL || !spool->place->named)
        return open_nameless(folder);
    char path[PATH_MAX];
    int fd = open_named(folder, path, sizeof(path));
    if (fd >= 0)
        spool->name = arena_str(spool->arena, str_from(path));
    return fd;
}

/* A folder of its own may be missing; a file that needs no name will do elsewhere too. */
static int open_file(struct spool *spool)
{
    bool own = spool->place != NULL && spool->place->folder.len != 0;
    const char *folder = folder_of(spool, own);
    int fd = open_in(spool, folder);
    if (fd < 0 && own && errno == ENOENT && mkdir(folder, 0700) == 0)
        fd = open_in(spool, folder);
    return fd < 0 && own && !spool->place->named ? open_nameless(folder_of(spool, false)) : fd;
}

static enum status write_out(int fd, struct chunkq *bytes)
{
    while (bytes->bytes != 0) {
        struct iovec vector[16];
        ssize_t written = writev(fd, vector, chunkq_iovec(bytes, vector, 16));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return STATUS_FILE_ERROR;
        chunkq_drop(bytes, (size_t)written);
    }
    return STATUS_OK;
}

/* What was in memory goes to the file first; from then on everything does. */
static enum status move_to_disk(struct spool *spool)
{
    spool->fd = open_file(spool);
    if (spool->fd < 0)
        return STATUS_FILE_ERROR;
    enum status status = write_out(spool->fd, &spool->memory);
    chunkq_release(&spool->memory);
    return status;
}

enum status spool_add(struct spool *spool, struct chunkq *bytes)
{
    int64_t length = spool->length + (int64_t)bytes->bytes;
    if (spool->fd < 0 && length > spool->memory_max) {
        enum status status = move_to_disk(spool);
        if (status != STATUS_OK)
            return status;
    }
    if (spool->fd >= 0) {
        enum status status = write_out(spool->fd, bytes);
        if (status != STATUS_OK)
            return status;
    } else if (!chunkq_pack(&spool->memory, bytes, spool->pool)) {
        return STATUS_OVERLOADED;
    }
    spool->length = length;
    return STATUS_OK;
}

int64_t spool_length(const struct spool *spool)
{
    return spool->length;
}

int spool_file(const struct spool *spool)
{
    return spool->fd;
}

struct str spool_file_name(const struct spool *spool)
{
    return spool->name;
}

struct str spool_bytes(struct spool *spool)
{
    if (spool->fd >= 0)
        return STR_NONE;
    if (spool->memory.count > 1) {
        struct chunk *whole = chunk_new_sized(spool->pool, (size_t)spool->length);
        if (whole == NULL)
            return STR_NONE;
        while (spool->memory.bytes != 0) {
            struct str part = chunkq_front(&spool->memory);
            memcpy(whole->data + whole->used, part.data, part.len);
            whole->used += (uint32_t)part.len;
            chunkq_drop(&spool->memory, part.len);
        }
        chunkq_add(&spool->memory, whole, whole->data, whole->used);
        chunk_unref(whole);
    }
    struct str bytes = chunkq_front(&spool->memory);
    return bytes.data != NULL ? bytes : S("");
}

static enum status read_memory(struct spool *spool, struct chunkq *into, size_t max)
{
    spool->read_at += (int64_t)chunkq_share(into, &spool->memory, (size_t)spool->read_at, max);
    return STATUS_OK;
}

static enum status read_file(struct spool *spool, struct chunkq *into, size_t max)
{
    struct chunk *chunk = chunk_new(spool->pool, true);
    if (chunk == NULL)
        return STATUS_OVERLOADED;
    if (max > chunk->capacity)
        max = chunk->capacity;
    ssize_t got;
    do {
        got = pread(spool->fd, chunk->data, max, spool->read_at);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        chunk->used = (uint32_t)got;
        chunkq_add(into, chunk, chunk->data, (size_t)got);
        spool->read_at += got;
    }
    chunk_unref(chunk);
    return got > 0 ? STATUS_OK : STATUS_FILE_ERROR;
}

static enum status read_source(struct body_source *source, struct chunkq *into, size_t max)
{
    struct spool *spool = container_of(source, struct spool, source);
    if (spool->read_at == spool->length)
        return spool->then != NULL ? spool->then->ops->read(spool->then, into, max) : STATUS_END;
    return spool->fd >= 0 ? read_file(spool, into, max) : read_memory(spool, into, max);
}

static enum status splice_source(struct body_source *source, int pipe, size_t max, size_t *ret_moved)
{
    struct body_source *then = container_of(source, struct spool, source)->then;
    return then->ops->splice(then, pipe, max, ret_moved);
}

static int64_t splice_ready(struct body_source *source)
{
    const struct spool *spool = container_of(source, struct spool, source);
    return spool->read_at == spool->length ? spool->then->ops->splice_ready(spool->then) : 0;
}

static const struct body_source_ops spool_source = {.read = read_source};
static const struct body_source_ops splicing_source = {.read = read_source, .splice = splice_source, .splice_ready = splice_ready};

struct body_source *spool_rewind(struct spool *spool)
{
    spool->read_at = 0;
    spool->then = NULL;
    spool->source = (struct body_source){&spool_source};
    return &spool->source;
}

struct body_source *spool_rewind_before(struct spool *spool, struct body_source *then)
{
    spool_rewind(spool);
    spool->then = then;
    if (then->ops->splice != NULL)
        spool->source.ops = &splicing_source;
    return &spool->source;
}
