#include "net/backlog.h"

/* The next one that stood before the marks, from the row whose turn it is if that has any. */
static struct list *take(struct backlog *backlog, struct list *marks)
{
    for (unsigned i = 0; i < BACKLOG_ROWS; i++) {
        unsigned row = (backlog->next + i) % BACKLOG_ROWS;
        struct list *link = backlog->rows[row].next;
        if (link == &marks[row])
            continue;
        backlog->next = (row + 1) % BACKLOG_ROWS;
        list_remove(link);
        return link;
    }
    return NULL;
}

void backlog_run(struct backlog *backlog, struct backlog_runner *runner)
{
    struct list marks[BACKLOG_ROWS], *link;
    for (unsigned row = 0; row < BACKLOG_ROWS; row++)
        list_append(&backlog->rows[row], &marks[row]);
    while ((link = take(backlog, marks)) != NULL) {
        runner->run(runner, link);
        if (runner->is_enough(runner))
            break;
    }
    for (unsigned row = 0; row < BACKLOG_ROWS; row++)
        list_remove(&marks[row]);
}
