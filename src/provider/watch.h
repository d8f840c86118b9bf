/* Notices when configuration files change: by an editor that writes in place or renames, by a ConfigMap whose symlink is
 * swapped, by a file that appears or goes. Directories are watched, not files, since a rename replaces the file.
 * Threading: the control thread's loop. */
#ifndef PROVIDER_WATCH_H
#define PROVIDER_WATCH_H

#include "net/loop.h"
#include "provider/settings.h"

struct file_watch {
    struct watch watch;
    struct timer settle;              /* a change is often several events: they are awaited */
    struct loop *loop;
    int fd;
    VEC(int) watched;
    void (*on_change)(struct file_watch *watch);
    void *owner;
};

/* False when the system has no inotify left; changes are then noticed by SIGHUP only. */
bool file_watch_start(struct file_watch *watch, struct loop *loop, void (*on_change)(struct file_watch *watch), void *owner);
/* Watches these and no others; what has changed since they were read counts as a change. */
void file_watch_set(struct file_watch *watch, const struct settings_files *files);
void file_watch_stop(struct file_watch *watch);

#endif
