/* Collects what is wrong with a configuration. How it is shown: diag_render.c. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

void diag_init(struct diag *diag, struct arena *arena)
{
    *diag = (struct diag){.arena = arena};
}

void diag_release(struct diag *diag)
{
    free(diag->items);
    *diag = (struct diag){.arena = diag->arena};
}

const struct source *diag_source_view(struct arena *arena, struct str name, struct str content)
{
    struct source *source = arena_new(arena, struct source);
    source->name = arena_str(arena, name);
    source->content = content;
    return source;
}

const struct source *diag_source(struct arena *arena, struct str name, struct str content)
{
    return diag_source_view(arena, name, arena_str(arena, content));
}

const struct source *diag_source_word(struct arena *arena, struct str name, struct str content)
{
    struct source *source = arena_new(arena, struct source);
    source->name = arena_str(arena, name);
    source->content = arena_str(arena, content);
    source->word = true;
    return source;
}

static struct diag_item *next_item(struct diag *diag)
{
    if (diag->count == DIAG_ITEMS_MAX)
        return &diag->beyond;
    if (diag->count == diag->capacity) {
        diag->capacity = diag->capacity != 0 ? diag->capacity * 2 : 8;
        diag->items = memory_resize(diag->items, diag->capacity * sizeof(*diag->items));
    }
    return &diag->items[diag->count++];
}

static bool same_place(struct span a, struct span b)
{
    return a.source == b.source && a.line == b.line && a.column == b.column && a.length == b.length;
}

/* What is looked at twice (a middleware on two routers, a router on two entrypoints) is told once. */
static struct diag_item *find_told(struct diag *diag, const struct diag_item *item)
{
    for (struct diag_item *it = diag->items; it < item; it++) {
        if (it->severity == item->severity && item->span.source != NULL &&
            same_place(it->span, item->span) && str_equal(it->message, item->message))
            return it;
    }
    return NULL;
}

static void note_mistake(struct diag *diag, const struct diag_item *item)
{
    struct diag_guard *guard = diag->guard;
    guard->errors += !item->contained;
    if (guard->count++ >= DIAG_MISTAKES_MAX)
        return;
    struct diag_mistake *mistake = arena_new(diag->arena, struct diag_mistake);
    mistake->message = item->message;
    mistake->span = item->span;
    *guard->last = mistake;
    guard->last = &mistake->next;
}

static struct diag_item *report(struct diag *diag, const struct diag_item *what,
                                const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static struct diag_item *report(struct diag *diag, const struct diag_item *what,
                                const char *format, va_list args)
{
    struct diag_item *item = next_item(diag);
    bool mistake = what->severity == DIAG_ERROR || what->contained;
    *item = *what;
    diag->mistakes += mistake;
    if (item != &diag->beyond || (mistake && diag->guard != NULL))
        item->message = arena_vprintf(diag->arena, format, args);
    if (mistake && diag->guard != NULL)
        note_mistake(diag, item);
    if (item != &diag->beyond && find_told(diag, item) != NULL) {
        diag->count--;
        return &diag->beyond;
    }
    if (diag->context != NULL) {
        if (diag->context->told.data == NULL)
            diag->context->told = arena_str(diag->arena, diag->context->text);
        item->context = diag->context->told;
        item->context_span = diag->context->span;
    }
    diag->errors += item->severity == DIAG_ERROR;
    diag->warnings += item->severity == DIAG_WARNING;
    return item;
}

struct diag_item *diag_error(struct diag *diag, struct span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool contained = diag->guard != NULL && diag->guard->mild;
    struct diag_item what = {.severity = contained ? DIAG_WARNING : DIAG_ERROR, .span = span, .contained = contained};
    struct diag_item *item = report(diag, &what, format, args);
    va_end(args);
    return item;
}

struct diag_item *diag_warning(struct diag *diag, struct span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct diag_item *item = report(diag, &(struct diag_item){.severity = DIAG_WARNING, .span = span}, format, args);
    va_end(args);
    return item;
}

struct diag_item *diag_note(struct diag *diag, struct span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct diag_item *item = report(diag, &(struct diag_item){.severity = DIAG_NOTE, .span = span}, format, args);
    va_end(args);
    return item;
}

struct diag_item *diag_contained(struct diag *diag, struct span span, const char *format, ...)
{
    bool contained = diag->guard != NULL;
    struct diag_item what = {.severity = contained ? DIAG_WARNING : DIAG_ERROR, .span = span, .contained = contained};
    va_list args;
    va_start(args, format);
    struct diag_item *item = report(diag, &what, format, args);
    va_end(args);
    return item;
}

void diag_hint(struct diag *diag, struct diag_item *item, const char *format, ...)
{
    if (item == &diag->beyond)
        return;
    va_list args;
    va_start(args, format);
    item->hint = arena_vprintf(diag->arena, format, args);
    va_end(args);
}

static struct diag_context *new_context(struct diag *diag)
{
    struct diag_context *context = diag->spare;
    if (context == NULL)
        return arena_new(diag->arena, struct diag_context);
    diag->spare = context->outer;
    return context;
}

void diag_enter(struct diag *diag, struct span span, const char *format, ...)
{
    struct diag_context *context = new_context(diag);
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t len = (size_t)vsnprintf(context->room, context->size, format, args);
    if (len >= context->size) {
        context->size = 2 * len + 64;
        context->room = arena_alloc(diag->arena, context->size);
        vsnprintf(context->room, context->size, format, again);
    }
    va_end(again);
    va_end(args);
    context->text = str_of(context->room, len);
    context->told = STR_NONE;
    context->span = span;
    context->outer = diag->context;
    diag->context = context;
}

void diag_leave(struct diag *diag)
{
    struct diag_context *context = diag->context;
    diag->context = context->outer;
    context->outer = diag->spare;
    diag->spare = context;
}

void diag_guard_begin(struct diag *diag, struct diag_guard *guard, bool mild)
{
    *guard = (struct diag_guard){.mild = mild, .outer = diag->guard};
    guard->last = &guard->first;
    diag->guard = guard;
}

/* Hints are given after the report, to the item: a mistake has that of the item with its words. */
static void take_hint(const struct diag *diag, struct diag_mistake *mistake)
{
    for (size_t i = diag->count; i > 0 && str_empty(mistake->hint); i--) {
        const struct diag_item *item = &diag->items[i - 1];
        if (same_place(item->span, mistake->span) && str_equal(item->message, mistake->message))
            mistake->hint = item->hint;
    }
}

bool diag_guard_end(struct diag *diag, struct diag_guard *guard)
{
    diag->guard = guard->outer;
    for (struct diag_mistake *it = guard->first; it != NULL; it = it->next)
        take_hint(diag, it);
    return guard->count == 0;
}

void diag_make_strict(struct diag *diag)
{
    for (size_t i = 0; i < diag->count; i++) {
        struct diag_item *item = &diag->items[i];
        if (!item->contained || item->severity != DIAG_WARNING)
            continue;
        item->severity = DIAG_ERROR;
        diag->errors++;
        diag->warnings--;
    }
}

/* Where line `number` (from 1) begins; content.len when there are fewer. */
static size_t line_start(struct str content, uint32_t number)
{
    size_t at = 0;
    while (number > 1 && at < content.len) {
        ptrdiff_t end = str_find_char(content, '\n', at);
        if (end < 0)
            return content.len;
        at = (size_t)end + 1;
        number--;
    }
    return at;
}

/* How many bytes of a quoted text, quote included, stand before byte `offset` of its meaning. */
static size_t quoted_offset(struct str written, size_t offset)
{
    char quote = written.data[0];
    size_t at = 1;
    while (offset > 0 && at < written.len && written.data[at] != '\n') {
        bool escape = quote == '"' ? written.data[at] == '\\' : written.data[at] == '\'';
        at += escape ? 2 : 1;
        offset--;
    }
    return at;
}

/* The length of the name at the front of what stands behind a '$' of nginx.conf; 0: none, or one in braces, as in the model. */
static size_t bare_name(struct str behind)
{
    if (behind.len > 0 && behind.data[0] >= '1' && behind.data[0] <= '9')
        return 1;
    size_t length = 0;
    while (length < behind.len && (ascii_alpha(behind.data[length]) || ascii_digit(behind.data[length]) || behind.data[length] == '_'))
        length++;
    return length;
}

/* The same for a word of nginx.conf, whose "$name" stands for "${name}". */
static size_t nginx_offset(struct str written, size_t offset)
{
    size_t at = written.data[0] == '"' || written.data[0] == '\'';
    while (offset > 0 && at < written.len) {
        char next = at + 1 < written.len ? written.data[at + 1] : '\0';
        size_t name = written.data[at] == '$' ? bare_name(str_from_index(written, at + 1)) : 0;
        bool escape = written.data[at] == '\\' && next != '\0' && strchr("\"'\\trn", next) != NULL;
        size_t meant = name > 0 ? name + 3 : 1;
        if (offset < meant)
            return at + (offset > 1 ? offset - 1 : 0);
        at += name > 0 ? name + 1 : escape ? 2 : 1;
        offset -= meant;
    }
    return at;
}

struct span span_inside(struct span span, size_t offset, size_t length)
{
    size_t from = offset, to = offset + length;
    if (span.quoted && span.source != NULL && span.line > 0) {
        size_t start = line_start(span.source->content, span.line) + span.column - 1;
        struct str written = str_first(str_from_index(span.source->content, start), span.length);
        if (!str_empty(written)) {
            size_t (*step)(struct str, size_t) = span.source->nginx ? nginx_offset : quoted_offset;
            from = step(written, offset);
            to = step(written, offset + length);
        }
    }
    if (from >= span.length)
        return span;
    if (to > span.length)
        to = span.length;
    return span_make(span.source, span.line, span.column + from, to - from);
}

struct str nearest(struct str word, const struct str *candidates, size_t count)
{
    unsigned best = (unsigned)(word.len / 3) + 1;
    struct str found = STR_NONE;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = str_distance(word, candidates[i], best - 1);
        if (distance < best) {
            best = distance;
            found = candidates[i];
        }
        if (best == 0)
            return found;
    }
    if (found.data != NULL || word.len < 3)
        return found;
    for (size_t i = 0; i < count; i++) {
        if (str_starts_nocase(candidates[i], word) &&
            (found.data == NULL || candidates[i].len < found.len))
            found = candidates[i];
    }
    return found;
}

void diag_suggest(struct diag *diag, struct diag_item *item, struct str word,
                  const struct str *candidates, size_t count)
{
    struct str found = nearest(word, candidates, count);
    if (!str_empty(found))
        diag_hint(diag, item, "did you mean '%.*s'?", STR_ARGS(found));
}

/* What has no place comes last. */
static int compare_places(const struct span *a, const struct span *b)
{
    if (a->source != b->source) {
        if (a->source == NULL || b->source == NULL)
            return a->source == NULL ? 1 : -1;
        int order = str_compare(a->source->name, b->source->name);
        if (order != 0)
            return order;
    }
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* Insertion: at most DIAG_ITEMS_MAX items, and equal places keep the order of report. */
void diag_sort(struct diag *diag)
{
    for (size_t i = 1; i < diag->count; i++) {
        struct diag_item item = diag->items[i];
        size_t at = i;
        while (at > 0 && compare_places(&diag->items[at - 1].span, &item.span) > 0) {
            diag->items[at] = diag->items[at - 1];
            at--;
        }
        diag->items[at] = item;
    }
}
