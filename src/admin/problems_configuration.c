/* Problems: what the last configuration was refused for, what is amiss in the one that runs, and what was left out of it. */
#include "admin/admin.h"
#include "admin/problems.h"
#include "base/time.h"

#define NOTES_MAX 20

static void add_note(struct problems *problems, const struct admin_load *load, const struct admin_note *note)
{
    struct problem *problem = problem_add(problems, note->severity == DIAG_ERROR ? PROBLEM_ERROR : PROBLEM_WARNING, "configuration",
                                          "file", note->place);
    problem->text = arena_str(problems->arena, note->message);
    problem->hint = arena_str(problems->arena, note->hint);
    problem->since = load->at / TIME_S;
}

static void gather_notes(struct problems *problems, const struct admin_load *load)
{
    size_t shown = 0;
    if (load->at != 0 && !load->good) {
        struct problem *problem = problem_add(problems, PROBLEM_ERROR, "configuration", "configuration", STR_NONE);
        problem->text = S("the last configuration was refused: the one before it runs on");
        problem->hint = S("Repair the mistakes that are listed; it is read again as soon as its files change.");
        problem->since = load->at / TIME_S;
    }
    for (size_t i = 0; i < load->note_count && shown < NOTES_MAX; i++) {
        if (load->notes[i].severity == DIAG_NOTE)
            continue;
        add_note(problems, load, &load->notes[i]);
        shown++;
    }
}

static void gather_left_out(struct problems *problems, const struct model *model)
{
    for (size_t i = 0; i < model->remark_count; i++) {
        const struct remark *remark = &model->remarks[i];
        if (!remark->left_out)
            continue;
        const char *kind = remark_kind_text(remark->kind);
        struct problem *problem = problem_add(problems, PROBLEM_ERROR, "leftOut", kind, remark->name);
        problem->text = arena_printf(problems->arena, "the %s %.*s was left out: %.*s", kind, STR_ARGS(remark->name),
                                     STR_ARGS(remark->reason));
        if (remark->place.len != 0)
            problem->hint = arena_printf(problems->arena, "See %.*s.", STR_ARGS(remark->place));
        problem->since = admin_self->configured_wall / TIME_S;
    }
}

static void gather(struct problems *problems)
{
    gather_notes(problems, &admin_self->last_load);
    if (admin_self->graph != NULL)
        gather_left_out(problems, admin_self->graph->model);
}

static const struct problem_source configuration_source = {.gather = gather};
REGISTER(problem_source, configuration_source);
