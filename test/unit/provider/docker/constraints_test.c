#include "provider/docker/constraints.h"

#include "test.h"

static const struct label labels[] = {{.key = STR("stage"), .value = STR("prod")}, {.key = STR("team"), .value = STR("dark-red")}};

TEST(constraints_match_labels)
{
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"", true},
        {"Label(`stage`, `prod`)", true},
        {"Label(`stage`,\"prod\")", true},
        {"Label(`Stage`,`prod`)", false},
        {"Label(`stage`,`pro`)", false},
        {"Label(`absent`,``)", true},
        {"LabelRegex(`team`,`red`)", true},
        {"LabelRegex(`team`,`^red`)", false},
        {"LabelRegex(`stage`,`^(prod|test)$`)", true},
        {"!Label(`stage`,`prod`)", false},
        {"!!Label(`stage`,`prod`)", true},
        {"Label(`stage`,`x`) || Label(`stage`,`prod`)", true},
        {"Label(`stage`,`x`) && Label(`stage`,`prod`)", false},
        {"Label(`stage`,`prod`) || Label(`stage`,`x`) && Label(`stage`,`y`)", true},
        {"(Label(`stage`,`prod`) || Label(`stage`,`x`)) && !Label(`team`,`y`)", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct diag diag;
        struct constraints constraints;
        arena_init(&arena, ARENA_UNLIMITED);
        diag_init(&diag, &arena);
        assert_true(constraints_read(&constraints, str_from(cases[i].text), SPAN_NONE, &arena, &diag));
        if (constraints_match(&constraints, labels, 2) != cases[i].matches)
            fail_msg("%s", cases[i].text);
        constraints_release(&constraints);
        diag_release(&diag);
        arena_release(&arena);
    }
}

TEST(constraints_that_cannot_be_read_are_told_at_their_place)
{
    static const struct {
        const char *text;
        uint32_t column;
    } cases[] = {
        {"Lable(`a`,`b`)", 1},      {"Label(`a`)", 10},           {"Label(a,`b`)", 7},   {"Label(`a`,`b`", 1},
        {"Label(`a`,`b`) &", 16},   {"Label(`a`,`b`) Label(`c`,`d`)", 16}, {"(Label(`a`,`b`)", 1}, {"LabelRegex(`a`,`b(`)", 18},
        {"Label('a',`b`)", 7},      {"&& Label(`a`,`b`)", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct diag diag;
        struct constraints constraints;
        arena_init(&arena, ARENA_UNLIMITED);
        diag_init(&diag, &arena);
        struct str text = str_from(cases[i].text);
        struct span span = {.source = diag_source_word(&arena, S("c"), text), .line = 1, .column = 1, .length = (uint32_t)text.len};
        assert_false(constraints_read(&constraints, text, span, &arena, &diag));
        assert_int_equal(diag.count, 1);
        if (diag.items[0].span.column != cases[i].column)
            fail_msg("%s: column %u", cases[i].text, diag.items[0].span.column);
        constraints_release(&constraints);
        diag_release(&diag);
        arena_release(&arena);
    }
}
