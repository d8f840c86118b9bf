/* Work that may wait: what takes long beside a short request (a handshake), and what is done in parts (a long body). A turn of the loop
 * runs some of it behind its events, so that hundreds of handshakes at once hold nobody up for longer than one of them takes.
 *
 * Two rows, each in the order in which work came to it, are served by turns: a flood of what begins leaves half of the time to what goes
 * on, and the other way round. Work that is taken out (list_remove) is not run. Ownership: links are embedded in what they stand
 * for. Threading: the loop's. */
#ifndef NET_BACKLOG_H
#define NET_BACKLOG_H

#include "base/list.h"

enum backlog_row { BACKLOG_GOES_ON, BACKLOG_BEGINS, BACKLOG_ROWS };

struct backlog {
    struct list rows[BACKLOG_ROWS];
    unsigned next;                /* the row whose turn it is */
};

static inline void backlog_init(struct backlog *backlog)
{
    for (unsigned i = 0; i < BACKLOG_ROWS; i++)
        list_init(&backlog->rows[i]);
    backlog->next = 0;
}

static inline bool backlog_empty(const struct backlog *backlog)
{
    return list_empty(&backlog->rows[BACKLOG_GOES_ON]) && list_empty(&backlog->rows[BACKLOG_BEGINS]);
}

static inline void backlog_add(struct backlog *backlog, enum backlog_row row, struct list *link)
{
    list_append(&backlog->rows[row], link);
}

struct backlog_runner {
    void (*run)(struct backlog_runner *runner, struct list *link);       /* the link is out of its row by then */
    bool (*is_enough)(struct backlog_runner *runner);                    /* asked behind each */
};

/* Runs one at least, then others until there is enough. What is added meanwhile waits for the next call, so whatever puts itself off again
 * runs once in each. The others keep their places. */
void backlog_run(struct backlog *backlog, struct backlog_runner *runner);

#endif
