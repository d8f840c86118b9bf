/* One function per kind of node. What stands behind "key:" or "-" is told by the kind: a text goes on the line, a map or list
 * below it, indented. */
#include "config/yaml_write.h"

#include "base/utf8.h"

#define INDENT 2
#define KEY_ON_LINE_MAX 200     /* bytes; escapes make it longer, and 1024 characters is the end */

struct writer {
    struct text *out;
    yaml_comment comment;
    void *context;
};

/* --- texts ------------------------------------------------------------------------------------------- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool needs_double(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_control(text.data[i]))
            return true;
    }
    /* NEL, the two Unicode line ends, a byte order mark and what is beyond the basic plane's printable ones: escapes are sure. */
    return str_find(text, S("\xc2\x85")) >= 0 || str_find(text, S("\xe2\x80\xa8")) >= 0 || str_find(text, S("\xe2\x80\xa9")) >= 0 ||
           str_find(text, S("\xef\xbb\xbf")) >= 0 || str_find(text, S("\xef\xbf\xbe")) >= 0 || str_find(text, S("\xef\xbf\xbf")) >= 0 ||
           str_find(text, S("\xc2\x80")) >= 0 || !utf8_valid(text);
}

/* C1 controls: U+0080 to U+009F. */
static bool has_c1(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '\xc2' && (unsigned char)text.data[i + 1] >= 0x80 && (unsigned char)text.data[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static bool is_null_word(struct str text)
{
    return str_equal(text, S("~")) || str_equal(text, S("null")) || str_equal(text, S("Null")) || str_equal(text, S("NULL"));
}

/* Characters that mean something at the beginning of a plain text. */
static bool begins_specially(struct str text)
{
    if (strchr(",[]{}#&*!|>'\"%@`", text.data[0]) != NULL)
        return true;
    bool followed = text.len > 1 && text.data[1] != ' ';
    return (text.data[0] == '-' || text.data[0] == '?' || text.data[0] == ':') && !followed;
}

static bool is_plain(struct str text)
{
    if (str_empty(text) || is_null_word(text) || str_equal(text, S("<<")) || begins_specially(text))
        return false;
    char first = text.data[0], last = text.data[text.len - 1];
    if (first == ' ' || last == ' ' || last == ':' || str_starts(text, S("---")) || str_starts(text, S("...")))
        return false;
    if (str_find(text, S(": ")) >= 0 || str_find(text, S(" #")) >= 0)
        return false;
    /* "{{" stands for templates. */
    return str_find(text, S("{{")) < 0;
}

static void add_single(struct text *out, struct str text)
{
    text_add_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'')
            text_add_char(out, '\'');
        text_add_char(out, text.data[i]);
    }
    text_add_char(out, '\'');
}

static void add_escape(struct text *out, char c)
{
    switch (c) {
    case '\n':
        text_add(out, S("\\n"));
        return;
    case '\t':
        text_add(out, S("\\t"));
        return;
    case '\r':
        text_add(out, S("\\r"));
        return;
    case '"':
        text_add(out, S("\\\""));
        return;
    case '\\':
        text_add(out, S("\\\\"));
        return;
    default:
        text_addf(out, "\\x%02x", (unsigned char)c);
    }
}

/* Gives how many bytes it was. */
static size_t add_sequence(struct text *out, struct str rest)
{
    size_t length = utf8_sequence(rest);
    if (length == 0) {
        text_add(out, S("\xef\xbf\xbd"));
        return 1;
    }
    const unsigned char *byte = (const unsigned char *)rest.data;
    if (length == 2 && byte[0] == 0xc2 && byte[1] < 0xa0)
        text_addf(out, "\\x%02x", byte[1]);
    else if (length == 3 && (byte[0] == 0xe2 || byte[0] == 0xef))
        text_addf(out, "\\u%04x", (byte[0] & 0xfu) << 12 | (byte[1] & 0x3fu) << 6 | (byte[2] & 0x3fu));
    else
        text_add(out, str_first(rest, length));
    return length;
}

static void add_double(struct text *out, struct str text)
{
    text_add_char(out, '"');
    while (!str_empty(text)) {
        size_t length = 1;
        char c = text.data[0];
        if (is_control(c) || c == '"' || c == '\\')
            add_escape(out, c);
        else if ((unsigned char)c < 0x80)
            text_add_char(out, c);
        else
            length = add_sequence(out, text);
        text = str_from_index(text, length);
    }
    text_add_char(out, '"');
}

static void add_text(struct text *out, struct str text)
{
    if (needs_double(text) || has_c1(text))
        add_double(out, text);
    else if (is_plain(text))
        text_add(out, text);
    else
        add_single(out, text);
}

/* --- nodes ------------------------------------------------------------------------------------------- */

static void add_indent(struct writer *w, size_t indent)
{
    for (size_t i = 0; i < indent; i++)
        text_add_char(w->out, ' ');
}

static void add_comment_lines(struct writer *w, struct str comment, size_t indent)
{
    struct str line;
    while (!str_empty(comment) && str_split(&comment, '\n', &line)) {
        add_indent(w, indent);
        text_add_char(w->out, '#');
        for (size_t i = 0; i < line.len; i++)
            text_add_char(w->out, is_control(line.data[i]) && line.data[i] != '\t' ? ' ' : line.data[i]);
        text_add_char(w->out, '\n');
    }
}

static void add_comment(struct writer *w, const struct node *node, size_t indent)
{
    if (w->comment != NULL)
        add_comment_lines(w, w->comment(w->context, node), indent);
}

static void add_children(struct writer *w, const struct node *node, size_t indent, bool on_line);

/* What stands behind "key:" or "-"; `on_line`: a map's first key may stand on the same line. */
static void add_value(struct writer *w, const struct node *node, size_t indent, bool on_line)
{
    switch (node->kind) {
    case NODE_NULL:
        text_add_char(w->out, '\n');
        return;
    case NODE_SCALAR:
        text_add_char(w->out, ' ');
        add_text(w->out, node->text);
        text_add_char(w->out, '\n');
        return;
    case NODE_LIST:
    case NODE_MAP:
        if (node->first == NULL) {
            text_add(w->out, node->kind == NODE_MAP ? S(" {}\n") : S(" []\n"));
            return;
        }
        on_line = on_line && node->kind == NODE_MAP;
        text_add_char(w->out, on_line ? ' ' : '\n');
        add_children(w, node, indent, on_line);
        return;
    }
}

/* YAML bounds what may stand before ':' on one line; a longer key is written behind '?'. */
static void add_key(struct writer *w, struct str key, size_t indent)
{
    bool is_long = key.len > KEY_ON_LINE_MAX;
    text_add(w->out, is_long ? S("? ") : S(""));
    add_text(w->out, key);
    if (is_long) {
        text_add_char(w->out, '\n');
        add_indent(w, indent);
    }
    text_add_char(w->out, ':');
}

static void add_children(struct writer *w, const struct node *node, size_t indent, bool on_line)
{
    NODE_FOREACH(node, it) {
        if (!on_line || it != node->first) {
            add_comment(w, it, indent);
            add_indent(w, indent);
        }
        if (node->kind == NODE_LIST) {
            text_add_char(w->out, '-');
            add_value(w, it, indent + INDENT, true);
        } else {
            add_key(w, it->key, indent);
            add_value(w, it, indent + INDENT, false);
        }
    }
}

void yaml_write(const struct node *root, yaml_comment comment, void *context, struct text *out)
{
    struct writer w = {.out = out, .comment = comment, .context = context};
    if (root->kind == NODE_SCALAR) {
        add_text(out, root->text);
        text_add_char(out, '\n');
    } else if (node_first(root) == NULL && root->kind != NODE_NULL) {
        text_add(out, root->kind == NODE_MAP ? S("{}\n") : S("[]\n"));
    } else {
        add_children(&w, root, 0, false);
    }
}

void yaml_write_comment(struct str comment, struct text *out)
{
    struct writer w = {.out = out};
    add_comment_lines(&w, comment, 0);
}
