#include "observe/tracer.h"

#include <stdlib.h>

#include "base/memory.h"
#include "observe/otlp.h"
#include "observe/span_encode.h"

#define BATCH_ROOM_MAX ((size_t)512 << 10)    /* a message costs as much as the spans of dozens of requests; collectors take 4 MiB */
#define BATCH_MAX ((size_t)32 << 20)     /* what one may grow to by a single request */
#define BATCH_MARGIN ((size_t)16 << 10) /* of a batch that nearly is full: what comes next shall not make it grow */
#define HOLD_TIME TIME_S
#define KEY_MAX ((size_t)1 << 20)

/* ---- life ---- */

static struct otlp_settings settings_of(const struct tracing_config *config)
{
    const struct otlp_traces *otlp = config->otlp;
    return (struct otlp_settings){.signal = OTLP_TRACES,
                                  .http = otlp != NULL ? otlp->http : NULL,
                                  .grpc = otlp != NULL ? otlp->grpc : NULL,
                                  .queue_limit = config->queue_limit,
                                  .limit_option = "tracing.queueLimit"};
}

static void add_part(struct text *out, struct str part)
{
    text_addf(out, "%zu:", part.len);
    text_add(out, part);
}

static void add_row(struct text *out, const struct strs *row)
{
    for (size_t i = 0; i < row->count; i++)
        add_part(out, row->items[i]);
    text_add_char(out, ' ');
}

static char *key_of(const struct tracing_config *config)
{
    struct text key;
    struct otlp_settings settings = settings_of(config);
    text_init(&key, KEY_MAX);
    text_addf(&key, "%a %d ", config->sample_rate, config->add_internals);
    add_part(&key, config->service_name);
    for (size_t i = 0; i < config->resource_attributes.count; i++) {
        add_part(&key, config->resource_attributes.items[i].name);
        add_part(&key, config->resource_attributes.items[i].value);
    }
    text_add_char(&key, ' ');
    add_row(&key, &config->captured_request_headers);
    add_row(&key, &config->captured_response_headers);
    add_row(&key, &config->safe_query_params);
    otlp_target_describe(&settings, &key);
    char *copy = memory_copy_text(text_c(&key), key.len);
    text_release(&key);
    return copy;
}

static struct strs copy_row(struct arena *arena, const struct strs *row)
{
    struct strs copy = {.items = arena_array(arena, struct str, row->count), .count = row->count};
    for (size_t i = 0; i < row->count; i++)
        copy.items[i] = arena_str(arena, row->items[i]);
    return copy;
}

static struct strmap copy_map(struct arena *arena, const struct strmap *map)
{
    struct strmap copy = {.items = arena_array(arena, struct strmap_item, map->count), .count = map->count};
    for (size_t i = 0; i < map->count; i++)
        copy.items[i] = (struct strmap_item){arena_str(arena, map->items[i].name), arena_str(arena, map->items[i].value)};
    return copy;
}

struct tracer *tracer_new(const struct tracing_config *config, struct diag *diag)
{
    struct otlp_settings settings = settings_of(config);
    struct otlp_target *target = otlp_target_get(&settings, diag);
    if (target == NULL)
        return NULL;
    struct tracer *tracer = memory_zalloc(sizeof(*tracer));
    tracer->refs = 1;
    tracer->target = target;
    tracer->key = key_of(config);
    tracer->encoding = otlp_target_encoding(target);
    tracer->batch_room = (uint64_t)config->queue_limit / 4 < BATCH_ROOM_MAX ? (size_t)config->queue_limit / 4 : BATCH_ROOM_MAX;
    tracer->batch_full = tracer->batch_room - (BATCH_MARGIN < tracer->batch_room / 2 ? BATCH_MARGIN : tracer->batch_room / 2);
    tracer->sampling_limit = trace_sampling_limit(config->sample_rate);
    tracer->add_internals = config->add_internals;
    arena_init(&tracer->arena, ARENA_UNLIMITED);
    tracer->service_name = arena_str(&tracer->arena, config->service_name);
    tracer->resource_attributes = copy_map(&tracer->arena, &config->resource_attributes);
    tracer->request_headers = copy_row(&tracer->arena, &config->captured_request_headers);
    tracer->response_headers = copy_row(&tracer->arena, &config->captured_response_headers);
    tracer->safe_query = copy_row(&tracer->arena, &config->safe_query_params);
    return tracer;
}

struct tracer *tracer_ref(struct tracer *tracer)
{
    atomic_fetch_add_explicit(&tracer->refs, 1, memory_order_relaxed);
    return tracer;
}

void tracer_unref(struct tracer *tracer)
{
    if (atomic_fetch_sub_explicit(&tracer->refs, 1, memory_order_acq_rel) != 1)
        return;
    otlp_target_unref(tracer->target);
    arena_release(&tracer->arena);
    for (unsigned i = 0; i < TRACER_SPARES; i++)
        free(tracer->spares[i]);
    free(tracer->key);
    free(tracer);
}

bool tracer_matches(const struct tracer *tracer, const struct tracing_config *config)
{
    char *key = key_of(config);
    bool same = strcmp(key, tracer->key) == 0;
    free(key);
    return same;
}

/* ---- batches ---- */

/* Its body grows by the spans of one request after the other. */
struct span_batch {
    struct otlp_batch batch;
    struct tracer *tracer;                /* one reference */
};

/* Of a worker. */
struct span_buffer {
    struct worker *worker;
    struct timer hold;                    /* ends when the batch is old enough */
    struct span_batch *batch;             /* NULL: none is begun */
    struct span_sink sink;                /* into the batch's body */
};

/* Fresh memory costs the kernel's zeroing of each page, and as much to give it back. More than one batch is on its way whenever the
 * exporter has to wait for its turn. */
static void keep_memory(struct tracer *tracer, struct text *body)
{
    for (unsigned i = 0; i < TRACER_SPARES && body->capacity == tracer->batch_room; i++) {
        char *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&tracer->spares[i], &none, body->data, memory_order_release, memory_order_relaxed))
            text_init(body, BATCH_MAX);
    }
    text_release(body);
}

static char *take_memory(struct tracer *tracer)
{
    char *memory = NULL;
    for (unsigned i = 0; i < TRACER_SPARES && memory == NULL; i++)
        memory = atomic_exchange_explicit(&tracer->spares[i], NULL, memory_order_acquire);
    return memory != NULL ? memory : memory_alloc(tracer->batch_room + 1);
}

static void release_batch(struct otlp_batch *batch)
{
    struct span_batch *spans = container_of(batch, struct span_batch, batch);
    keep_memory(spans->tracer, &spans->batch.body);
    tracer_unref(spans->tracer);
    free(spans);
}

static struct span_batch *batch_new(struct tracer *tracer)
{
    struct span_batch *batch = memory_zalloc(sizeof(*batch));
    struct text *body = &batch->batch.body;
    batch->batch.release = release_batch;
    batch->tracer = tracer_ref(tracer);
    text_init(body, BATCH_MAX);
    body->data = take_memory(tracer);
    body->capacity = tracer->batch_room;
    return batch;
}

/* Room that was not needed is given back, so that what waits is what is counted. */
static void hand_over(struct span_buffer *buffer)
{
    struct span_batch *batch = buffer->batch;
    if (batch == NULL)
        return;
    buffer->batch = NULL;
    struct tracer *tracer = batch->tracer;
    struct text *body = &batch->batch.body;
    span_sink_close(&buffer->sink, tracer->service_name, &tracer->resource_attributes);
    if (body->len < body->capacity / 2) {
        body->data = memory_resize(body->data, body->len + 1);
        body->capacity = body->len;
    }
    batch->batch.size = sizeof(*batch) + body->len;
    otlp_push(tracer->target, &batch->batch);
}

static void on_hold_end(struct timer *timer)
{
    hand_over(container_of(timer, struct span_buffer, hold));
}

static struct span_buffer *buffer_of(struct worker *worker)
{
    if (worker->spans != NULL)
        return worker->spans;
    struct span_buffer *buffer = memory_zalloc(sizeof(*buffer));
    buffer->worker = worker;
    timer_init(&buffer->hold, on_hold_end);
    span_sink_init(&buffer->sink);
    worker->spans = buffer;
    return buffer;
}

static struct span_batch *begin_batch(struct span_buffer *buffer, struct tracer *tracer)
{
    hand_over(buffer);
    buffer->batch = batch_new(tracer);
    span_sink_open(&buffer->sink, tracer->encoding, &buffer->batch->batch.body);
    timer_after(&buffer->worker->loop, &buffer->hold, HOLD_TIME);
    return buffer->batch;
}

void tracer_add(struct tracer *tracer, struct worker *worker, const struct span_record *record)
{
    struct span_buffer *buffer = buffer_of(worker);
    struct span_batch *batch = buffer->batch;
    if (batch == NULL || batch->tracer != tracer)
        batch = begin_batch(buffer, tracer);
    span_encode(&buffer->sink, tracer, record);
    batch->batch.items += span_record_count(record);
    if (span_sink_size(&buffer->sink) > tracer->batch_full)
        hand_over(buffer);
}

void tracer_worker_release(struct worker *worker)
{
    struct span_buffer *buffer = worker->spans;
    if (buffer == NULL)
        return;
    hand_over(buffer);
    timer_cancel(&buffer->hold);
    span_sink_release(&buffer->sink);
    free(buffer);
    worker->spans = NULL;
}
