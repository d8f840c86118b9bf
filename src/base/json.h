/* Writing JSON (RFC 8259) into a text: commas and nesting are kept track of, strings are escaped.
 *
 *     struct json json = {.out = &text};
 *     json_open_object(&json);
 *     json_key(&json, S("name"));  json_str(&json, router->name);
 *     json_end(&json);
 *
 * Nothing is allocated but by the text, whose overflow is sticky: looked at once at the end. At most JSON_DEPTH_MAX levels
 * (asserted). Not thread-safe.
 *
 * No name in here is one of libjansson's: the program's own would take their place inside of libjose too. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>

#include "base/text.h"

#define JSON_DEPTH_MAX 32

struct json {
    struct text *out;
    unsigned depth;
    bool follows[JSON_DEPTH_MAX];     /* on each level: something stands there already, so a comma is due */
    char closing[JSON_DEPTH_MAX];
    bool keyed;                       /* a key was written, its value is due */
};

void json_open_object(struct json *json);
void json_open_array(struct json *json);
/* Closes the innermost object or array. */
void json_end(struct json *json);
void json_key(struct json *json, struct str key);
void json_str(struct json *json, struct str value);
void json_bool(struct json *json, bool value);
void json_nothing(struct json *json);
void json_int(struct json *json, int64_t value);
void json_uint(struct json *json, uint64_t value);
/* Null where it is not finite. */
void json_number(struct json *json, double value);
/* JSON text that was made elsewhere, as a value. */
void json_raw(struct json *json, struct str value);
/* "2026-11-22T10:00:00Z" (RFC 3339) of Unix seconds; null for 0. */
void json_time(struct json *json, int64_t seconds);

/* A key and its value at once. */
void json_member_str(struct json *json, const char *key, struct str value);
void json_member_text(struct json *json, const char *key, const char *value);      /* null for NULL */
void json_member_bool(struct json *json, const char *key, bool value);
void json_member_int(struct json *json, const char *key, int64_t value);
void json_member_uint(struct json *json, const char *key, uint64_t value);
void json_member_number(struct json *json, const char *key, double value);
void json_member_time(struct json *json, const char *key, int64_t seconds);
void json_member_object(struct json *json, const char *key);       /* to be ended */
void json_member_array(struct json *json, const char *key);

#endif
