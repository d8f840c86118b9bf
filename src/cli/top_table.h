/* A view of `portico top` as lines of styled text: rows filtered, sorted and cut to the width. Pure; for a screen and for paper. */
#ifndef CLI_TOP_TABLE_H
#define CLI_TOP_TABLE_H

#include "base/arena.h"
#include "base/text.h"
#include "cli/top_data.h"

enum top_style { TOP_PLAIN, TOP_DIM, TOP_BOLD, TOP_GOOD, TOP_WARNING, TOP_BAD, TOP_HEAD, TOP_STYLES };

struct top_piece {
    enum top_style style;
    struct str text;              /* UTF-8 */
};
#define TOP_PIECES_MAX 16
struct top_line {
    struct top_piece pieces[TOP_PIECES_MAX];
    unsigned count;
    bool selected;
};

/* What the user chose. */
struct top_choice {
    enum top_view view;
    unsigned sort[TOP_VIEWS];     /* index of the column */
    bool reverse[TOP_VIEWS];
    unsigned selected, first;     /* rows: the marked one, the uppermost on the screen */
    char filter[128];             /* only rows that have this text, case ignored */
    char marked[512];             /* the name of the marked row, so that the mark follows it when rows move */
};

struct top_lines {
    struct arena arena;
    struct top_line *items;
    unsigned count;
};

void top_choice_init(struct top_choice *choice);

/* Two lines about the process, one with the columns' titles, then as many rows as fit into `height` lines (0: all). Keeps
 * choice->selected and first within bounds. *ret_selected: the marked row (borrowed), or NULL. */
void top_table_lines(const struct top_data *data, struct top_choice *choice, unsigned width, unsigned height,
                     struct top_lines *ret_lines, json_t **ret_selected);
void top_lines_release(struct top_lines *lines);

unsigned top_column_count(enum top_view view);
const char *top_column_title(enum top_view view, unsigned column);

#endif
