/* Small things that many routes write: durations, names of objects' places, the running graph. Control thread. */
#ifndef ADMIN_WORDS_H
#define ADMIN_WORDS_H

#include "base/json.h"
#include "base/node.h"

/* A duration in ns as milliseconds, to a microsecond. */
double words_ms(int64_t ns);
void words_member_ms(struct json *json, const char *key, int64_t ns);
/* Null where `value` is empty. */
void words_member_str(struct json *json, const char *key, struct str value);
/* "portico.yaml:12:5", the flag or the variable; null for NULL. */
void words_member_place(struct json *json, const char *key, const struct node *origin);
/* A Unix time in ns as RFC 3339; null for 0. */
void words_member_time(struct json *json, const char *key, int64_t ns);
/* Does `text` hold `word`, case ignored? An empty word is held by all. */
bool words_have(struct str text, struct str word);

#endif
