/* Where lines go: a file, gzipped or not, or a syslog server. Any number of them; workers keep lines for each and write many at once.
 *
 * Threading: a line_log is shared by all workers. Lines that a worker adds lie in a buffer of its own for that log and are written with
 * one system call: at the end of the loop's turn if the last write is 10 ms ago, else when it will be; or, where `buffer` says so, when
 * the next line does not fit or the oldest waits for `flush`. line_log_write is for any thread and writes at once. Lines never mix.
 * What cannot be written (disk full) is lost and counted; one message a minute says so.
 * Ownership: counted references; a buffer with lines holds one. */
#ifndef OBSERVE_LINE_LOG_H
#define OBSERVE_LINE_LOG_H

#include "base/text.h"
#include "net/worker.h"
#include "net/syslog.h"

struct line_log_settings {
    struct str path;              /* "stderr" and "/dev/stdout" too; empty: syslog */
    const struct syslog_target *syslog;      /* with an empty path */
    int64_t buffer;               /* bytes that are held back; 0: none are */
    int64_t flush;                /* ns that a line may be held back; 0: any time */
    int gzip;                     /* level; 0: plain */
};

struct line_log;

/* Closed at first: nothing is written until it is opened. Copies what it needs. */
struct line_log *line_log_new(const struct line_log_settings *settings, unsigned workers);
struct line_log *line_log_ref(struct line_log *log);
void line_log_unref(struct line_log *log);
struct str line_log_path(const struct line_log *log);
/* Opens what is not open yet. False with errno. */
bool line_log_open(struct line_log *log);
/* SIGUSR1: the file under its name anew. */
bool line_log_reopen(struct line_log *log);

/* A line of a worker: what is added to the text between begin and end, without a line's end. NULL: it is not open. `severity`: for
 * syslog. */
struct text *line_log_begin(struct line_log *log, struct worker *worker, int severity);
void line_log_end(struct line_log *log, struct worker *worker);
/* A line that must not wait. */
void line_log_write(struct line_log *log, int severity, struct str line);
/* What a worker holds back, at its end; before worker_release. */
void line_log_worker_release(struct worker *worker);

#endif
