/* Questions to all workers and their answers, on the control thread. What a worker reports is survey_fill.c's. */
#include "exchange/survey.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"

struct asking;

/* To one worker and back; the worker's between the two messages. */
struct question {
    struct message message;
    struct asking *asking;
    struct worker *worker;
    struct worker_report report;
};

/* One survey under way. */
struct asking {
    struct list link;
    struct survey survey;
    void (*done)(struct survey *survey);
    unsigned left;                    /* questions that are out */
    bool told;                        /* `done` was called: what still comes is thrown away */
    struct question questions[];
};

/* The control thread's. */
static struct {
    struct worker *control, *workers;
    unsigned count;
    int64_t *heard;
    int64_t (*lags)[LAG_READERS];     /* by worker */
    struct list under_way;
    bool open;
} surveys;

void survey_open(struct worker *control, struct worker *workers, unsigned count)
{
    surveys.control = control;
    surveys.workers = workers;
    surveys.count = count;
    surveys.heard = memory_alloc(count * sizeof(*surveys.heard) + 1);
    surveys.lags = memory_zalloc(count * sizeof(*surveys.lags) + 1);
    for (unsigned i = 0; i < count; i++)
        surveys.heard[i] = time_monotonic();
    list_init(&surveys.under_way);
    surveys.open = true;
}

static void tell(struct asking *asking)
{
    asking->told = true;
    asking->survey.whole = asking->left == 0;
    list_remove(&asking->link);
    asking->done(&asking->survey);
    for (unsigned i = 0; i < asking->survey.count; i++)
        arena_release(&asking->survey.reports[i].arena);
    free(asking->survey.reports);
}

static void note_lag(unsigned worker, int64_t longest_turn)
{
    for (unsigned i = 0; i < LAG_READERS; i++)
        if (longest_turn > surveys.lags[worker][i])
            surveys.lags[worker][i] = longest_turn;
}

int64_t survey_take_lag(unsigned worker, enum lag_reader reader)
{
    if (!surveys.open)
        return 0;
    int64_t lag = surveys.lags[worker][reader];
    surveys.lags[worker][reader] = 0;
    return lag;
}

/* On the control thread again. */
static void take_report(struct message *message)
{
    struct question *question = container_of(message, struct question, message);
    struct asking *asking = question->asking;
    unsigned index = question->worker->index;
    if (surveys.open) {
        surveys.heard[index] = time_monotonic();
        if ((asking->survey.wishes & SURVEY_RESET_LAG) != 0)
            note_lag(index, question->report.longest_turn);
    }
    if (asking->told)
        arena_release(&question->report.arena);
    else
        asking->survey.reports[index] = question->report;
    if (--asking->left != 0)
        return;
    if (!asking->told)
        tell(asking);
    free(asking);
}

static void answer(struct message *message)
{
    struct question *question = container_of(message, struct question, message);
    const struct survey *survey = &question->asking->survey;
    survey_fill(question->worker, survey->wishes, survey->after, &question->report);
    question->message = (struct message){.deliver = take_report};
    loop_post(&surveys.control->loop, &question->message);
}

static struct asking *new_asking(unsigned wishes, uint64_t after, void *owner, void (*done)(struct survey *survey))
{
    unsigned count = surveys.count;
    struct asking *asking = memory_zalloc(sizeof(*asking) + count * sizeof(asking->questions[0]));
    asking->survey = (struct survey){.wishes = wishes, .after = after, .owner = owner, .count = count};
    asking->survey.reports = memory_zalloc(count * sizeof(struct worker_report) + 1);
    asking->done = done;
    asking->left = count;
    list_append(&surveys.under_way, &asking->link);
    for (unsigned i = 0; i < count; i++) {
        asking->survey.reports[i].worker = i;
        arena_init(&asking->survey.reports[i].arena, ARENA_UNLIMITED);
        asking->questions[i] = (struct question){.message = {.deliver = answer}, .asking = asking, .worker = &surveys.workers[i]};
    }
    return asking;
}

bool survey_start(unsigned wishes, uint64_t after, void *owner, void (*done)(struct survey *survey))
{
    if (!surveys.open)
        return false;
    struct asking *asking = new_asking(wishes, after, owner, done);
    for (unsigned i = 0; i < surveys.count; i++)
        loop_post(&surveys.workers[i].loop, &asking->questions[i].message);
    if (surveys.count == 0) {
        tell(asking);
        free(asking);
    }
    return true;
}

void survey_close(void)
{
    if (!surveys.open)
        return;
    surveys.open = false;
    while (!list_empty(&surveys.under_way))
        tell(container_of(surveys.under_way.next, struct asking, link));
    free(surveys.heard);
    free(surveys.lags);
    surveys.heard = NULL;
    surveys.lags = NULL;
}

int64_t survey_heard(unsigned worker)
{
    return surveys.open ? surveys.heard[worker] : INT64_MAX;
}
