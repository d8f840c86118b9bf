/* The dashboard for Grafana names metrics; each must be one that there is, with labels that it has. */
#include "admin/metrics.h"

#include "test.h"

#include <jansson.h>

#define DASHBOARD "packaging/grafana/portico.json"

static bool is_word(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

static bool is_sample_of(struct str word, const struct metric_family *family)
{
    struct str name = str_from(family->name);
    if (!str_starts(word, name))
        return false;
    struct str rest = str_from_index(word, name.len);
    if (family->type != METRIC_HISTOGRAM)
        return rest.len == 0;
    return rest.len == 0 || str_equal(rest, S("_bucket")) || str_equal(rest, S("_sum")) || str_equal(rest, S("_count"));
}

static const struct metric_family *family_of(struct str word)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++)
        if ((metric_families[i].readers & METRIC_FOR_PROMETHEUS) && is_sample_of(word, &metric_families[i]))
            return &metric_families[i];
    return NULL;
}

/* Words that begin like a metric of ours; gives how many there are. */
static unsigned check_expression(struct str expression)
{
    unsigned count = 0;
    for (size_t at = 0; at < expression.len;) {
        size_t end = at;
        while (end < expression.len && is_word(expression.data[end]))
            end++;
        struct str word = str_of(expression.data + at, end - at);
        at = end == at ? at + 1 : end;
        if (!str_starts(word, S("portico_")) && !str_starts(word, S("traefik_")) && !str_starts(word, S("process_")))
            continue;
        if (family_of(word) == NULL)
            fail_msg("no metric is called \"%.*s\"", STR_ARGS(word));
        count++;
    }
    return count;
}

static unsigned check_targets(const json_t *panel)
{
    unsigned count = 0;
    size_t i;
    json_t *target;
    json_array_foreach(json_object_get(panel, "targets"), i, target)
    {
        const char *expression = json_string_value(json_object_get(target, "expr"));
        unsigned named = expression != NULL ? check_expression(str_from(expression)) : 0;
        assert_int_not_equal(named, 0);
        count += named;
    }
    return count;
}

TEST(the_dashboard_names_only_metrics_that_there_are)
{
    json_error_t error;
    json_t *board = json_load_file(DASHBOARD, JSON_REJECT_DUPLICATES, &error), *panel;
    if (board == NULL)
        fail_msg(DASHBOARD ":%d: %s", error.line, error.text);
    unsigned count = 0;
    size_t i;
    json_array_foreach(json_object_get(board, "panels"), i, panel)
        count += check_targets(panel);
    assert_true(count > 40);
    json_decref(board);
}
