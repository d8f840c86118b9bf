/* An entrypoint that says nothing, for exchanges that came in by none. */
#ifndef BLANK_ENTRY_H
#define BLANK_ENTRY_H

struct entry;

struct entry *blank_entry(void);

#endif
