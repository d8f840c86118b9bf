/* The routers that were left out, whoever did so: with their rules, as far as these can be read, on the entrypoints that they would
 * be on. They keep their places there: were a request to go on to the next router, a mistake in the label of one that asks for a
 * password would open what it leads to through another that does not. */
#include "snapshot/build.h"

/* Several remarks about one router come one after the other: the first has the reason. */
static bool is_wanted(const struct model *model, size_t index)
{
    const struct remark *remark = &model->remarks[index];
    return remark->kind == REMARK_ROUTER && remark->left_out && remark->config != NULL &&
           (index == 0 || !str_equal(model->remarks[index - 1].name, remark->name));
}

static void add_to(struct build *build, struct entry_rules *rules, unsigned index, const struct remark *remark, const struct rule *rule,
                   size_t room)
{
    struct entry *entry = build->graph->entries[index];
    const struct router_config *config = remark->config;
    if (entry->left_out == NULL)
        entry->left_out = arena_array(&build->graph->arena, struct left_out, room);
    struct left_out *left_out = &entry->left_out[entry->left_out_count++];
    int64_t priority = config->priority != 0 ? config->priority : (int64_t)config->rule.len;
    *left_out = (struct left_out){.name = remark->name,
                                  .reason = remark->reason,
                                  .rule = {.rule = rule, .priority = priority},
                                  .secure = build_router_tls(config, entry) != NULL};
    build_keep_place(build, rules, index, left_out, config);
}

void build_left_out(struct build *build, struct entry_rules *rules)
{
    const struct model *model = build->model;
    struct graph *graph = build->graph;
    for (size_t i = 0; i < model->remark_count; i++) {
        struct rule_faults faults = {.count = 0};
        const struct router_config *config = model->remarks[i].config;
        if (!is_wanted(model, i))
            continue;
        const struct rule *rule =
            rule_parse(config->rule, build_rule_syntax(build, config), &build->built->regexes, &graph->arena, &faults);
        for (unsigned j = 0; rule != NULL && j < graph->entry_count; j++)
            if (build_router_wants(build, config, graph->entries[j]))
                add_to(build, rules, j, &model->remarks[i], rule, model->remark_count - i);
    }
}
