#include "cli/privileges.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/data_directory.h"
#include "base/kept_files.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/hand_over.h"

/* What it went on as; NULL: as it was started. */
static char *given_up_for;

static struct span span_of(const struct model *model)
{
    return node_span(node_get(model->config.origin, S("user")));
}

/* ---- who ---- */

static bool to_id(struct str text, uint32_t *ret_id)
{
    uint64_t number;
    if (!str_to_u64(text, &number) || number >= UINT32_MAX)
        return false;
    *ret_id = (uint32_t)number;
    return true;
}

static bool find_user(struct str name, struct arena *arena, struct owner *ret_owner)
{
    bool by_id = to_id(name, &ret_owner->uid);
    const struct passwd *entry = by_id ? getpwuid(ret_owner->uid) : getpwnam(arena_str(arena, name).data);
    if (entry == NULL) {
        /* A user that no table knows, as images have them: its group has the same number. */
        ret_owner->gid = ret_owner->uid;
        return by_id;
    }
    ret_owner->uid = entry->pw_uid;
    ret_owner->gid = entry->pw_gid;
    return true;
}

static bool find_group(struct str name, struct arena *arena, struct owner *ret_owner)
{
    if (to_id(name, &ret_owner->gid))
        return true;
    const struct group *entry = getgrnam(arena_str(arena, name).data);
    if (entry != NULL)
        ret_owner->gid = entry->gr_gid;
    return entry != NULL;
}

/* "name", "65532", "name:group". */
static bool read_user(const struct model *model, struct owner *ret_owner, struct diag *diag)
{
    struct str rest = model->config.user, user;
    bool good = str_split(&rest, ':', &user) && find_user(user, diag->arena, ret_owner);
    if (!good)
        diag_error(diag, span_of(model), "there is no user '%.*s' here: a name of /etc/passwd, or a number", STR_ARGS(user));
    else if (rest.len != 0 && !find_group(rest, diag->arena, ret_owner)) {
        diag_error(diag, span_of(model), "there is no group '%.*s' here: a name of /etc/group, or a number", STR_ARGS(rest));
        good = false;
    }
    return good;
}

bool privileges_check(const struct model *model, struct diag *diag)
{
    struct owner owner;
    return str_empty(model->config.user) || geteuid() != 0 || read_user(model, &owner, diag);
}

/* ---- giving up ---- */

struct capabilities {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
};

static bool read_capabilities(struct capabilities *ret)
{
    *ret = (struct capabilities){.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
    return syscall(SYS_capget, &ret->header, ret->sets) == 0;
}

static bool may_change_ids(void)
{
    struct capabilities now;
    uint32_t needed = CAP_TO_MASK(CAP_SETUID) | CAP_TO_MASK(CAP_SETGID);
    return read_capabilities(&now) && (now.sets[0].effective & needed) == needed;
}

/* Of what we have, ports below 1024 alone. */
static bool keep_low_ports(void)
{
    struct capabilities now;
    if (!read_capabilities(&now))
        return false;
    uint32_t kept = now.sets[0].permitted & CAP_TO_MASK(CAP_NET_BIND_SERVICE);
    now.sets[0] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept};
    now.sets[1] = (struct __user_cap_data_struct){.effective = 0};
    return syscall(SYS_capset, &now.header, now.sets) == 0;
}

/* Where we may: what no program that we start can ever have. */
static void limit_bounds(void)
{
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
        if (capability != CAP_NET_BIND_SERVICE)
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static bool cannot_come_back(const struct owner *owner)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    struct capabilities now;
    return getresuid(&real, &effective, &saved) == 0 && real == owner->uid && effective == owner->uid && saved == owner->uid &&
           getresgid(&real_group, &effective_group, &saved_group) == 0 && real_group == owner->gid &&
           effective_group == owner->gid && saved_group == owner->gid && getgroups(0, NULL) == 0 && setuid(0) != 0 &&
           setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && read_capabilities(&now) &&
           (now.sets[0].permitted & ~CAP_TO_MASK(CAP_NET_BIND_SERVICE)) == 0 && now.sets[1].permitted == 0;
}

/* The group first: it is refused where this user does not exist, and then nothing has changed yet. */
static bool become(const struct owner *owner, bool *ret_began)
{
    limit_bounds();
    *ret_began = setresgid(owner->gid, owner->gid, owner->gid) == 0;
    return *ret_began && setgroups(0, NULL) == 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
           setresuid(owner->uid, owner->uid, owner->uid) == 0 && keep_low_ports() && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && cannot_come_back(owner);
}

/* Capabilities are a thread's own: one that runs already would keep them. */
static bool is_only_thread(void)
{
    size_t count = 0;
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL)
        return true;
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(threads);
    return count == 1;
}

/* What the user's programs and libraries look for, and where our own state lies: as it was for root. */
static void set_environment(const struct owner *owner, struct arena *arena)
{
    const struct passwd *entry = getpwuid(owner->uid);
    struct str data = data_directory(arena);
    (void)setenv("PORTICO_DATA", arena_str(arena, data).data, 0);
    (void)setenv("HOME", entry != NULL ? entry->pw_dir : "/", 1);
}

void privileges_prepare(void)
{
    if (geteuid() == 0)
        kept_files_begin();
}

static bool give_up(const struct model *model, const struct settings_files *files, struct diag *diag)
{
    struct owner owner;
    bool began;
    if (str_empty(model->config.user))
        return true;
    if (geteuid() != 0) {
        log_info("'user' changes nothing: the process was not started by root");
        return true;
    }
    if (!read_user(model, &owner, diag))
        return false;
    if (owner.uid == 0)
        return true;
    if (!may_change_ids()) {
        diag_warning(diag, span_of(model), "the process goes on as root: it may not change its user (CAP_SETUID, CAP_SETGID)");
        return true;
    }
    assert(is_only_thread());
    set_environment(&owner, diag->arena);
    hand_over(model, &owner);
    if (!become(&owner, &began)) {
        if (!began)
            diag_warning(diag, span_of(model), "the process goes on as root: it cannot become '%.*s': %m", STR_ARGS(model->config.user));
        else
            diag_error(diag, span_of(model), "root cannot be given up: %m");
        return !began;
    }
    given_up_for = memory_copy_text(model->config.user.data, model->config.user.len);
    hand_over_review(model, diag);
    privileges_review(model, files, diag);
    return true;
}

bool privileges_give_up(const struct model *model, const struct settings_files *files, struct diag *diag)
{
    bool good = give_up(model, files, diag);
    kept_files_settle();
    return good;
}

/* ---- afterwards ---- */

void privileges_review(const struct model *model, const struct settings_files *files, struct diag *diag)
{
    if (given_up_for == NULL)
        return;
    if (diag->errors == 0 && !str_equal(model->config.user, str_from(given_up_for)))
        diag_warning(diag, span_of(model), "'user' takes effect when the process is started again: it runs as '%s'", given_up_for);
    for (size_t i = 0; i < files->paths.count; i++)
        if (faccessat(AT_FDCWD, files->paths.items[i], R_OK, AT_EACCESS) != 0 && errno == EACCES)
            diag_warning(diag, SPAN_NONE, "%s: the user '%s' may not read it, so a change of it is not seen: give it another owner or mode",
                         files->paths.items[i], given_up_for);
}
