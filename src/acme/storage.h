/* Where a resolver's state lies: a file in Traefik's format (several resolvers may share it) or a directory of its own:
 *
 *     account.json                    the account, orders under way
 *     a.example/certificate.pem       one folder for each certificate
 *     a.example/key.pem
 *     a.example/meta.json             its names
 *
 * A directory is what ends with '/' or is one. What holds keys must be readable by its owner alone, and is made so. A file is
 * replaced as a whole or not at all; where it is a mount point of its own or lies in a folder that we may not write to, so that it
 * cannot be replaced, its room is made sure of before it is overwritten. A broken file is an error and is never overwritten. What cannot be saved stays in memory, marked,
 * and goes along with the next save.
 *
 * Several processes may share one: a lock file (PATH.lock, or .lock in a directory) is held while orders are under way, and
 * what the others did is read when it is got. Threading: the control thread. Calls block for as long as the disk does. */
#ifndef ACME_STORAGE_H
#define ACME_STORAGE_H

#include "acme/state.h"
#include "base/text.h"

struct storage;

/* Touches nothing yet. */
struct storage *storage_new(struct str path, struct str resolver);
void storage_free(struct storage *storage);
struct state *storage_state(struct storage *storage);
bool storage_is_directory(const struct storage *storage);

/* Reads what is there, keeping what could not be saved yet; what is not there is empty. False: `why` ("can be read by others:
 * chmod 600 /etc/acme.json"), and the state is as it was. */
bool storage_read(struct storage *storage, struct text *why);
/* Writes what is unsaved, if anything is. False: `why`. Without the lock it takes it for the moment, and reads first. */
bool storage_save(struct storage *storage, struct text *why);
/* Is there anything that a save would write? */
bool storage_is_unsaved(const struct storage *storage);
/* Takes the certificate out; of a directory its folder too. */
void storage_drop(struct storage *storage, struct state_certificate *certificate);

/* May be nested, by other resolvers of this process with the same path too; each ends with its unlock. False: another process
 * has it. When it was got from the outside, the caller reads (storage_is_current says so). Where no lock file can be made
 * nobody else can write either: true. */
bool storage_lock(struct storage *storage);
void storage_unlock(struct storage *storage);
/* Was the state read since the lock was got? */
bool storage_is_current(const struct storage *storage);

#endif
