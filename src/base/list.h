/* An intrusive doubly linked ring: a head and its members are all `struct list`.
 * A member knows how to leave without its head. Ownership and threading are the container's. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(head) {.next = &(head), .prev = &(head)}
#define container_of(member_pointer, type, member) \
    ((type *)((uintptr_t)(member_pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_add_before(struct list *at, struct list *item)
{
    item->prev = at->prev;
    item->next = at;
    at->prev->next = item;
    at->prev = item;
}

static inline void list_push(struct list *head, struct list *item)
{
    list_add_before(head->next, item);
}

static inline void list_append(struct list *head, struct list *item)
{
    list_add_before(head, item);
}

/* Safe to call again: the member is then a ring of its own. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

static inline struct list *list_pop(struct list *head)
{
    struct list *item = head->next;
    if (item == head)
        return NULL;
    list_remove(item);
    return item;
}

/* The body may remove `it`. */
#define LIST_FOREACH(head, it) \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head); \
         it = it##_next, it##_next = it->next)

#endif
