/* The directives that all areas registered, found by name: one hash, made when it is first asked for and kept. */
#include "config/nginx/syntax.h"

#include <pthread.h>

#include "base/map.h"
#include "base/memory.h"

struct row {
    const struct nginx_syntax *syntax;
    struct row *next;             /* of the same name */
};

static struct map rows;
static pthread_once_t made = PTHREAD_ONCE_INIT;

/* Rows that mean something come before those that merely take note, so an area's own row wins. */
static bool is_mere_word(const struct nginx_syntax *syntax)
{
    return syntax->noted != NULL || syntax->refused != NULL;
}

static void add_row(const struct nginx_syntax *syntax)
{
    struct row *row = memory_zalloc(sizeof(*row));
    row->syntax = syntax;
    struct row *first = map_get(&rows, str_from(syntax->name));
    if (first == NULL || (!is_mere_word(syntax) && is_mere_word(first->syntax))) {
        row->next = first;
        map_put(&rows, str_from(syntax->name), row);
        return;
    }
    while (first->next != NULL && (is_mere_word(syntax) || !is_mere_word(first->next->syntax)))
        first = first->next;
    row->next = first->next;
    first->next = row;
}

static void make(void)
{
    map_init(&rows, false);
    REGISTRY_FOREACH(nginx_syntax_table, const struct nginx_syntax_table, table) {
        for (size_t i = 0; i < (*table)->count; i++)
            add_row(&(*table)->rows[i]);
    }
}

const struct nginx_syntax *nginx_syntax_find(struct str name, enum nginx_context context)
{
    pthread_once(&made, make);
    const struct row *first = map_get(&rows, name);
    for (const struct row *row = first; row != NULL; row = row->next) {
        if ((row->syntax->contexts & context) != 0)
            return row->syntax;
    }
    return first != NULL ? first->syntax : NULL;
}

size_t nginx_syntax_names(struct str *names, size_t max)
{
    pthread_once(&made, make);
    for (size_t i = 0; i < rows.count && i < max; i++)
        names[i] = rows.items[i].key;
    return rows.count;
}
