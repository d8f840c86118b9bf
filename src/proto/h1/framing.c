/* Body length and persistence. What two readers could understand in two ways is refused here. */
#include "proto/h1/framing.h"

#include "http/token.h"

static unsigned option_bit(struct str option)
{
    switch (option.len) {
    case 5:
        return H1_IS(option, "close") ? H1_OPTION_CLOSE : 0;
    case 7:
        return H1_IS(option, "upgrade") ? H1_OPTION_UPGRADE : 0;
    case 10:
        return H1_IS(option, "keep-alive") ? H1_OPTION_KEEP_ALIVE : 0;
    default:
        return 0;
    }
}

static unsigned list_options(struct str list)
{
    unsigned options = option_bit(list);
    struct str option;
    if (options != 0)
        return options;
    while (token_next(&list, &option))
        options |= option_bit(option);
    return options;
}

unsigned h1_all_connection_options(const struct fields *fields)
{
    unsigned options = 0;
    FIELDS_FOREACH(fields, field)
        if (field->id == FIELD_CONNECTION)
            options |= list_options(field->value);
    return options;
}

/* The codings in the order of all Transfer-Encoding fields. */
static enum status judge_codings(const struct fields *fields)
{
    unsigned chunked = 0, others = 0;
    bool chunked_last = false, sloppy = false;
    FIELDS_FOREACH(fields, field) {
        struct str rest = field->value, coding;
        size_t members = 0;
        if (field->id != FIELD_TRANSFER_ENCODING)
            continue;
        for (; token_next(&rest, &coding); members++) {
            chunked_last = H1_IS(coding, "chunked");
            chunked += chunked_last;
            others += !chunked_last;
        }
        sloppy |= members == 0;
    }
    /* "chunked" alone was accepted before: here its list holds empty members, which others read otherwise. */
    if (sloppy || others == 0 || (chunked != 0 && (!chunked_last || chunked > 1)))
        return STATUS_BAD_REQUEST;
    return STATUS_BAD_TRANSFER_CODING;
}

enum status h1_check_coding(const struct fields *fields, const struct h1_facts *facts)
{
    if (facts->count[H1_SLOT_CODING] == 1 && H1_IS(facts->value[H1_SLOT_CODING], "chunked"))
        return STATUS_OK;
    return judge_codings(fields);
}

#define DIGITS_SURE 18            /* so many cannot overflow 63 bits */

static bool read_number(struct str text, int64_t *ret_length)
{
    int64_t length = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_digit(text.data[i]))
            return false;
        if (i >= DIGITS_SURE && length > (INT64_MAX - (text.data[i] - '0')) / 10)
            return false;
        length = length * 10 + (text.data[i] - '0');
    }
    *ret_length = length;
    return true;
}

/* All members of all fields, which must be one number. */
static enum status read_repeated(const struct fields *fields, int64_t *ret_length)
{
    int64_t first = -1;
    FIELDS_FOREACH(fields, field) {
        struct str rest = field->value, member;
        if (field->id != FIELD_CONTENT_LENGTH)
            continue;
        if (rest.len == 0)
            return STATUS_BAD_LENGTH;
        while (str_split(&rest, ',', &member)) {
            int64_t length;
            if (!read_number(str_trim(member), &length) || (first >= 0 && length != first))
                return STATUS_BAD_LENGTH;
            first = length;
        }
    }
    *ret_length = first;
    return STATUS_OK;
}

enum status h1_read_length(const struct fields *fields, const struct h1_facts *facts, bool allow_repeated,
                           int64_t *ret_length)
{
    if (facts->count[H1_SLOT_LENGTH] == 1 && read_number(facts->value[H1_SLOT_LENGTH], ret_length))
        return STATUS_OK;
    return allow_repeated ? read_repeated(fields, ret_length) : STATUS_BAD_LENGTH;
}
