/* `portico top`: what a running Portico does, live in a terminal: rates, latencies, servers, exchanges, failures; and orders to it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/top_client.h"
#include "cli/top_screen.h"

#define OUTPUT_MAX ((size_t)16 << 20)
#define TURN_MS 200               /* between two looks at the keyboard's and the clock's events */
#define ASK_EVERY 5               /* turns between two questions for a list */
#define PATIENCE_TURNS 75         /* that --once waits for its first tick */
#define PAPER_WIDTH 200

static const struct flag flags_of_top[] = {
    {.name = "url", .argument = "URL", .help = "Where the API is (http://127.0.0.1:8080); what stands in front of /api belongs to it."},
    {.name = "user", .letter = 'u', .argument = "NAME:PASSWORD", .help = "For an API behind basicAuth; PORTICO_TOP_USER is read too."},
    {.name = "ca", .argument = "FILE", .help = "The authority of the API's certificate, PEM (the system's)."},
    {.name = "insecure", .letter = 'k', .help = "Take any certificate."},
    {.name = "view", .argument = "NAME", .help = "What is shown first: entrypoints, routers, services, servers, exchanges, failures, problems."},
    {.name = "once", .help = "Print the view once, as text."},
    {.name = "json", .help = "Print the view once, for programs."},
    {.name = NULL},
};

/* Tags of questions: the views', then these. */
enum { ASK_OVERVIEW = TOP_VIEWS, ASK_MAP, ASK_ORDER };

struct top {
    struct top_client *client;
    struct top_data data;
    struct top_choice choice;
    json_t *selected;             /* the marked row, a reference: the data may be replaced meanwhile; NULL: none */
    bool paused, help, detail, quit;
    bool ticked, listed;          /* the first tick, the first list of the view have come */
    unsigned turn;
    char message[512];
    bool message_is_bad;
    bool typing;                  /* of the filter */
};

static void say(struct top *top, bool bad, const char *text)
{
    snprintf(top->message, sizeof(top->message), "%s", text);
    top->message_is_bad = bad;
}

/* ---- what comes from the API ---- */

static void on_event(void *owner, struct str event, json_t *body)
{
    struct top *top = owner;
    if (top->message_is_bad)
        top->message[0] = '\0';
    if (!top->paused)
        top_data_event(&top->data, event, body);
    top->ticked = top->ticked || str_equal(event, S("tick"));
}

static void on_answer(void *owner, int tag, json_t *body, const char *problem)
{
    struct top *top = owner;
    if (tag == ASK_ORDER) {
        const char *message = json_string_value(json_object_get(body, "message"));
        say(top, problem != NULL, problem != NULL ? problem : message != NULL ? message : "done");
        return;
    }
    if (problem != NULL) {
        say(top, true, problem);
        return;
    }
    if (tag == ASK_OVERVIEW)
        top_data_overview(&top->data, body);
    else if (tag == ASK_MAP)
        top_data_map(&top->data, body);
    else if (!top->paused)
        top_data_list(&top->data, (enum top_view)tag, body);
    top->listed = top->listed || tag == (int)top->choice.view;
}

static void on_lost(void *owner, const char *problem)
{
    struct top *top = owner;
    char text[512];
    snprintf(text, sizeof(text), "not connected: %s", problem);
    say(top, true, text);
}

static void ask(struct top *top)
{
    const char *path = top_view_path(top->choice.view);
    if (top->turn++ % ASK_EVERY != 0)
        return;
    top_client_ask(top->client, ASK_OVERVIEW, "overview", NULL);
    if (top->turn % (ASK_EVERY * 50) == 1)
        top_client_ask(top->client, ASK_MAP, "map?limit=500", NULL);
    if (path != NULL)
        top_client_ask(top->client, (int)top->choice.view, path, NULL);
}

/* ---- orders ---- */

static const char *member(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text != NULL ? text : "";
}

static void order(struct top *top, const char *kind, const char *name, const char *more, json_t *body)
{
    char *first = top_client_escape(top->client, name), *second = top_client_escape(top->client, more);
    struct text path;
    text_init(&path, 1 << 16);
    text_addf(&path, "%s/%s%s%s", kind, first, more[0] != '\0' ? "/" : "", second);
    top_client_ask(top->client, ASK_ORDER, text_c(&path), body);
    text_release(&path);
    curl_free(first);
    curl_free(second);
}

static void order_server(struct top *top, const char *state)
{
    if (top->choice.view != TOP_SERVERS || top->selected == NULL) {
        say(top, true, "mark a server first (4)");
        return;
    }
    order(top, "servers", member(top->selected, "service"), member(top->selected, "url"),
          state != NULL ? json_pack("{ss}", "state", state) : json_pack("{sn}", "state"));
}

static void order_maintenance(struct top *top)
{
    const char *kind = top->choice.view == TOP_ROUTERS ? "routers" : top->choice.view == TOP_SERVICES ? "services" : NULL;
    if (kind == NULL || top->selected == NULL) {
        say(top, true, "mark a router (2) or a service (3) first");
        return;
    }
    bool on = !json_is_true(json_object_get(top->selected, "maintenance"));
    json_object_set_new(top->selected, "maintenance", json_boolean(on));
    order(top, kind, member(top->selected, "name"), "", json_pack("{sb}", "maintenance", (int)on));
}

/* ---- keys ---- */

static void type_filter(struct top *top, int key)
{
    char *filter = top->choice.filter;
    size_t len = strlen(filter);
    if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
        top->typing = false;
    if (key == TOP_KEY_ESCAPE)
        filter[0] = '\0';
    else if (key == TOP_KEY_BACKSPACE && len != 0)
        filter[len - 1] = '\0';
    else if (key >= ' ' && key < 256 && len + 1 < sizeof(top->choice.filter))
        filter[len] = (char)key, filter[len + 1] = '\0';
}

static void show_view(struct top *top, unsigned view)
{
    top->choice.view = (enum top_view)(view % TOP_VIEWS);
    top->choice.selected = top->choice.first = 0;
    top->choice.marked[0] = '\0';
    top->turn = 0;
    top->detail = false;
}

static void move_mark(struct top *top, int by)
{
    unsigned selected = top->choice.selected;
    top->choice.marked[0] = '\0';
    top->choice.selected = by < 0 && selected < (unsigned)-by ? 0 : selected + (unsigned)by;
}

static void sort_by(struct top *top, int by)
{
    unsigned *column = &top->choice.sort[top->choice.view], count = top_column_count(top->choice.view);
    *column = (*column + count + (unsigned)by) % count;
}

static void leave(struct top *top)
{
    if (!top->help && !top->detail)
        top->choice.filter[0] = '\0';
    top->help = top->detail = false;
    top->message[0] = '\0';
}

static void press_letter(struct top *top, int key)
{
    switch (key) {
    case 'q':
        top->quit = true;
        break;
    case 'r':
        top->choice.reverse[top->choice.view] ^= true;
        break;
    case '/':
        top->typing = true;
        break;
    case 'p':
    case ' ':
        top->paused = !top->paused;
        break;
    case '?':
    case 'h':
        top->help = !top->help;
        break;
    case 'd':
        order_server(top, "draining");
        break;
    case 'x':
        order_server(top, "down");
        break;
    case 'u':
        order_server(top, NULL);
        break;
    case 'm':
        order_maintenance(top);
        break;
    default:
        if (key >= '1' && key < '1' + TOP_VIEWS)
            show_view(top, (unsigned)(key - '1'));
    }
}

static void press(struct top *top, int key)
{
    if (top->typing) {
        type_filter(top, key);
        return;
    }
    top->message[0] = '\0';
    switch (key) {
    case TOP_KEY_TAB:
        show_view(top, top->choice.view + 1);
        break;
    case TOP_KEY_BACK_TAB:
        show_view(top, top->choice.view + TOP_VIEWS - 1);
        break;
    case TOP_KEY_UP:
    case 'k':
        move_mark(top, -1);
        break;
    case TOP_KEY_DOWN:
    case 'j':
        move_mark(top, 1);
        break;
    case TOP_KEY_PAGE_UP:
        move_mark(top, -10);
        break;
    case TOP_KEY_PAGE_DOWN:
        move_mark(top, 10);
        break;
    case TOP_KEY_HOME:
        move_mark(top, -1000000);
        break;
    case TOP_KEY_END:
        move_mark(top, 1000000);
        break;
    case TOP_KEY_LEFT:
    case '<':
        sort_by(top, -1);
        break;
    case TOP_KEY_RIGHT:
    case '>':
        sort_by(top, 1);
        break;
    case TOP_KEY_ENTER:
        top->detail = !top->detail;
        break;
    case TOP_KEY_ESCAPE:
        leave(top);
        break;
    default:
        press_letter(top, key);
    }
}

/* ---- the two ways to show it ---- */

static void make_lines(struct top *top, unsigned width, unsigned height, struct top_lines *ret_lines)
{
    json_t *selected;
    top_table_lines(&top->data, &top->choice, width, height, ret_lines, &selected);
    json_decref(top->selected);
    top->selected = json_incref(selected);
}

static void draw(struct top *top)
{
    unsigned width, height;
    struct top_lines lines;
    top_screen_size(&width, &height);
    make_lines(top, width, top_screen_room(), &lines);
    snprintf(top->choice.marked, sizeof(top->choice.marked), "%s", member(top->selected, "name"));
    struct top_screen_status status = {.choice = &top->choice,
                                       .paused = top->paused,
                                       .can_write = top->data.can_write,
                                       .message = top->message[0] != '\0' ? top->message : NULL,
                                       .message_is_bad = top->message_is_bad,
                                       .prompt = top->typing ? "only rows with" : NULL,
                                       .typed = top->choice.filter,
                                       .help = top->help,
                                       .detail = top->detail ? top->selected : NULL};
    top_screen_draw(&lines, &status);
    top_lines_release(&lines);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    interrupted = 1;
}

static int run_screen(struct top *top)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    while (!top->quit && !interrupted) {
        int key;
        ask(top);
        draw(top);
        bool readable = top_client_wait(top->client, STDIN_FILENO, TURN_MS), pressed = false;
        for (; (key = top_screen_key()) != TOP_KEY_NONE; pressed = true)
            press(top, key);
        if (readable && !pressed && !top_screen_is_there())
            break;
    }
    top_screen_close();
    return EXIT_GOOD;
}

static void print_lines(const struct top_lines *lines, bool color)
{
    static const char *const codes[TOP_STYLES] = {[TOP_PLAIN] = "", [TOP_DIM] = "\033[2m", [TOP_BOLD] = "\033[1m", [TOP_GOOD] = "\033[32m",
                                                  [TOP_WARNING] = "\033[33m", [TOP_BAD] = "\033[31m", [TOP_HEAD] = "\033[1m"};
    for (unsigned i = 0; i < lines->count; i++) {
        const struct top_line *line = &lines->items[i];
        for (unsigned p = 0; p < line->count; p++)
            printf("%s%.*s%s", color ? codes[line->pieces[p].style] : "", STR_ARGS(line->pieces[p].text),
                   color && line->pieces[p].style != TOP_PLAIN ? "\033[0m" : "");
        putchar('\n');
    }
}

static int run_once(struct top *top, bool as_json)
{
    struct top_lines lines;
    bool needs_list = top_view_path(top->choice.view) != NULL;
    for (unsigned turn = 0; turn < PATIENCE_TURNS && !(top->ticked && top->data.overview != NULL && (top->listed || !needs_list)); turn++) {
        ask(top);
        top_client_wait(top->client, -1, TURN_MS);
    }
    if (!top->ticked || top->data.overview == NULL) {
        fprintf(stderr, "portico: %s\n", top->message[0] != '\0' ? top->message : "no answer");
        return EXIT_FAILED;
    }
    if (as_json) {
        json_t *all = json_pack("{sOsOsO}", "overview", top->data.overview, "total", top->data.total, "rows", top->data.rows[top->choice.view]);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        make_lines(top, PAPER_WIDTH, 0, &lines);
        print_lines(&lines, command_wants_color(STDOUT_FILENO));
        top_lines_release(&lines);
    }
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_FAILED;
}

/* ---- the command ---- */

static const char *given(const struct flags *flags, const char *name, const char *otherwise, struct arena *arena)
{
    const struct flag_given *flag = flags_find(flags, name);
    return flag != NULL ? arena_printf(arena, "%.*s", STR_ARGS(flag->value)).data : otherwise;
}

static bool choose_view(struct top_choice *choice, const char *name)
{
    for (unsigned view = 0; view < TOP_VIEWS; view++)
        if (strcasecmp(name, top_view_title((enum top_view)view)) == 0) {
            choice->view = (enum top_view)view;
            return true;
        }
    return false;
}

/* "http://host:8080/" and "host:8080/dashboard/" mean the same place. */
static const char *base_url(struct str url, struct arena *arena)
{
    static const char *const ends[] = {"/", "/dashboard", "/api"};
    if (str_find(url, S("://")) < 0)
        url = arena_concat(arena, S("http://"), url);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (str_ends(url, str_from(ends[i])))
            url = str_first(url, url.len - strlen(ends[i]));
    return arena_printf(arena, "%.*s", STR_ARGS(url)).data;
}

static int watch(struct top *top, const struct top_client_settings *settings, bool once, bool as_json)
{
    top->client = top_client_new(settings, &(struct top_client_handler){
                                               .owner = top, .on_event = on_event, .on_answer = on_answer, .on_lost = on_lost});
    if (top->client == NULL) {
        const char *problem = curl_load();
        fprintf(stderr, "portico top: %s\n", problem != NULL ? problem : "libcurl gives no handle");
        return EXIT_FAILED;
    }
    top_data_init(&top->data);
    bool on_screen = !once && top_screen_open(command_wants_color(STDOUT_FILENO));
    int code = on_screen ? run_screen(top) : run_once(top, as_json);
    top_client_free(top->client);
    json_decref(top->selected);
    top_data_release(&top->data);
    return code;
}

static int run_with(const struct command *command, const struct flags *flags, struct arena *arena)
{
    struct top top = {.quit = false};
    const char *view = given(flags, "view", "services", arena);
    struct top_client_settings settings = {
        .url = base_url(str_from(given(flags, "url", flags->operand_count != 0 ? arena_printf(arena, "%.*s", STR_ARGS(flags->operands[0])).data
                                                                                : "http://127.0.0.1:8080", arena)), arena),
        .user = given(flags, "user", getenv("PORTICO_TOP_USER"), arena),
        .ca = given(flags, "ca", NULL, arena),
        .insecure = flags_find(flags, "insecure") != NULL};
    top_choice_init(&top.choice);
    if (flags->operand_count > 1)
        return command_misused(command, "one URL is enough");
    if (!choose_view(&top.choice, view))
        return command_misused(command, "there is no view '%s'", view);
    bool as_json = flags_find(flags, "json") != NULL;
    return watch(&top, &settings, as_json || flags_find(flags, "once") != NULL, as_json);
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    return command_run_with_flags(command, words, count, run_with);
}

static const struct command top_command = {
    .name = "top",
    .usage = "top [URL] [--user NAME:PASSWORD] [--view NAME]",
    .summary = "Shows what a running Portico does, live in the terminal.",
    .flags = flags_of_top,
    .run = run,
};
REGISTER(command, top_command);
