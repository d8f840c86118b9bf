#include "acme/errand.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "test.h"

static struct loop loop;
static int *brought;
static _Atomic int discarded;
static _Atomic bool may_go;

static void *work(int argument)
{
    while (argument < 0 && !atomic_load(&may_go))
        ;
    int *result = malloc(sizeof(*result));
    *result = argument * 2;
    return result;
}

static void on_done(void *owner, void *result)
{
    assert_ptr_equal(owner, &loop);
    brought = result;
}

static void discard(void *result)
{
    free(result);
    atomic_fetch_add(&discarded, 1);
}

static struct errand *run(int argument)
{
    struct errand_call call = {.work = work, .argument = argument, .on_done = on_done, .discard = discard, .owner = &loop};
    brought = NULL;
    return errand_run(&loop, &call);
}

TEST(an_errand_brings_its_result_to_the_loop)
{
    assert_true(loop_init(&loop));
    run(21);
    assert_null(brought);
    while (brought == NULL)
        loop_turn(&loop, TIME_S);
    assert_int_equal(*brought, 42);
    free(brought);
    loop_release(&loop);
}

TEST(a_cancelled_errand_comes_to_nobody)
{
    assert_true(loop_init(&loop));
    atomic_store(&discarded, 0);
    atomic_store(&may_go, false);
    struct errand *waiting = run(-1);       /* cancelled while it works */
    errand_cancel(waiting);
    atomic_store(&may_go, true);
    errand_cancel(NULL);
    while (atomic_load(&discarded) == 0)
        loop_turn(&loop, TIME_MS);
    assert_null(brought);
    loop_release(&loop);
}
