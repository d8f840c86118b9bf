#include "cli/top_screen.h"

#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static SCREEN *screen;

bool top_screen_open(bool color)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    setlocale(LC_CTYPE, "");
    setenv("ESCDELAY", "25", 0);      /* ms: an escape key that is pressed alone is one soon */
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL)
        return false;
    set_term(screen);
    cbreak();
    noecho();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    curs_set(0);
    if (color && has_colors() && start_color() == OK) {
        use_default_colors();
        init_pair(TOP_GOOD, COLOR_GREEN, -1);
        init_pair(TOP_WARNING, COLOR_YELLOW, -1);
        init_pair(TOP_BAD, COLOR_RED, -1);
        init_pair(TOP_HEAD, COLOR_CYAN, -1);
    }
    return true;
}

void top_screen_close(void)
{
    if (screen == NULL)
        return;
    endwin();
    delscreen(screen);
    screen = NULL;
}

bool top_screen_is_there(void)
{
    struct termios settings;
    return tcgetattr(STDIN_FILENO, &settings) == 0;
}

void top_screen_size(unsigned *ret_width, unsigned *ret_height)
{
    *ret_width = (unsigned)COLS;
    *ret_height = (unsigned)LINES;
}

unsigned top_screen_room(void)
{
    return LINES > 6 ? (unsigned)LINES - 2 : 4;
}

static chtype attributes_of(enum top_style style)
{
    static const chtype kinds[TOP_STYLES] = {[TOP_DIM] = A_DIM, [TOP_BOLD] = A_BOLD, [TOP_BAD] = A_BOLD, [TOP_HEAD] = A_BOLD};
    bool colored = style == TOP_GOOD || style == TOP_WARNING || style == TOP_BAD || style == TOP_HEAD;
    return kinds[style] | (colored ? (chtype)COLOR_PAIR(style) : 0);
}

static void draw_line(int row, const struct top_line *line)
{
    move(row, 0);
    clrtoeol();
    for (unsigned i = 0; i < line->count; i++) {
        attrset(attributes_of(line->pieces[i].style) | (line->selected ? A_REVERSE : 0));
        addnstr(line->pieces[i].text.data, (int)line->pieces[i].text.len);
    }
    attrset(A_NORMAL);
}

static void draw_tabs(int row, const struct top_choice *choice)
{
    move(row, 0);
    clrtoeol();
    for (unsigned view = 0; view < TOP_VIEWS; view++) {
        attrset(view == choice->view ? A_REVERSE : A_NORMAL);
        printw(" %u %s ", view + 1, top_view_title((enum top_view)view));
        attrset(A_NORMAL);
        addch(' ');
    }
    if (choice->filter[0] != '\0')
        printw(" filter: %s", choice->filter);
}

static void draw_status(int row, const struct top_screen_status *status)
{
    move(row, 0);
    clrtoeol();
    if (status->prompt != NULL) {
        printw("%s: %s_", status->prompt, status->typed);
    } else if (status->message != NULL) {
        attrset(attributes_of(status->message_is_bad ? TOP_BAD : TOP_PLAIN));
        addstr(status->message);
    } else {
        attrset(A_DIM);
        printw("%sq quit  tab view  arrows move and sort  r reverse  / filter  p pause  ? help%s", status->paused ? "PAUSED  " : "",
               status->can_write ? "  d drain  u ready" : "");
    }
    attrset(A_NORMAL);
}

static void draw_help(void)
{
    static const char *const keys[] = {
        "1-7, tab      another view",
        "up, down      mark a row (also k, j, page up and down, home, end)",
        "left, right   sort by another column (also <, >)",
        "r             reverse the order",
        "/             only rows with a text; escape: all of them",
        "p, space      stop and go on moving",
        "d, u, x       servers: drain, as configured again, take out",
        "m             services and routers: maintenance on or off",
        "enter         all that is known of the marked row",
        "q             leave"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        mvprintw((int)i + 4, 4, " %-64s ", keys[i]);
}

static void draw_member(int row, const char *key, json_t *value)
{
    char *other = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *text = other != NULL ? other : json_string_value(value);
    move(row, 0);
    clrtoeol();
    attrset(A_BOLD);
    printw("  %-16s ", key);
    attrset(A_NORMAL);
    addnstr(text != NULL ? text : "", COLS > 20 ? COLS - 20 : 0);
    free(other);
}

static void draw_detail(const json_t *row)
{
    const char *key;
    json_t *value;
    int at = 4;
    json_object_foreach((json_t *)(uintptr_t)row, key, value)
        if (at < LINES - 1)
            draw_member(at++, key, value);
}

void top_screen_draw(const struct top_lines *lines, const struct top_screen_status *status)
{
    int rows = LINES;
    erase();
    for (unsigned i = 0; i < lines->count && (int)i < rows - 2; i++)
        draw_line((int)i + (i >= 2), &lines->items[i]);      /* the views' names stand below the first two */
    draw_tabs(2, status->choice);
    if (status->detail != NULL)
        draw_detail(status->detail);
    if (status->help)
        draw_help();
    draw_status(rows - 1, status);
    refresh();
}

int top_screen_key(void)
{
    static const struct {
        int code, key;
    } keys[] = {{KEY_UP, TOP_KEY_UP}, {KEY_DOWN, TOP_KEY_DOWN}, {KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
                {KEY_HOME, TOP_KEY_HOME}, {KEY_END, TOP_KEY_END}, {KEY_LEFT, TOP_KEY_LEFT}, {KEY_RIGHT, TOP_KEY_RIGHT},
                {'\t', TOP_KEY_TAB}, {KEY_BTAB, TOP_KEY_BACK_TAB}, {'\n', TOP_KEY_ENTER}, {'\r', TOP_KEY_ENTER},
                {KEY_ENTER, TOP_KEY_ENTER}, {27, TOP_KEY_ESCAPE}, {KEY_BACKSPACE, TOP_KEY_BACKSPACE}, {127, TOP_KEY_BACKSPACE},
                {8, TOP_KEY_BACKSPACE}, {KEY_RESIZE, TOP_KEY_RESIZE}};
    int code = getch();
    if (code == ERR)
        return TOP_KEY_NONE;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].code == code)
            return keys[i].key;
    return code < 256 ? code : TOP_KEY_RESIZE;
}
