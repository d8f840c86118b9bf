#include "cli/top_table.h"

#include "test.h"

static struct top_data data;
static struct top_choice choice;

static json_t *read(const char *text)
{
    char plain[4096];
    size_t len = 0;
    for (; text[len] != '\0'; len++)
        plain[len] = text[len] == '\'' ? '"' : text[len];
    json_t *value = json_loadb(plain, len, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void tick(const char *text)
{
    json_t *body = read(text);
    top_data_event(&data, S("tick"), body);
    json_decref(body);
}

static void list(enum top_view view, const char *text)
{
    json_t *body = read(text);
    top_data_list(&data, view, body);
    json_decref(body);
}

static void begin(enum top_view view)
{
    top_data_init(&data);
    top_choice_init(&choice);
    choice.view = view;
}

/* The rows as text, each with its line end. */
static void expect(unsigned width, unsigned height, const char *wanted)
{
    struct top_lines lines;
    struct text text;
    json_t *selected;
    text_init(&text, 100000);
    top_table_lines(&data, &choice, width, height, &lines, &selected);
    for (unsigned i = 3; i < lines.count; i++) {
        if (lines.items[i].selected)
            text_add_char(&text, '>');
        for (unsigned p = 0; p < lines.items[i].count; p++)
            text_add(&text, lines.items[i].pieces[p].text);
        text_add_char(&text, '\n');
    }
    assert_string_equal(text_c(&text), wanted);
    text_release(&text);
    top_lines_release(&lines);
}

static void end(void)
{
    top_data_release(&data);
}

TEST(top_shows_rates_shares_and_latencies_of_a_tick)
{
    begin(TOP_SERVICES);
    tick("{'interval':2,'total':{},'services':{'a@file':{'requests':100,'errors':1,'refused':50,'bytesIn':2048,'bytesOut':20971520,"
         "'p50':0.5,'p95':12,'p99':12345}}}");
    expect(80, 0, "a@file             50    1.0     50     0.50       12   12.3 s     1.0K      10M\n");
    end();
}

TEST(top_keeps_what_falls_silent_at_nothing)
{
    begin(TOP_ROUTERS);
    tick("{'interval':1,'routers':{'a':{'requests':3}}}");
    tick("{'interval':1,'routers':{'b':{'requests':2}}}");
    expect(80, 0, "b                   2      -      -        -        -        -        -        -\n"
                  "a                   -      -      -        -        -        -        -        -\n");
    end();
}

static void expect_names(const char *wanted)
{
    struct top_lines lines;
    json_t *selected;
    struct text text;
    text_init(&text, 1000);
    top_table_lines(&data, &choice, 100, 0, &lines, &selected);
    for (unsigned i = 3; i < lines.count; i++)
        text_addf(&text, "%.*s,", STR_ARGS(str_trim(lines.items[i].pieces[1].text)));
    assert_string_equal(text_c(&text), wanted);
    text_release(&text);
    top_lines_release(&lines);
}

TEST(top_sorts_filters_and_reverses)
{
    begin(TOP_FAILURES);
    list(TOP_FAILURES, "[{'reason':'upstream_refused','count':2,'text':'x'},{'reason':'no_route','count':9},{'reason':'client_aborted','count':5}]");
    expect_names("no_route,client_aborted,upstream_refused,");
    choice.reverse[TOP_FAILURES] = true;
    expect_names("upstream_refused,client_aborted,no_route,");
    choice.sort[TOP_FAILURES] = 1;
    choice.reverse[TOP_FAILURES] = false;
    expect_names("client_aborted,no_route,upstream_refused,");
    snprintf(choice.filter, sizeof(choice.filter), "NO_R");
    expect_names("no_route,");
    end();
}

TEST(top_says_how_long_it_has_run_in_a_unit_that_fits)
{
    static const struct {
        const char *overview, *said;
    } table[] = {{"{'uptimeSeconds': 12}", "up 12 s,"}, {"{'uptimeSeconds': 119.9}", "up 1 min,"}, {"{'uptimeSeconds': 5400}", "up 1.5 h,"},
                 {"{'uptimeSeconds': 864000}", "up 10.0 days,"}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct top_lines lines;
        json_t *selected, *overview = read(table[i].overview);
        begin(TOP_ROUTERS);
        top_data_overview(&data, overview);
        top_table_lines(&data, &choice, 200, 10, &lines, &selected);
        bool found = false;
        for (unsigned j = 0; j < lines.items[0].count; j++)
            found = found || str_find(lines.items[0].pieces[j].text, str_from(table[i].said)) >= 0;
        assert_true(found);
        top_lines_release(&lines);
        json_decref(overview);
        end();
    }
}

TEST(top_marks_a_row_that_stays_marked_when_others_move)
{
    begin(TOP_ENTRYPOINTS);
    tick("{'interval':1,'entryPoints':{'a':{'requests':3},'b':{'requests':2},'c':{'requests':1}}}");
    snprintf(choice.marked, sizeof(choice.marked), "c");
    expect(80, 5, "b                   2      -      -        -        -        -        -        -\n"
                  ">c                   1      -      -        -        -        -        -        -\n");
    tick("{'interval':1,'entryPoints':{'a':{'requests':3},'b':{'requests':2},'c':{'requests':10}}}");
    expect(80, 5, ">c                  10      -      -        -        -        -        -        -\n"
                  "a                   3      -      -        -        -        -        -        -\n");
    end();
}

TEST(top_joins_what_the_list_of_servers_says_with_what_the_tick_measured)
{
    begin(TOP_SERVERS);
    tick("{'interval':1,'servers':{'s@file|http://a':{'requests':7,'p50':1,'p99':2}}}");
    list(TOP_SERVERS, "[{'service':'s@file','url':'http://a','state':'down','why':'the server refused','active':3,'requests':99999}]");
    expect(130, 0, "http://a             s@file               down              3        7      -     1.00     2.00 the server refused                \n");
    end();
}

TEST(top_gives_each_column_its_title)
{
    begin(TOP_SERVERS);
    struct top_lines lines;
    json_t *selected;
    top_table_lines(&data, &choice, 130, 0, &lines, &selected);
    const struct top_line *titles = &lines.items[2];
    assert_int_equal(titles->count, top_column_count(TOP_SERVERS));
    assert_true(str_starts(titles->pieces[titles->count - 1].text, S(" WHY ")));
    top_lines_release(&lines);
    end();
}

TEST(top_lets_no_control_characters_through_and_cuts_by_characters)
{
    begin(TOP_EXCHANGES);
    list(TOP_EXCHANGES, "[{'method':'G\\u001b[31m','path':'\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc'}]");
    struct top_lines lines;
    json_t *selected;
    top_table_lines(&data, &choice, 40, 0, &lines, &selected);
    const struct top_line *row = &lines.items[3];
    assert_true(str_equal(row->pieces[3].text, S(" G?[31m  ")));
    assert_true(str_equal(row->pieces[5].text, S(" \u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u2026")));
    top_lines_release(&lines);
    end();
}
