/* The request's target as the log may show it. */
#include "http/uri.h"
#include "observe/access_rules.h"

void access_target_begin(struct access_target *target, const struct access_format *format, const struct access_record *record)
{
    target->format = format;
    target->path = record->path;
    target->query = record->query;
    target->piece = target->piece_count = 0;
    target->separator = '?';
}

static void add_piece(struct access_target *target, struct str piece)
{
    target->pieces[target->piece_count++] = piece;
}

/* The pieces of the next parameter that is shown; false when there is none. */
static bool next_parameter(struct access_target *target)
{
    struct str key, value;
    target->piece = target->piece_count = 0;
    while (uri_next_pair(&target->query, &key, &value)) {
        int mode = access_rule_mode(&target->format->query, key);
        if (mode == FIELD_MODE_DROP)
            continue;
        add_piece(target, target->separator == '?' ? S("?") : S("&"));
        add_piece(target, key);
        if (value.data != NULL)
            add_piece(target, S("="));
        if (value.data != NULL)
            add_piece(target, mode == FIELD_MODE_REDACT ? S("REDACTED") : value);
        target->separator = '&';
        return true;
    }
    return false;
}

static bool begin_query(struct access_target *target)
{
    if (target->query.data == NULL)
        return false;
    if (!target->format->query_whole)
        return next_parameter(target);
    add_piece(target, S("?"));
    add_piece(target, target->query);
    target->query = STR_NONE;
    return true;
}

bool access_target_next(struct access_target *target, struct str *ret_piece)
{
    if (target->path.data != NULL) {
        *ret_piece = target->path;
        target->path = STR_NONE;
        return true;
    }
    if (target->piece == target->piece_count && !begin_query(target))
        return false;
    *ret_piece = target->pieces[target->piece++];
    return true;
}
