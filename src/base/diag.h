/* What is wrong with a configuration: all of it, each at its place, with a caret and a suggestion.
 *
 *     portico.yaml:14:21: error: unknown middleware 'ratelimt'
 *      14 |       middlewares: [ratelimt, auth]
 *         |                     ^~~~~~~~ did you mean 'rateLimit'?
 *         = in router 'api' (portico.yaml:12:3)
 *
 * Ownership: texts are copied into the collector's arena; sources (file name and content) are registered
 * once and live in it too. Threading: one owner. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/arena.h"
#include "base/str.h"
#include "base/text.h"

/* A text that configuration came from: a file, a flag, an environment variable, a container label. */
struct source {
    struct str name;     /* "portico.yaml", "--entryPoints.web.address", "TRAEFIK_LOG_LEVEL" */
    struct str content;  /* whole; lines are cut out of it for display */
    bool word;           /* a single argument or variable: shown without line and column numbers */
    bool nginx;          /* nginx.conf: its escapes, and "$x" means "${x}" (what span_inside steps over) */
};

/* A stretch of a source. line and column count from 1 (columns in bytes); line 0: no place within. Tens of thousands are kept, so they
 * are packed (span_make); a file of 16 MiB may be one line. */
struct span {
    const struct source *source;
    uint64_t line : 24;
    uint64_t column : 24;
    uint64_t length : 15;     /* bytes to underline, at least 1 is shown */
    uint64_t quoted : 1;      /* the text is written otherwise there, in quotes or with escapes: span_inside steps over them */
};
#define SPAN_PLACE_MAX ((1U << 24) - 1)
#define SPAN_LENGTH_MAX ((1U << 15) - 1)
#define SPAN_NONE ((struct span){0})

enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag_item {
    enum diag_severity severity;
    struct span span;
    struct str message;
    struct str hint;       /* shown behind the caret: "did you mean 'rateLimit'?"; may be empty */
    struct str context;    /* "in router 'api'"; may be empty */
    struct span context_span;
    bool contained;        /* a mistake that took down its own object alone: reported as a warning (struct diag_guard) */
};

/* One object that is being read; they nest, and the innermost is named in a report. Most are never named, and there are tens of
 * thousands: one that was left is used again with its room, and what is told is a copy. */
struct diag_context {
    struct str text;       /* in `room` */
    struct str told;       /* the copy; data NULL: nothing was reported here */
    char *room;
    size_t size;
    struct span span;
    struct diag_context *outer;
};

/* A mistake within a guard. */
struct diag_mistake {
    struct str message;
    struct str hint;       /* as far as the item was kept */
    struct span span;
    struct diag_mistake *next;
};

/* Keeps the mistakes of one object to that object. While a guard stands, what is wrong is also noted in it, so that who reads the
 * object learns at its end whether it may be used. `mild`: what diag_error reports becomes a warning, because a mistake in this
 * object takes down nobody else. Guards nest; the innermost alone is told. Memory: the caller's; notes lie in the diag's arena. */
struct diag_guard {
    bool mild;
    size_t count;                    /* mistakes */
    size_t errors;                   /* of these: not contained */
    struct diag_mistake *first;      /* in the order of report, DIAG_MISTAKES_MAX at most */
    struct diag_mistake **last;
    struct diag_guard *outer;
};
#define DIAG_MISTAKES_MAX 8

#define DIAG_ITEMS_MAX 200

struct diag {
    struct arena *arena;       /* outlives the diag */
    struct diag_item *items;   /* in the order of report; diag_sort orders by place */
    size_t count, capacity;
    size_t errors, warnings;   /* all of them, those beyond DIAG_ITEMS_MAX too */
    size_t mistakes;           /* errors and what is contained, told or not: "was anything wrong since?" */
    struct diag_context *context;   /* diag_enter/diag_leave */
    struct diag_context *spare;     /* those that were left */
    struct diag_guard *guard;       /* diag_guard_begin/diag_guard_end */
    struct diag_item beyond;   /* what a report past DIAG_ITEMS_MAX is written to */
};

void diag_init(struct diag *diag, struct arena *arena);
void diag_release(struct diag *diag);

/* Registers a text; name and content are copied. */
const struct source *diag_source(struct arena *arena, struct str name, struct str content);
/* The same for a content that lives as long as the arena: it is not copied. */
const struct source *diag_source_view(struct arena *arena, struct str name, struct str content);
/* The same for a flag, an environment variable or a label: one word that is its own place. */
const struct source *diag_source_word(struct arena *arena, struct str name, struct str content);

/* The report; gives the item so that a hint can be added: valid until the next report. After
 * DIAG_ITEMS_MAX items further ones are only counted. The same words at the same place are one report. */
struct diag_item *diag_error(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct diag_item *diag_warning(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct diag_item *diag_note(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A mistake that takes down the guarded object alone, mild or not: a warning. Without a guard it is diag_error. */
struct diag_item *diag_contained(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_hint(struct diag *diag, struct diag_item *item, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Which object is being read ("in router 'api'"), for what is reported until the diag_leave that belongs
 * to it. */
void diag_enter(struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_leave(struct diag *diag);

void diag_guard_begin(struct diag *diag, struct diag_guard *guard, bool mild);
/* True when nothing was wrong. The guard's notes stay readable. */
bool diag_guard_end(struct diag *diag, struct diag_guard *guard);
/* Contained mistakes are errors after all: for who asks whether everything is good. */
void diag_make_strict(struct diag *diag);

/* One whose numbers are counted: what does not fit is the greatest that does. */
static inline struct span span_make(const struct source *source, size_t line, size_t column, size_t length)
{
    return (struct span){.source = source,
                         .line = line < SPAN_PLACE_MAX ? line : SPAN_PLACE_MAX,
                         .column = column < SPAN_PLACE_MAX ? column : SPAN_PLACE_MAX,
                         .length = length < SPAN_LENGTH_MAX ? length : SPAN_LENGTH_MAX};
}

/* The part of a span's text from byte `offset`, `length` long: for errors inside a rule or a regex.
 * Quotes and their escapes are stepped over; a part outside of the span gives the span itself. */
struct span span_inside(struct span span, size_t offset, size_t length);

/* The nearest of `candidates` within a third of its length (or one that `word` is the beginning of), as
 * "did you mean 'x'?"; adds nothing when none is near. */
void diag_suggest(struct diag *diag, struct diag_item *item, struct str word,
                  const struct str *candidates, size_t count);
/* The nearest candidate, or an empty str. */
struct str nearest(struct str word, const struct str *candidates, size_t count);

/* By source, line, column. */
void diag_sort(struct diag *diag);
/* As people read them (see above); colour: ANSI sequences. */
void diag_render(const struct diag *diag, bool color, struct text *out);
/* "portico.yaml:14:21", "--entryPoints.web.address"; nothing for SPAN_NONE. */
void diag_render_place(struct span span, struct text *out);
/* One item on one line, for a log or a command line's mistake:
 * "portico.yaml:14:21: unknown middleware 'ratelimt', did you mean 'rateLimit'? (in router 'api')". */
void diag_render_line(const struct diag_item *item, struct text *out);
/* As a JSON array of {severity, file, line, column, length, message, hint, context}. */
void diag_render_json(const struct diag *diag, struct text *out);

#endif
