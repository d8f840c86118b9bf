#include "observe/otlp.h"

#include "base/memory.h"
#include "base/time.h"
#include "test.h"

struct rig {
    struct arena arena;
    struct diag diag;
    struct otlp_http http;
    struct otlp_settings settings;
};

/* Nobody listens on port 1. */
static void rig_init_otlp(struct rig *rig)
{
    *rig = (struct rig){.http = {.endpoint = S("http://127.0.0.1:1/v1/traces")}};
    arena_init(&rig->arena, ARENA_UNLIMITED);
    diag_init(&rig->diag, &rig->arena);
    rig->settings = (struct otlp_settings){.signal = OTLP_TRACES, .http = &rig->http, .queue_limit = 1000};
}

static void rig_end(struct rig *rig)
{
    diag_release(&rig->diag);
    arena_release(&rig->arena);
}

static bool send(struct otlp_target *target, size_t size, unsigned items)
{
    struct text body;
    text_init(&body, size);
    text_reserve(&body, size);
    memset(body.data, 'x', size);
    body.len = size;
    return otlp_send(target, &body, items);
}

TEST(the_same_options_give_the_same_target)
{
    struct rig rig;
    rig_init_otlp(&rig);
    struct otlp_target *one = otlp_target_get(&rig.settings, &rig.diag), *same = otlp_target_get(&rig.settings, &rig.diag);
    rig.http.compress = true;
    struct otlp_target *other = otlp_target_get(&rig.settings, &rig.diag);
    assert_ptr_equal(one, same);
    assert_ptr_not_equal(one, other);
    assert_int_equal(otlp_target_encoding(one), OTLP_PROTOBUF);
    otlp_target_unref(one);
    otlp_target_unref(same);
    otlp_target_unref(other);
    otlp_stop();
    rig_end(&rig);
}

TEST(a_queue_that_is_full_drops_what_comes_and_counts_it)
{
    struct rig rig;
    rig_init_otlp(&rig);
    struct otlp_target *target = otlp_target_get(&rig.settings, &rig.diag);
    uint64_t before = otlp_counts(OTLP_TRACES).dropped;
    assert_true(send(target, 600, 6));
    assert_false(send(target, 600, 7));
    assert_true(send(target, 400, 1));
    assert_false(send(target, 1, 2));
    assert_int_equal(otlp_counts(OTLP_TRACES).dropped - before, 9);
    assert_int_equal(otlp_counts(OTLP_TRACES).waiting, 1000);
    otlp_target_unref(target);
    otlp_stop();
    assert_int_equal(otlp_counts(OTLP_TRACES).dropped - before, 16);
    assert_int_equal(otlp_counts(OTLP_TRACES).waiting, 0);
    rig_end(&rig);
}

TEST(a_target_outlives_the_exporter_if_somebody_holds_it)
{
    struct rig rig;
    rig_init_otlp(&rig);
    struct otlp_target *target = otlp_target_get(&rig.settings, &rig.diag);
    uint64_t before = otlp_counts(OTLP_TRACES).dropped;
    otlp_stop();
    assert_true(send(target, 10, 3));
    otlp_target_unref(target);
    assert_int_equal(otlp_counts(OTLP_TRACES).dropped - before, 3);
    rig_end(&rig);
}

TEST(files_that_cannot_be_read_and_fields_that_are_none_are_mistakes)
{
    struct rig rig;
    struct peer_tls tls = {.ca = S("/nowhere/at/all.pem")};
    struct strmap_item header = {STR("X Y"), STR("1")};
    rig_init_otlp(&rig);
    rig.http.tls = &tls;
    assert_null(otlp_target_get(&rig.settings, &rig.diag));
    assert_int_equal(rig.diag.errors, 1);
    rig.http.tls = NULL;
    rig.http.headers = (struct strmap){.items = &header, .count = 1};
    assert_null(otlp_target_get(&rig.settings, &rig.diag));
    header = (struct strmap_item){STR("X-Y"), STR("1\r\nZ: 2")};
    assert_null(otlp_target_get(&rig.settings, &rig.diag));
    rig_end(&rig);
}
