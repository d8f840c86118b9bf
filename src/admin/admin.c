#include "admin/admin.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "exchange/survey.h"

struct admin *admin_self;

static _Atomic(struct worker *) control_worker;

struct worker *admin_control(void)
{
    return atomic_load_explicit(&control_worker, memory_order_acquire);
}

/* Every part that has the hook is told. */
#define TELL(hook, ...) \
    REGISTRY_FOREACH(admin_part, const struct admin_part, it) \
        if ((*it)->hook != NULL) \
            (*it)->hook(__VA_ARGS__)

void admin_start(struct worker *control, struct worker *workers, unsigned count, const struct admin_actions *actions)
{
    admin_self = memory_zalloc(sizeof(*admin_self));
    *admin_self = (struct admin){.control = control,
                                 .workers = workers,
                                 .worker_count = count,
                                 .actions = *actions,
                                 .started_wall = time_wall()};
    arena_init(&admin_self->last_load.arena, ARENA_UNLIMITED);
    atomic_store_explicit(&control_worker, control, memory_order_release);
    survey_open(control, workers, count);
    TELL(start);
}

/* ---- what loading a configuration had to say ---- */

static struct str line_of(const struct span *span)
{
    struct str rest = span->source->content;
    for (uint32_t line = 1; line < span->line; line++) {
        ptrdiff_t end = str_find_char(rest, '\n', 0);
        if (end < 0)
            return STR_NONE;
        rest = str_from_index(rest, (size_t)end + 1);
    }
    ptrdiff_t end = str_find_char(rest, '\n', 0);
    return end >= 0 ? str_first(rest, (size_t)end) : rest;
}

static struct str place_of(const struct span *span, struct arena *arena)
{
    if (span->source == NULL)
        return STR_NONE;
    if (span->source->word || span->line == 0)
        return arena_str(arena, span->source->name);
    return arena_printf(arena, "%.*s:%u:%u", STR_ARGS(span->source->name), span->line, span->column);
}

static struct admin_note note_of(const struct diag_item *item, struct arena *arena)
{
    struct admin_note note = {.severity = item->severity,
                              .place = place_of(&item->span, arena),
                              .message = arena_str(arena, item->message),
                              .hint = arena_str(arena, item->hint),
                              .column = item->span.column,
                              .length = item->span.length};
    if (item->span.source != NULL && item->span.line != 0)
        note.line = arena_str(arena, line_of(&item->span));
    return note;
}

static void note_load(const struct diag *diag, bool good)
{
    struct admin_load *load = &admin_self->last_load;
    arena_release(&load->arena);
    *load = (struct admin_load){.at = time_wall(), .good = good};
    arena_init(&load->arena, ARENA_UNLIMITED);
    if (diag == NULL || diag->count == 0)
        return;
    load->notes = arena_array(&load->arena, struct admin_note, diag->count);
    for (size_t i = 0; i < diag->count; i++)
        load->notes[load->note_count++] = note_of(&diag->items[i], &load->arena);
}

void admin_use(struct graph *graph, const struct diag *diag)
{
    if (admin_self == NULL)
        return;
    struct graph *former = admin_self->graph;
    admin_self->graph = graph_ref(graph);
    admin_self->reloads += former != NULL;
    admin_self->configured_wall = time_wall();
    if (former != NULL)
        graph_unref(former);
    note_load(diag, true);
    TELL(use, graph);
}

void admin_refused(const struct diag *diag)
{
    if (admin_self == NULL)
        return;
    admin_self->reloads++;
    admin_self->reloads_failed++;
    note_load(diag, false);
}

void admin_stopping(void)
{
    if (admin_self == NULL)
        return;
    survey_close();
    TELL(stopping);
}

void admin_stop(void)
{
    if (admin_self == NULL)
        return;
    survey_close();
    TELL(stop);
    atomic_store_explicit(&control_worker, NULL, memory_order_release);
    if (admin_self->graph != NULL)
        graph_unref(admin_self->graph);
    arena_release(&admin_self->last_load.arena);
    free(admin_self);
    admin_self = NULL;
}
