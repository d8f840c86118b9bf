/* Reads and writes a CA's files; what they mean is for local_ca.c. */
#include "acme/ca_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "tls/pem.h"

#define FILE_MAX ((size_t)1 << 20)
#define PATH_MAX_BYTES 4096

/* ---- the directory ---- */

static bool make_directories(const char *directory)
{
    char path[PATH_MAX_BYTES];
    size_t length = strlen(directory);
    if (length == 0 || length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path, directory, length + 1);
    for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return false;
        *at = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool ca_directory_prepare(const char *directory, struct text *why)
{
    struct stat status;
    if (!make_directories(directory) || stat(directory, &status) != 0) {
        text_addf(why, "the local CA's directory %s cannot be made: %s", directory, strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        text_addf(why, "%s is no directory", directory);
        return false;
    }
    if ((status.st_mode & 022) != 0) {
        text_addf(why, "%s can be written by others: chmod 700 %s", directory, directory);
        return false;
    }
    return true;
}

int ca_lock(const char *directory, struct text *why)
{
    struct text path;
    text_init(&path, PATH_MAX_BYTES);
    text_addf(&path, "%s/.lock", directory);
    int lock = open(text_c(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (lock >= 0 && flock(lock, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        close(lock);
        lock = -1;
    }
    if (lock < 0)
        text_addf(why, "%s cannot be locked: %s", text_c(&path), strerror(errno));
    text_release(&path);
    return lock;
}

void ca_unlock(int lock)
{
    close(lock);
}

/* ---- reading ---- */

/* What one file holds. A key's file must be its owner's alone. */
static enum ca_read read_parts(const char *path, bool secret, struct pem_parts *parts, struct text *why)
{
    struct stat status;
    struct arena arena;
    struct str content;
    if (stat(path, &status) != 0 && errno == ENOENT)
        return CA_ABSENT;
    if (secret && (status.st_mode & 077) != 0) {
        text_addf(why, "%s can be read by others: chmod 600 %s", path, path);
        return CA_REFUSED;
    }
    arena_init(&arena, ARENA_UNLIMITED);
    bool read = file_read(&arena, path, FILE_MAX, &content);
    if (read) {
        pem_parts_read(parts, content);
        OPENSSL_cleanse((void *)(uintptr_t)content.data, content.len);
    } else {
        text_addf(why, "%s cannot be read: %s", path, strerror(errno));
    }
    arena_release(&arena);
    if (read && parts->why != NULL)
        text_addf(why, "%s %s", path, parts->why);
    return read && parts->why == NULL ? CA_READ : CA_REFUSED;
}

enum ca_read ca_certificate_read(const char *path, X509 **ret_certificate, struct text *why)
{
    struct pem_parts parts;
    pem_parts_init(&parts);
    *ret_certificate = NULL;
    enum ca_read result = read_parts(path, false, &parts, why);
    if (result == CA_READ && sk_X509_num(parts.certificates) == 0) {
        text_addf(why, "%s holds no certificate", path);
        result = CA_REFUSED;
    }
    if (result == CA_READ)
        *ret_certificate = sk_X509_shift(parts.certificates);
    pem_parts_release(&parts);
    return result;
}

static enum ca_read read_key(const char *path, EVP_PKEY **ret_key, struct text *why)
{
    struct pem_parts parts;
    pem_parts_init(&parts);
    enum ca_read result = read_parts(path, true, &parts, why);
    if (result == CA_READ && parts.key == NULL) {
        text_addf(why, "%s holds no private key", path);
        result = CA_REFUSED;
    }
    if (result == CA_READ) {
        *ret_key = parts.key;
        parts.key = NULL;
    }
    pem_parts_release(&parts);
    return result;
}

enum ca_read ca_pair_read(const char *directory, const char *name, struct ca_pair *ret_pair, struct text *why)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    *ret_pair = (struct ca_pair){0};
    enum ca_read certificate =
        ca_certificate_read(arena_printf(&arena, "%s/%s.crt", directory, name).data, &ret_pair->certificate, why);
    enum ca_read key = CA_REFUSED;
    if (certificate != CA_REFUSED)
        key = read_key(arena_printf(&arena, "%s/%s.key", directory, name).data, &ret_pair->key, why);
    arena_release(&arena);
    if (certificate == CA_REFUSED || key == CA_REFUSED) {
        ca_pair_release(ret_pair);
        return CA_REFUSED;
    }
    return certificate == CA_ABSENT && key == CA_ABSENT ? CA_ABSENT : CA_READ;
}

void ca_pair_release(struct ca_pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct ca_pair){0};
}

/* ---- writing ---- */

static bool write_file(const char *path, struct str content, mode_t mode, struct text *why)
{
    if (content.len != 0 && file_write(path, content, mode))
        return true;
    text_addf(why, "%s cannot be written: %s", path, content.len != 0 ? strerror(errno) : "it cannot be put into PEM");
    return false;
}

bool ca_pair_write(const char *directory, const char *name, const struct ca_pair *pair, struct text *why)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str key = pem_from_key(pair->key, &arena), certificate = pem_from_certificate(pair->certificate, &arena);
    bool written = write_file(arena_printf(&arena, "%s/%s.key", directory, name).data, key, 0600, why) &&
                   write_file(arena_printf(&arena, "%s/%s.crt", directory, name).data, certificate, 0644, why);
    OPENSSL_cleanse((void *)(uintptr_t)key.data, key.len);
    arena_release(&arena);
    return written;
}
