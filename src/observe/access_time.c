/* Times of lines. What lasts a second is made once in it: breaking a time down and naming its zone costs more than the
 * rest of a line. */
#include <time.h>

#include "base/time.h"
#include "observe/access_rules.h"

struct second {
    time_t at;
    size_t len, zone_len;
    char text[ACCESS_TIME_SIZE], zone[8];
};

static struct tm break_down(time_t seconds, bool local)
{
    struct tm parts;
    if (local)
        localtime_r(&seconds, &parts);
    else
        gmtime_r(&seconds, &parts);
    return parts;
}

/* "Z", or "+01:00". */
static size_t put_zone(char *out, size_t size, const struct tm *parts, bool local)
{
    if (!local)
        return out[0] = 'Z', 1;
    size_t len = strftime(out, size - 1, "%z", parts);
    if (len != 5)
        return len;
    memmove(out + 4, out + 3, 2);
    out[3] = ':';
    return 6;
}

char *access_put_time(char *out, int64_t wall, bool local)
{
    static _Thread_local struct second known[2] = {{.at = -1}, {.at = -1}};
    struct second *second = &known[local];
    time_t seconds = (time_t)(wall / TIME_S);
    if (second->at != seconds) {
        struct tm parts = break_down(seconds, local);
        second->len = strftime(second->text, sizeof(second->text), "%Y-%m-%dT%H:%M:%S.", &parts);
        second->zone_len = put_zone(second->zone, sizeof(second->zone), &parts, local);
        second->at = seconds;
    }
    memcpy(out, second->text, 24);      /* more than there is of it: of a fixed size it is no call */
    out += second->len;
    uint32_t fraction = (uint32_t)(wall % TIME_S);
    for (int i = 8; i >= 0; i--, fraction /= 10)
        out[i] = (char)('0' + fraction % 10);
    memcpy(out + 9, second->zone, sizeof(second->zone));
    return out + 9 + second->zone_len;
}

char *access_put_clf_time(char *out, int64_t wall, bool local)
{
    static _Thread_local struct second known[2] = {{.at = -1}, {.at = -1}};
    struct second *second = &known[local];
    time_t seconds = (time_t)(wall / TIME_S);
    if (second->at != seconds) {
        struct tm parts = break_down(seconds, local);
        second->len = strftime(second->text, sizeof(second->text), "[%d/%b/%Y:%H:%M:%S %z]", &parts);
        second->at = seconds;
    }
    memcpy(out, second->text, sizeof(second->text));
    return out + second->len;
}
