#include "admin/explain_question.h"

#include <stdio.h>

#include "http/uri.h"

bool explain_question_url(struct explain_question *question, struct str text, struct arena *arena)
{
    struct uri uri;
    struct str host;
    if (str_starts(text, S("/")))
        text = arena_concat(arena, S("http://localhost"), text);
    else if (str_find(text, S("://")) < 0)
        text = arena_concat(arena, S("http://"), text);
    if (!uri_split(text, &uri) || !uri_split_authority(arena, uri.authority, &host, &question->port))
        return false;
    struct way_request *request = &question->request;
    request->tls = str_equal_nocase(uri.scheme, S("https")) || str_equal_nocase(uri.scheme, S("wss"));
    request->authority = uri.authority;
    request->target = arena_printf(arena, "%s%.*s%s%.*s", uri.path.len == 0 ? "/" : "", STR_ARGS(uri.path),
                                   uri.query.data != NULL ? "?" : "", STR_ARGS(uri.query));
    if (question->port == 0)
        question->port = request->tls ? 443 : 80;
    return true;
}

static struct entry *entry_named(const struct graph *graph, struct str name, struct str *ret_meant)
{
    struct str names[64], *at = names;
    for (unsigned i = 0; i < graph->entry_count; i++) {
        if (str_equal(graph->entries[i]->name, name))
            return graph->entries[i];
        if (at < names + 64)
            *at++ = graph->entries[i]->name;
    }
    *ret_meant = nearest(name, names, (size_t)(at - names));
    return NULL;
}

/* How likely it is that people mean this one: of HTTPS the customary names before those that plain HTTP comes to as well. */
static int suitability(const struct entry *entry, bool tls)
{
    if (!tls || entry->tls == NULL)
        return 1;
    bool customary = str_equal(entry->name, S("websecure")) || str_equal(entry->name, S("https"));
    return customary ? 4 : entry->only_tls ? 3 : 2;
}

struct entry *explain_question_entry(const struct explain_question *question, const struct graph *graph,
                                     char note[EXPLAIN_NOTE_SIZE], struct str *ret_meant)
{
    struct entry *first = NULL;
    bool tls = question->request.tls;
    note[0] = '\0';
    *ret_meant = STR_NONE;
    if (question->entry.len != 0)
        return entry_named(graph, question->entry, ret_meant);
    for (unsigned i = 0; i < graph->entry_count; i++) {
        struct entry *entry = graph->entries[i];
        if (addr_port(&entry->address) == question->port)
            return entry;
        if (str_equal(entry->name, S("traefik")))
            continue;
        if (first == NULL || suitability(entry, tls) > suitability(first, tls))
            first = entry;
    }
    snprintf(note, EXPLAIN_NOTE_SIZE, ", the first one%s, since none has port %u",
             tls && first != NULL && first->tls != NULL ? " of HTTPS" : "", question->port);
    return first;
}
