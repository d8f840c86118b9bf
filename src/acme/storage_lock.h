/* Locks between processes, one for each path in this one, counted. flock would count each descriptor as a stranger. */
#ifndef ACME_STORAGE_LOCK_H
#define ACME_STORAGE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct storage_lock;

/* The lock of that path, shared by all in this process; the file is made when it is first taken. */
struct storage_lock *storage_lock_ref(const char *path);
void storage_lock_unref(struct storage_lock *lock);
/* False: another process has it. Never waits. */
bool storage_lock_take(struct storage_lock *lock);
void storage_lock_give(struct storage_lock *lock);
bool storage_lock_is_held(const struct storage_lock *lock);
/* Counts how often it was got from the outside. */
uint64_t storage_lock_turn(const struct storage_lock *lock);

#endif
