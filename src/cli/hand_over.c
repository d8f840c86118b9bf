#include "cli/hand_over.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/data_directory.h"

/* Folders below: of the data directory, of a storage, of a local CA. */
#define DATA_DEPTH 2
#define STORAGE_DEPTH 1
#define CA_DEPTH 0

/* A file that the configuration names; a folder's entries that begin with its name are of its kind (".lock", rotated logs). */
struct place {
    struct str folder, name;
    const char *path;
    struct span span;
    bool storage;              /* else a log */
};

struct places {
    struct place *items;
    size_t count;
    struct arena *arena;
    const struct owner *owner;
};

/* ---- one file ---- */

/* By the file that is open, not by its name, which may lead elsewhere a moment later. Where it is refused (a file system without
 * owners, a root that may not) hand_over_review sees whether that matters. */
static bool give(int fd, const struct owner *owner)
{
    return fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) == 0;
}

static int open_place(int folder, const char *name, mode_t kind, struct stat *ret_status)
{
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, ret_status) == 0 && (ret_status->st_mode & S_IFMT) == kind)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One that has a second name may be anybody's. */
static void give_file(int folder, const char *name, const struct owner *owner)
{
    struct stat status;
    int fd = open_place(folder, name, S_IFREG, &status);
    if (fd < 0)
        return;
    if (status.st_nlink == 1 && status.st_uid != owner->uid)
        give(fd, owner);
    close(fd);
}

/* ---- folders that are ours by their form ---- */

/* What the local CA and a storage that is a directory consist of; a file that is being replaced lies beside as ".NAME.XXXXXX". */
static bool is_file_of_ours(const char *name)
{
    static const char *const names[] = {"account.json", "certificate.pem", "key.pem", "meta.json", ".lock", "root.crt", "root.key",
                                        "intermediate.crt", "intermediate.key"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0 || (name[0] == '.' && strncmp(name + 1, names[i], strlen(names[i])) == 0))
            return true;
    return false;
}

/* Gives what is ours there, and the folder itself when there is nothing else: then true. `folder` is closed. */
static bool give_tree(int folder, dev_t device, const struct owner *owner, unsigned depth)
{
    bool ours = true;
    struct stat status;
    DIR *entries = fdopendir(folder);
    if (entries == NULL) {
        close(folder);
        return false;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0)
            continue;
        bool known = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_dev == device;
        int below = known && S_ISDIR(status.st_mode) && depth > 0 ? openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (below >= 0)
            known = give_tree(below, device, owner, depth - 1);
        else if ((known = known && S_ISREG(status.st_mode) && is_file_of_ours(name)))
            give_file(folder, name, owner);
        ours = ours && known;
    }
    if (ours && fstat(folder, &status) == 0 && status.st_uid == 0)
        give(folder, owner);
    closedir(entries);
    return ours;
}

static bool is_root_directory(const struct stat *status)
{
    struct stat top;
    return stat("/", &top) != 0 || (top.st_dev == status->st_dev && top.st_ino == status->st_ino);
}

static void give_folder(struct str path, const struct owner *owner, struct arena *arena, unsigned depth)
{
    const char *name = arena_str(arena, path).data;
    struct stat status;
    (void)mkdir(name, 0700);
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0 && !is_root_directory(&status))
        give_tree(fd, status.st_dev, owner, depth);
    else if (fd >= 0)
        close(fd);
}

/* ---- files in folders that may be anybody's ---- */

static bool is_place_of(const struct places *places, struct str folder, struct str name)
{
    if (str_equal(name, S(".")) || str_equal(name, S("..")) || str_equal(name, S("lost+found")))
        return true;
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        struct str bare = str_starts(name, S(".")) && !str_starts(place->name, S(".")) ? str_of(name.data + 1, name.len - 1) : name;
        if (str_equal(place->folder, folder) && str_starts(bare, place->name))
            return true;
    }
    return false;
}

static bool holds_nothing_else(const struct places *places, const struct place *place, int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (entries == NULL) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    bool ours = true;
    for (const struct dirent *entry; ours && (entry = readdir(entries)) != NULL;)
        ours = is_place_of(places, place->folder, str_from(entry->d_name));
    closedir(entries);
    return ours;
}

static bool is_mount_point(int folder)
{
    struct statx status;
    return statx(folder, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) == 0 &&
           (status.stx_attributes & status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* Makes the folder, with those above it: what is new is the user's. */
static void make_folders(const char *path, const struct owner *owner, struct arena *arena)
{
    size_t len = strlen(path) + 1;
    char *copy = memcpy(arena_array(arena, char, len), path, len);
    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct stat status;
        if (mkdir(copy, 0700) == 0) {
            int fd = open_place(AT_FDCWD, copy, S_IFDIR, &status);
            if (fd >= 0) {
                give(fd, owner);
                close(fd);
            }
        }
        *slash = '/';
    }
}

/* Gives a volume of ours; true: the user may write in the folder. */
static bool give_volume(const struct places *places, const struct place *place)
{
    struct stat status;
    int fd = open_place(AT_FDCWD, arena_str(places->arena, place->folder).data, S_IFDIR, &status);
    if (fd < 0)
        return false;
    bool given = status.st_uid == places->owner->uid || (status.st_mode & S_IWOTH) != 0;
    if (!given && status.st_uid == 0 && !is_root_directory(&status) && is_mount_point(fd) && holds_nothing_else(places, place, fd)) {
        give(fd, places->owner);
        given = true;
    }
    close(fd);
    return given;
}

static void give_place(const struct places *places, const struct place *place)
{
    if (place->storage)
        make_folders(place->path, places->owner, places->arena);
    bool writable = give_volume(places, place);
    if (!writable && place->storage) {
        int fd = open(place->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0)
            close(fd);
    }
    give_file(AT_FDCWD, place->path, places->owner);
    if (place->storage)
        give_file(AT_FDCWD, arena_printf(places->arena, "%s.lock", place->path).data, places->owner);
}

/* ---- what the configuration names ---- */

static void add_place(struct places *places, struct str path, const struct node *origin, const char *option, bool storage)
{
    if (path.len == 0)
        return;
    const char *copy = arena_str(places->arena, path).data, *slash = strrchr(copy, '/');
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->items[i].path, copy) == 0)
            return;
    places->items[places->count++] = (struct place){
        .path = copy,
        .folder = slash == NULL ? S(".") : slash == copy ? S("/") : str_of(copy, (size_t)(slash - copy)),
        .name = str_from(slash != NULL ? slash + 1 : copy),
        .span = node_span(node_get(origin, str_from(option))),
        .storage = storage,
    };
}

static bool is_folder(struct str path, struct arena *arena)
{
    struct stat status;
    return str_ends(path, S("/")) || (stat(arena_str(arena, path).data, &status) == 0 && S_ISDIR(status.st_mode));
}

static void find_places(const struct config *config, struct places *places)
{
    places->items = arena_array(places->arena, struct place, config->certificates_resolvers.count + 2);
    places->count = 0;
    for (size_t i = 0; i < config->certificates_resolvers.count; i++) {
        const struct resolver_config *resolver = config->certificates_resolvers.items[i].value;
        if (resolver->acme != NULL && !is_folder(resolver->acme->storage, places->arena))
            add_place(places, resolver->acme->storage, resolver->acme->origin, "storage", true);
    }
    add_place(places, config->log.file_path, config->log.origin, "filePath", false);
    if (config->access_log != NULL)
        add_place(places, config->access_log->file_path, config->access_log->origin, "filePath", false);
}

static void give_folders(const struct config *config, const struct owner *owner, struct arena *arena)
{
    give_folder(data_directory(arena), owner, arena, DATA_DEPTH);
    for (size_t i = 0; i < config->certificates_resolvers.count; i++) {
        const struct resolver_config *resolver = config->certificates_resolvers.items[i].value;
        if (resolver->local_ca != NULL && resolver->local_ca->directory.len != 0)
            give_folder(resolver->local_ca->directory, owner, arena, CA_DEPTH);
        if (resolver->acme != NULL && is_folder(resolver->acme->storage, arena)) {
            make_folders(arena_str(arena, resolver->acme->storage).data, owner, arena);
            give_folder(resolver->acme->storage, owner, arena, STORAGE_DEPTH);
        }
    }
}

void hand_over(const struct model *model, const struct owner *owner)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct places places = {.arena = &arena, .owner = owner};
    find_places(&model->config, &places);
    for (size_t i = 0; i < places.count; i++)
        give_place(&places, &places.items[i]);
    give_folders(&model->config, owner, &arena);
    arena_release(&arena);
}

void hand_over_review(const struct model *model, struct diag *diag)
{
    struct places places = {.arena = diag->arena};
    find_places(&model->config, &places);
    for (size_t i = 0; i < places.count; i++) {
        const struct place *place = &places.items[i];
        if (!place->storage || faccessat(AT_FDCWD, place->path, R_OK | W_OK, AT_EACCESS) == 0)
            continue;
        bool absent = errno == ENOENT;
        if (!absent || faccessat(AT_FDCWD, arena_str(places.arena, place->folder).data, W_OK | X_OK, AT_EACCESS) != 0)
            diag_warning(diag, place->span, "%s: the user '%.*s' may not write it, so certificates will not be kept: %m", place->path,
                         STR_ARGS(model->config.user));
    }
}
