#include "middleware/users.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/vec.h"

#define FILE_MAX ((size_t)16 << 20)

struct entry {
    struct user user;
    size_t order; /* in which it was read */
};

struct reader {
    VEC(struct entry) entries;
    users_check check;
    struct compile *compile;
    bool good;
};

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
            return true;
    }
    return false;
}

static void report(struct reader *reader, struct span span, struct str where, const char *what)
{
    reader->good = false;
    diag_error(reader->compile->diag, span, "%.*s %s", STR_ARGS(where), what);
}

/* `where` names the entry without its secret: "user 'x'", "line 3 of 'users'". */
static void read_entry(struct reader *reader, struct str entry, struct span span, struct str where)
{
    ptrdiff_t colon = str_find_char(entry, ':', 0);
    if (colon <= 0) {
        report(reader, span, where, "is not of the form 'name:hash'");
        return;
    }
    struct user user = {.name = str_first(entry, (size_t)colon),
                        .secret = str_from_index(entry, (size_t)colon + 1)};
    struct arena *arena = reader->compile->arena;
    const char *fault = has_control(entry) ? "has control characters" : reader->check(user.secret);
    if (fault != NULL) {
        struct str whose = arena_printf(arena, "the hash of user '%.*s' in %.*s",
                                        STR_ARGS(user.name), STR_ARGS(where));
        report(reader, span, has_control(entry) ? where : whose, fault);
        return;
    }
    VEC_PUSH(&reader->entries, (struct entry){.user = user, .order = reader->entries.count});
}

static void read_inline(struct reader *reader, const struct strs *entries,
                        const struct node *origin)
{
    const struct node *list = node_get(origin, S("users"));
    for (size_t i = 0; i < entries->count; i++) {
        const struct node *item = list != NULL && list->kind == NODE_LIST ? node_at(list, i) : list;
        struct str where = arena_printf(reader->compile->arena, "entry %zu of 'users'", i + 1);
        read_entry(reader, str_trim_space(entries->items[i]), node_span(item), where);
    }
}

static void read_file(struct reader *reader, struct str file, const struct node *origin)
{
    struct arena *arena = reader->compile->arena;
    struct span span = node_span(node_get(origin, S("usersFile")));
    struct str content, line;
    if (!file_read(arena, arena_str(arena, file).data, FILE_MAX, &content)) {
        reader->good = false;
        diag_error(reader->compile->diag, span, "cannot read '%.*s': %s", STR_ARGS(file),
                   strerror(errno));
        return;
    }
    for (size_t number = 1; str_split(&content, '\n', &line); number++) {
        line = str_trim_space(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        read_entry(reader, line, span,
                   arena_printf(arena, "line %zu of '%.*s'", number, STR_ARGS(file)));
    }
}

/* By name; entries of one name stay in their order. */
static int by_name(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = str_compare(left->user.name, right->user.name);
    if (order != 0)
        return order;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* Keeps the last of each name. */
static void keep(struct users *users, struct reader *reader, const struct node *origin)
{
    users->items = arena_array(reader->compile->arena, struct user, reader->entries.count);
    for (size_t i = 0; i < reader->entries.count; i++) {
        const struct user *user = &reader->entries.items[i].user;
        if (users->count != 0 && str_equal(users->items[users->count - 1].name, user->name)) {
            diag_warning(reader->compile->diag, node_span(origin),
                         "user '%.*s' is given twice; the last one counts", STR_ARGS(user->name));
            users->count--;
        }
        users->items[users->count++] = *user;
    }
}

bool users_compile(struct users *users, const struct strs *inline_users, struct str file,
                   const struct node *origin, users_check check, struct compile *compile)
{
    struct reader reader = {.check = check, .compile = compile, .good = true};
    read_inline(&reader, inline_users, origin);
    if (file.len != 0)
        read_file(&reader, file, origin);
    if (reader.good && reader.entries.count == 0) {
        diag_error(compile->diag, node_span(origin), "there is no user: nobody could ever pass");
        reader.good = false;
    }
    if (reader.entries.count != 0)
        qsort(reader.entries.items, reader.entries.count, sizeof(struct entry), by_name);
    keep(users, &reader, origin);
    VEC_RELEASE(&reader.entries);
    return reader.good;
}

static int compare_name(const void *key, const void *item)
{
    const struct str *name = key;
    const struct user *user = item;
    return str_compare(*name, user->name);
}

const struct user *users_find(const struct users *users, struct str name)
{
    return bsearch(&name, users->items, users->count, sizeof(struct user), compare_name);
}
