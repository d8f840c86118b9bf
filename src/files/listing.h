/* How a folder's content looks to people (HTML) and to programs (JSON), in our form and in nginx's. Pure but for listing_read. */
#ifndef FILES_LISTING_H
#define FILES_LISTING_H

#include "base/text.h"
#include "files/finder.h"

#define LISTING_ENTRIES_MAX 10000      /* what is beyond is said to be missing, not shown */
#define LISTING_BYTES_MAX ((size_t)4 << 20)

struct listing_entry {
    struct str name;
    bool folder, file;                 /* neither: a socket, a link that leads nowhere */
    int64_t size;
    int64_t modified;                  /* Unix seconds */
};

struct listing {
    struct str path;                   /* shown as the title: "/sub/" */
    struct listing_entry *entries;
    size_t count;
    bool cut;                          /* there are more */
};

/* What may be seen of an open folder, whose descriptor it closes; `name` is the folder's in the root, with a slash at its end or
 * "". Folders first, then by name. With `all` what is neither file nor folder is shown too, and nothing that begins with a dot, as
 * nginx does. In the exchange's arena. False when it cannot be read or there is no memory. */
bool listing_read(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name, int folder, bool all,
                  struct listing *ret_listing);
/* Appends; text->overflow says that it grew too large. */
void listing_html(const struct listing *listing, struct text *out);
/* [{"name": "a.txt", "type": "file", "size": 3, "modified": "2026-11-22T10:00:00Z"}, {"name": "sub", "type": "directory", ...}] */
void listing_json(const struct listing *listing, struct text *out);
/* nginx's forms (autoindex_format). */
struct index_of_form {
    bool exact_size, local_time, utf8;
};
void index_of_html(const struct listing *listing, const struct index_of_form *form, struct text *out);
void index_of_json(const struct listing *listing, struct text *out);
void index_of_xml(const struct listing *listing, struct text *out);
/* Whether an Accept field asks for JSON rather than for HTML. */
bool listing_wants_json(struct str accept);

#endif
