#include "net/backlog.h"

#include "test.h"

/* A clock that only work moves. */
struct stage {
    struct backlog_runner runner;
    struct backlog backlog;
    int now, until;
    char done[64];              /* names, in the order in which they ran */
    unsigned count;
};

struct work {
    struct list link;
    struct stage *stage;
    char name;
    int takes;
    unsigned parts;             /* it puts itself off again until all are done */
    enum backlog_row row;
    struct work *cancels, *adds;
};

static void add(struct work *work)
{
    backlog_add(&work->stage->backlog, work->row, &work->link);
}

static void run(struct backlog_runner *runner, struct list *link)
{
    struct stage *stage = container_of(runner, struct stage, runner);
    struct work *work = container_of(link, struct work, link);
    assert_true(list_empty(link));
    stage->now += work->takes;
    assert_true(stage->count + 1 < sizeof(stage->done));
    stage->done[stage->count++] = work->name;
    if (work->cancels != NULL)
        list_remove(&work->cancels->link);
    if (work->adds != NULL)
        add(work->adds);
    if (--work->parts != 0)
        add(work);
}

static bool is_enough(struct backlog_runner *runner)
{
    const struct stage *stage = container_of(runner, struct stage, runner);
    return stage->now >= stage->until;
}

static void stage_init(struct stage *stage)
{
    *stage = (struct stage){.runner = {.run = run, .is_enough = is_enough}};
    backlog_init(&stage->backlog);
}

static struct work work_make(struct stage *stage, char name, int takes, enum backlog_row row)
{
    return (struct work){.stage = stage, .name = name, .takes = takes, .parts = 1, .row = row};
}

/* A turn with so much time; gives what ran. */
static const char *turn(struct stage *stage, int time)
{
    stage->until = stage->now + time;
    stage->count = 0;
    memset(stage->done, 0, sizeof(stage->done));
    backlog_run(&stage->backlog, &stage->runner);
    return stage->done;
}

static void fill(struct stage *stage, struct work *works, const char *names, int takes, enum backlog_row row)
{
    for (unsigned i = 0; names[i] != '\0'; i++) {
        works[i] = work_make(stage, names[i], takes, row);
        list_init(&works[i].link);
        add(&works[i]);
    }
}

TEST(backlog_runs_in_order_what_there_is_time_for_and_one_at_least)
{
    struct stage stage;
    struct work works[6];
    stage_init(&stage);
    assert_true(backlog_empty(&stage.backlog));
    fill(&stage, works, "abcdef", 3, BACKLOG_BEGINS);
    assert_string_equal(turn(&stage, 0), "a");
    assert_string_equal(turn(&stage, 1), "b");
    assert_string_equal(turn(&stage, 7), "cde");
    assert_false(backlog_empty(&stage.backlog));
    assert_string_equal(turn(&stage, 100), "f");
    assert_true(backlog_empty(&stage.backlog));
    assert_string_equal(turn(&stage, 100), "");
}

TEST(backlog_serves_its_rows_by_turns_whichever_is_longer)
{
    struct stage stage;
    struct work floods[8], bodies[2];
    stage_init(&stage);
    fill(&stage, floods, "abcdefgh", 1, BACKLOG_BEGINS);
    fill(&stage, bodies, "XY", 1, BACKLOG_GOES_ON);
    bodies[0].parts = bodies[1].parts = 3;
    /* One in each turn, and each row every second time, from turn to turn too. */
    char seen[16] = "";
    for (unsigned i = 0; i < 14; i++)
        seen[i] = *turn(&stage, 1);
    assert_string_equal(seen, "XaYbXcYdXeYfgh");
}

TEST(backlog_runs_in_one_call_what_one_row_alone_has)
{
    struct stage stage;
    struct work works[4];
    stage_init(&stage);
    fill(&stage, works, "abcd", 1, BACKLOG_BEGINS);
    assert_string_equal(turn(&stage, 100), "abcd");
}

TEST(backlog_runs_once_what_puts_itself_off_again)
{
    struct stage stage;
    struct work works[2];
    stage_init(&stage);
    fill(&stage, works, "ab", 1, BACKLOG_GOES_ON);
    works[0].parts = 2;
    assert_string_equal(turn(&stage, 100), "ab");
    assert_string_equal(turn(&stage, 100), "a");
    assert_true(backlog_empty(&stage.backlog));
}

TEST(backlog_leaves_to_the_next_call_what_is_added_meanwhile)
{
    struct stage stage;
    struct work works[2], late, other_row;
    stage_init(&stage);
    fill(&stage, works, "ab", 1, BACKLOG_BEGINS);
    late = work_make(&stage, 'l', 1, BACKLOG_BEGINS);
    other_row = work_make(&stage, 'o', 1, BACKLOG_GOES_ON);
    works[0].adds = &late;
    works[1].adds = &other_row;
    assert_string_equal(turn(&stage, 100), "ab");
    assert_string_equal(turn(&stage, 100), "ol");
}

TEST(backlog_does_not_run_what_was_taken_out)
{
    struct stage stage;
    struct work works[4], body;
    stage_init(&stage);
    fill(&stage, works, "abcd", 1, BACKLOG_BEGINS);
    fill(&stage, &body, "X", 1, BACKLOG_GOES_ON);
    /* Before, by the one that runs, and across the rows. */
    list_remove(&works[1].link);
    works[0].cancels = &works[2];
    body.cancels = &works[3];
    assert_string_equal(turn(&stage, 100), "Xa");
    assert_true(backlog_empty(&stage.backlog));
}

TEST(backlog_keeps_the_places_of_those_that_wait_while_others_come)
{
    struct stage stage;
    struct work works[3], later[2];
    stage_init(&stage);
    fill(&stage, works, "abc", 5, BACKLOG_BEGINS);
    assert_string_equal(turn(&stage, 1), "a");
    fill(&stage, later, "de", 5, BACKLOG_BEGINS);
    assert_string_equal(turn(&stage, 1), "b");
    assert_string_equal(turn(&stage, 100), "cde");
}
