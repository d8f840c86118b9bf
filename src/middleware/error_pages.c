/* Another location of the same site gives the page of an error. What decides is the answer at hand: the customary one of its
 * status always gives way, a server's where `intercept` says so, and what somebody wrote with words of its own never. */
#include "exchange/error_page.h"
#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/text_template.h"
#include "exchange/visit.h"
#include "http/status_ranges.h"

struct error_page_of {
    const struct node *origin;
    struct strs status;
    struct str to, response;
};

struct error_pages_options {
    const struct node *origin;
    struct objects pages;         /* struct error_page_of */
    bool intercept, recursive;
};

#define AS_IT_COMES 0
#define AS_IT_WAS (-1)

struct page {
    struct status_ranges status;
    const struct text_template *to;
    int response;                 /* what the client is told; AS_IT_WAS: the error; AS_IT_COMES: what the page's location says */
};
struct error_pages_state {
    struct page *pages;
    size_t count;
};

static const char *response_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct status_interval range;
    if (str_equal(text, S("page")) || (status_range_parse(text, &range) && range.first == range.last && range.first >= 200))
        return NULL;
    return "is neither a status nor 'page'";
}

static const struct option page_options[] = {
    OPTION(STRS, struct error_page_of, status, .required = true, .check = status_range_check,
           .help = "Statuses and ranges of them (\"500-599\"); of 400, 494 to 497 tell a head that is too large, a bad client "
                   "certificate, none, and plain HTTP where HTTPS is spoken."),
    OPTION(STR, struct error_page_of, to, .required = true,
           .help = "A path of the site, \"@name\" of a location, or a URL that the client is sent to; a template."),
    OPTION(STR, struct error_page_of, response, .check = response_check,
           .help = "The status that the client is told instead of the error's; \"page\": the one that the page itself has."),
};
static const struct option_table page_table =
    OPTION_TABLE(struct error_page_of, page_options, .summary = "What takes the place of an error.");

static const struct option error_pages_rows[] = {
    OPTION(LIST, struct error_pages_options, pages, .table = &page_table, .required = true, .help = "The first that has the status counts."),
    OPTION(BOOL, struct error_pages_options, intercept, .help = "What servers answer is replaced as well, from 300 on."),
    OPTION(BOOL, struct error_pages_options, recursive, .help = "Errors of error pages are replaced as well."),
};
static const struct option_table error_pages_table = OPTION_TABLE(
    struct error_pages_options, error_pages_rows, .summary = "Locations of the same site give the pages of errors.");

static int response_of(struct str text)
{
    struct status_interval range;
    if (text.len == 0)
        return AS_IT_WAS;
    return status_range_parse(text, &range) ? range.first : AS_IT_COMES;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct error_pages_options *options = m->options;
    struct error_pages_state *state = m->state;
    bool good = true;
    state->pages = arena_array(compile->arena, struct page, options->pages.count);
    for (size_t i = 0; i < options->pages.count; i++) {
        const struct error_page_of *from = options->pages.items[i].value;
        struct page *page = &state->pages[state->count++];
        page->status = status_ranges_from(&from->status, compile->arena);
        page->response = response_of(from->response);
        page->to = text_template_new(from->to, compile, node_span(node_get(from->origin, S("to"))));
        good &= page->to != NULL;
    }
    return good;
}

static const struct page *find_page(const struct error_pages_state *state, int status)
{
    for (size_t i = 0; i < state->count; i++)
        if (status_ranges_have(&state->pages[i].status, status))
            return &state->pages[i];
    return NULL;
}

/* A request whose error was told by a page is a GET for it, whatever it was. */
static void become_get(struct request *request)
{
    if (request->method == METHOD_HEAD)
        return;
    request->method = METHOD_GET;
    request->method_name = method_text(METHOD_GET);
}

static int told_status(const struct page *page, int status)
{
    if (page->response == AS_IT_WAS && status >= 494 && status <= 497)
        return 400;
    return page->response == AS_IT_WAS ? status : page->response;
}

static enum verdict send_elsewhere(struct exchange *x, const struct page *page, struct str to)
{
    int status = page->response;
    bool redirects = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    exchange_answer_redirect(x, redirects ? status : 302, to);
    return VERDICT_ANSWER;
}

static enum verdict give_page(struct exchange *x, const struct page *page, int status)
{
    struct str to = text_template_text(page->to, x);
    bool inside = to.len != 0 && (to.data[0] == '/' || to.data[0] == '@');
    if (!inside)
        return send_elsewhere(x, page, to);
    if (x->visit == NULL || x->visit->site == NULL)
        return VERDICT_NEXT;
    exchange_keep_demands(x);
    if (!x->answered_here && error_page_style(x) == ERROR_PAGES_CLASSIC && error_classic_closes(status))
        exchange_doubt_framing(x);
    x->visit->status_override = told_status(page, status);
    if (to.data[0] == '@') {
        exchange_go_to_named(x, str_from_index(to, 1));
        return VERDICT_REROUTE;
    }
    ptrdiff_t mark = str_find_char(to, '?', 0);
    become_get(exchange_request(x));
    exchange_go_to(x, mark < 0 ? to : str_first(to, (size_t)mark),
                   mark < 0 ? STR_NONE : str_of(to.data + mark + 1, to.len - (size_t)mark - 1));
    return VERDICT_REROUTE;
}

/* Of an error page that failed itself: the customary page of its own failure, not the server's words. */
static enum verdict give_up(struct exchange *x, int status)
{
    if (x->customary != 0)
        return VERDICT_NEXT;
    struct str demand = fields_value(&x->response.fields, FIELD_WWW_AUTHENTICATE);
    exchange_answer_status(x, status, STATUS_OK);
    if (demand.len != 0)
        fields_add_id(&x->response.fields, FIELD_WWW_AUTHENTICATE, demand);
    return VERDICT_ANSWER;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct error_pages_options *options = m->options;
    /* Of a server that gives a page the status may be another by now. */
    bool servers = !x->answered_here && options->intercept && x->upstream_status >= 300;
    int status = x->customary != 0 ? x->customary : x->upstream_status;
    if (x->customary == 0 && !servers)
        return VERDICT_NEXT;
    const struct page *page = find_page(m->state, status);
    struct visit *visit = x->visit;
    if (visit != NULL && visit->site != NULL) {
        if (visit->redirected_by_error || visit->redirects >= VISIT_REDIRECTS_MAX)
            return page != NULL ? give_up(x, status) : VERDICT_NEXT;
        visit->redirected_by_error = !options->recursive;
    }
    return page != NULL ? give_page(x, page, status) : VERDICT_NEXT;
}

static void explain(struct exchange *x, const struct middleware *m, struct text *out)
{
    const struct page *page = x->customary != 0 ? find_page(m->state, x->customary) : NULL;
    if (page == NULL || (x->visit != NULL && (x->visit->redirected_by_error || x->visit->redirects >= VISIT_REDIRECTS_MAX)))
        return;
    struct str to = text_template_text(page->to, x);
    text_addf(out, "%d is told by %.*s", x->customary, STR_ARGS(to));
}

static const struct middleware_type error_pages_type = {
    .choice = {.name = "errorPages", .summary = "Locations of the same site give the pages of errors.", .table = &error_pages_table},
    .state_size = sizeof(struct error_pages_state),
    .compile = compile,
    .pure_response = true,
    .explain = explain,
    .on_response = on_response,
};
REGISTER(middleware_type, error_pages_type);
