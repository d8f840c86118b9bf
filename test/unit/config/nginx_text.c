#include "nginx_text.h"

#include "config/nginx/syntax.h"

static const struct nginx_syntax rows[] = {
    {"server", NGINX_HTTP, .block = true, .inside = NGINX_SERVER, .repeats = true},
    {"server", NGINX_UPSTREAM, .min = 1, .max = NGINX_MANY, .repeats = true},
    {"upstream", NGINX_HTTP, .min = 1, .max = 1, .block = true, .inside = NGINX_UPSTREAM, .repeats = true},
    {"location", NGINX_SERVER | NGINX_LOCATION, .min = 1, .max = 2, .block = true, .inside = NGINX_LOCATION, .repeats = true},
    {"test_word", NGINX_MAIN | NGINX_EVERYWHERE, .min = 1, .max = 1},
    {"test_some", NGINX_EVERYWHERE, .min = 1, .max = 3},
    {"test_flag", NGINX_EVERYWHERE, .flag = true},
    {"test_none", NGINX_EVERYWHERE, .min = 0},
    {"test_many", NGINX_MAIN | NGINX_EVERYWHERE | NGINX_UPSTREAM, .min = 1, .max = NGINX_MANY, .repeats = true},
    {"test_rows", NGINX_MAIN | NGINX_EVERYWHERE, .block = true, .repeats = true},
    {"test_noted", NGINX_EVERYWHERE, .min = 1, .max = 1, .repeats = true, .noted = "the reason"},
    {"test_refused", NGINX_EVERYWHERE, .min = 1, .max = 1, .refused = "use test_word"},
};
static const struct nginx_syntax_table test_table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, test_table);

struct nginx_directive *nginx_text_read(struct fixture *f, const char *text)
{
    fixture_init(f);
    return nginx_read_text(S("nginx.conf"), str_from(text), NULL, &f->arena, &f->diag);
}

static void add_directive(struct text *out, const struct nginx_directive *directive)
{
    text_add(out, directive->name);
    for (size_t i = 0; i < directive->count; i++)
        text_addf(out, "%s%.*s", i == 0 ? "(" : "|", STR_ARGS(directive->words[i].text));
    text_add(out, directive->count > 0 ? S(")") : S(""));
    if (!directive->block)
        return;
    text_add_char(out, '{');
    NGINX_FOREACH(directive, it) {
        text_add(out, it == directive->first ? S("") : S(" "));
        add_directive(out, it);
    }
    text_add_char(out, '}');
}

static const char *kept(struct fixture *f, struct text *out)
{
    struct str text = arena_str(&f->arena, text_str(out));
    text_release(out);
    return text.data;
}

const char *nginx_text_tree(struct fixture *f, const struct nginx_directive *root)
{
    struct text out;
    text_init(&out, 1 << 20);
    NGINX_FOREACH(root, it) {
        text_add(&out, it == root->first ? S("") : S(" "));
        add_directive(&out, it);
    }
    return kept(f, &out);
}

const char *nginx_text_said(struct fixture *f)
{
    static const char *const severities[] = {[DIAG_ERROR] = "", [DIAG_WARNING] = "warning: ", [DIAG_NOTE] = "note: "};
    struct text out;
    text_init(&out, 1 << 20);
    for (size_t i = 0; i < f->diag.count; i++) {
        text_addf(&out, "%s%s", i > 0 ? "\n" : "", severities[f->diag.items[i].severity]);
        diag_render_line(&f->diag.items[i], &out);
    }
    return kept(f, &out);
}
