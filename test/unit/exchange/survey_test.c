#include "exchange/survey.h"


#include "base/time.h"
#include "exchange/port.h"
#include "test.h"

#define WORKERS 2

/* Workers whose loops run on threads of their own, and a control loop that the test turns. */
struct house {
    struct worker control, workers[WORKERS];
    unsigned done;
    struct survey seen;
    uint64_t numbers[WORKERS];
};

static void keep_recent(struct worker *worker)
{
    struct client client = {.unix_socket = true};
    struct access_record record = {.client = &client, .path = S("/kept")};
    recent_add(worker, &record, false);
}

static void begin(struct house *house)
{
    memset(house, 0, sizeof(*house));
    assert_true(worker_init(&house->control, WORKERS));
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_true(worker_init(&house->workers[i], i));
        worker_graph_init(&house->workers[i]);
        house->workers[i].graph->sent_away[STATUS_H2_FLOOD] = 10 + i;
        keep_recent(&house->workers[i]);
    }
    survey_open(&house->control, house->workers, WORKERS);
}

static void run(struct house *house)
{
    for (unsigned i = 0; i < WORKERS; i++)
        assert_true(worker_start(&house->workers[i], "test"));
}

struct stop {
    struct message message;
    struct loop *loop;
};

static void stop_loop(struct message *message)
{
    loop_stop(container_of(message, struct stop, message)->loop);
}

static void stop(struct house *house)
{
    struct stop stops[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        stops[i] = (struct stop){.message = {.deliver = stop_loop}, .loop = &house->workers[i].loop};
        loop_post(stops[i].loop, &stops[i].message);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        worker_join(&house->workers[i]);
}

static void end(struct house *house)
{
    survey_close();
    loop_turn(&house->control.loop, 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_graph_release(&house->workers[i]);
        loop_turn(&house->workers[i].loop, 0);
        worker_release(&house->workers[i]);
    }
    worker_release(&house->control);
}

static void on_done(struct survey *survey)
{
    struct house *house = survey->owner;
    house->done++;
    house->seen = *survey;
    for (unsigned i = 0; i < survey->count; i++) {
        const struct worker_report *report = &survey->reports[i];
        assert_int_equal(report->worker, i);
        if (report->request_count == 0)
            continue;
        house->numbers[i] = report->requests[0].number;
        assert_str_equal(report->requests[0].path, S("/kept"));
        assert_int_equal(report->sent_away[STATUS_H2_FLOOD], 10 + i);
        assert_int_equal(report->exchanges, 0);
        assert_int_equal(report->open_count, 0);
    }
}

TEST(survey_calls_back_once_with_a_report_of_each_worker)
{
    struct house house;
    begin(&house);
    run(&house);
    int64_t before = survey_heard(0);
    assert_true(survey_start(SURVEY_EXCHANGES | SURVEY_REQUESTS, 0, &house, on_done));
    while (house.done == 0)
        loop_turn(&house.control.loop, TIME_S);
    assert_int_equal(house.done, 1);
    assert_int_equal(house.seen.count, WORKERS);
    assert_true(house.numbers[0] != 0);
    assert_int_equal(house.numbers[1], house.numbers[0] + 1);
    assert_true(survey_heard(0) >= before && survey_heard(1) != INT64_MAX);
    stop(&house);
    end(&house);
}

TEST(survey_that_is_closed_is_answered_with_what_has_come_and_no_other_begins)
{
    struct house house;
    begin(&house);
    assert_true(survey_start(SURVEY_REQUESTS, 0, &house, on_done));
    loop_turn(&house.workers[1].loop, 0);
    loop_turn(&house.control.loop, 0);
    assert_int_equal(house.done, 0);
    survey_close();
    assert_int_equal(house.done, 1);
    assert_int_equal(house.numbers[0], 0);
    assert_true(house.numbers[1] != 0);
    assert_false(survey_start(SURVEY_REQUESTS, 0, &house, on_done));
    assert_true(survey_heard(0) == INT64_MAX);
    run(&house);           /* the other worker answers still, and nobody hears */
    stop(&house);
    end(&house);
    assert_int_equal(house.done, 1);
}

TEST(survey_without_workers_is_answered_at_once)
{
    struct house house = {.done = 0};
    survey_open(&house.control, house.workers, 0);
    assert_true(survey_start(0, 0, &house, on_done));
    assert_int_equal(house.done, 1);
    survey_close();
}

/* One survey that measures anew, in this thread. */
static void look_at_lag(struct house *house, int64_t longest_turn)
{
    house->workers[0].loop.longest_turn = longest_turn;
    assert_true(survey_start(SURVEY_RESET_LAG, 0, house, on_done));
    for (unsigned i = 0; i < WORKERS; i++)
        loop_turn(&house->workers[i].loop, 0);
    loop_turn(&house->control.loop, 0);
}

TEST(survey_keeps_the_longest_turn_for_each_who_looks_at_it)
{
    struct house house;
    begin(&house);
    look_at_lag(&house, 500 * TIME_S);
    assert_int_equal(survey_take_lag(0, LAG_PROMETHEUS), 500 * TIME_S);
    look_at_lag(&house, 300 * TIME_S);
    assert_int_equal(house.done, 2);
    assert_int_equal(survey_take_lag(0, LAG_PROMETHEUS), 300 * TIME_S);
    assert_int_equal(survey_take_lag(0, LAG_LIVE), 500 * TIME_S);
    assert_int_equal(survey_take_lag(0, LAG_OTLP), 500 * TIME_S);
    assert_int_equal(survey_take_lag(0, LAG_LIVE), 0);
    end(&house);
}

TEST(survey_measures_the_longest_turn_anew_when_it_is_asked_to)
{
    struct house house;
    struct worker_report report;
    begin(&house);
    house.workers[0].loop.longest_turn = 5 * TIME_MS;
    survey_fill(&house.workers[0], 0, 0, &report);
    assert_int_equal(report.longest_turn, 5 * TIME_MS);
    arena_release(&report.arena);
    survey_fill(&house.workers[0], SURVEY_RESET_LAG, 0, &report);
    assert_int_equal(report.longest_turn, 5 * TIME_MS);
    arena_release(&report.arena);
    survey_fill(&house.workers[0], 0, 0, &report);
    assert_int_equal(report.longest_turn, 0);
    arena_release(&report.arena);
    end(&house);
}
