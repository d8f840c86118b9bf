/* The terminal of `portico top` (ncurses). One screen per process; whoever opens it closes it, at every end. */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

#include "cli/top_table.h"

/* False: this is no terminal, or one of an unknown kind. */
bool top_screen_open(bool color);
void top_screen_close(void);
/* False: the terminal has gone (its window was closed). */
bool top_screen_is_there(void);
void top_screen_size(unsigned *ret_width, unsigned *ret_height);

/* What else is on the screen beside a view. */
struct top_screen_status {
    const struct top_choice *choice;
    bool paused, can_write;
    const char *message;          /* the last line's words; NULL: the keys */
    bool message_is_bad;
    const char *prompt;           /* a line is being typed: what for; NULL: none */
    const char *typed;
    bool help;                    /* a list of the keys covers the rows */
    const json_t *detail;         /* all members of this row cover them; NULL: none */
};
/* How many lines are left for the view. */
unsigned top_screen_room(void);
void top_screen_draw(const struct top_lines *lines, const struct top_screen_status *status);

enum top_key {
    TOP_KEY_NONE, TOP_KEY_UP = 256, TOP_KEY_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_HOME, TOP_KEY_END, TOP_KEY_LEFT,
    TOP_KEY_RIGHT, TOP_KEY_TAB, TOP_KEY_BACK_TAB, TOP_KEY_ENTER, TOP_KEY_ESCAPE, TOP_KEY_BACKSPACE, TOP_KEY_RESIZE
};
/* The next key that was pressed: one of the above, a character, or NONE when there is none. */
int top_screen_key(void);

#endif
