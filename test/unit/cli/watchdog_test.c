#include "cli/watchdog.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

#include "base/time.h"
#include "cli/supervisor.h"
#include "exchange/port.h"
#include "exchange/survey.h"

#define WORKERS 2
#define LIMIT (60 * TIME_S)

/* Workers on threads of their own, a control loop that the test turns, and the service manager's end of the socket. */
struct house {
    struct worker control, workers[WORKERS];
    int manager;
    unsigned pings;
};

static void listen_as_manager(struct house *house)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address);
    char name[sizeof(address.sun_path) + 1] = "@";
    house->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(house->manager >= 0);
    /* The kernel chooses an abstract name. */
    assert_int_equal(bind(house->manager, (struct sockaddr *)&address, sizeof(address.sun_family)), 0);
    assert_int_equal(getsockname(house->manager, (struct sockaddr *)&address, &length), 0);
    memcpy(name + 1, address.sun_path + 1, length - offsetof(struct sockaddr_un, sun_path) - 1);
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "2000", 1);
    unsetenv("WATCHDOG_PID");
}

static void begin(struct house *house)
{
    memset(house, 0, sizeof(*house));
    assert_true(worker_init(&house->control, WORKERS));
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_true(worker_init(&house->workers[i], i));
        worker_graph_init(&house->workers[i]);
        assert_true(worker_start(&house->workers[i], "test"));
    }
    survey_open(&house->control, house->workers, WORKERS);
    listen_as_manager(house);
    supervisor_open();
    watchdog_start(&house->control.loop);
}

/* A turn of the control thread, and what the manager has heard by then. */
static void turn(struct house *house)
{
    char message[256];
    ssize_t got;
    loop_turn(&house->control.loop, TIME_MS);
    while ((got = recv(house->manager, message, sizeof(message), 0)) > 0)
        house->pings += str_equal(str_of(message, (size_t)got), S("WATCHDOG=1"));
}

static void await_pings(struct house *house, unsigned count)
{
    int64_t until = time_monotonic() + LIMIT;
    while (house->pings < count && time_monotonic() < until)
        turn(house);
    assert_true(house->pings >= count);
}

/* A worker's loop hangs in `begun` until it is let go. */
struct hang {
    struct message message;
    _Atomic bool begun, let_go;
    struct loop *stop;
};

static void hang(struct message *message)
{
    struct hang *hang = container_of(message, struct hang, message);
    atomic_store(&hang->begun, true);
    while (!atomic_load(&hang->let_go))
        usleep(100);
    if (hang->stop != NULL)
        loop_stop(hang->stop);
}

static void end(struct house *house)
{
    struct hang stops[WORKERS];
    watchdog_stop();
    for (unsigned i = 0; i < WORKERS; i++) {
        stops[i] = (struct hang){.message = {.deliver = hang}, .stop = &house->workers[i].loop, .let_go = true};
        loop_post(&house->workers[i].loop, &stops[i].message);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        worker_join(&house->workers[i]);
    loop_turn(&house->control.loop, 0);
    survey_close();
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_graph_release(&house->workers[i]);
        loop_turn(&house->workers[i].loop, 0);
        worker_release(&house->workers[i]);
    }
    worker_release(&house->control);
    supervisor_close();
    close(house->manager);
}

TEST(watchdog_is_pinged_while_all_workers_turn_and_not_while_one_hangs)
{
    struct house house;
    struct hang hung = {.message = {.deliver = hang}};
    begin(&house);
    await_pings(&house, 5);

    loop_post(&house.workers[1].loop, &hung.message);
    while (!atomic_load(&hung.begun))
        turn(&house);
    /* The question that was out then may have been answered; from there on nothing comes, however often the timer looks. */
    for (unsigned i = 0; i < 5; i++)
        turn(&house);
    unsigned before = house.pings;
    for (unsigned i = 0; i < 50; i++)
        turn(&house);
    assert_in_range(house.pings, before, before + 1);

    atomic_store(&hung.let_go, true);
    await_pings(&house, before + 5);
    end(&house);
}

TEST(watchdog_is_pinged_to_the_end_when_workers_cannot_be_asked_any_more)
{
    struct house house;
    begin(&house);
    await_pings(&house, 2);
    survey_close();
    await_pings(&house, house.pings + 5);
    end(&house);
}

TEST(supervisor_leaves_nothing_in_the_environment_of_other_programs)
{
    struct house house;
    begin(&house);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_true(supervisor_patience() == 2 * TIME_MS);
    end(&house);
}
