#include "net/syslog.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

#define AT_ONCE 64

const struct option_name syslog_facility_names[] = {
    {"kern", 0},      {"user", 1},      {"mail", 2},      {"daemon", 3},    {"auth", 4},      {"intern", 5},    {"lpr", 6},
    {"news", 7},      {"uucp", 8},      {"clock", 9},     {"authpriv", 10}, {"ftp", 11},      {"ntp", 12},      {"audit", 13},
    {"alert", 14},    {"cron", 15},     {"local0", 16},   {"local1", 17},   {"local2", 18},   {"local3", 19},   {"local4", 20},
    {"local5", 21},   {"local6", 22},   {"local7", 23},   {NULL, 0}};
const struct option_name syslog_severity_names[] = {
    {"emerg", SYSLOG_EMERG},   {"alert", SYSLOG_ALERT}, {"crit", SYSLOG_CRIT},   {"error", SYSLOG_ERROR}, {"err", SYSLOG_ERROR},
    {"warn", SYSLOG_WARN},     {"notice", SYSLOG_NOTICE}, {"info", SYSLOG_INFO}, {"debug", SYSLOG_DEBUG}, {NULL, 0}};

static bool has_port(struct str text)
{
    ptrdiff_t colon = str_find_char(text, ':', 0);
    if (str_starts(text, S("[")))
        return str_find(text, S("]:")) >= 0;
    return colon >= 0 && str_find_char(text, ':', (size_t)colon + 1) < 0;
}

bool syslog_address(struct str text, struct addr *ret_addr)
{
    char with_port[256];
    bool udp;
    if (str_starts(text, S("unix:")))
        return addr_unix(str_from_index(text, 5), ret_addr);
    if (text.len == 0 || text.len + 8 > sizeof(with_port))
        return false;
    if (has_port(text))
        return addr_parse_listen(text, ret_addr, &udp);
    bool bare_v6 = !str_starts(text, S("[")) && str_find_char(text, ':', 0) >= 0;
    size_t len = 0;
    if (bare_v6)
        with_port[len++] = '[';
    memcpy(with_port + len, text.data, text.len);
    len += text.len;
    memcpy(with_port + len, "]:514", 5);
    if (!bare_v6)
        memcpy(with_port + len, ":514", 4);
    return addr_parse_listen(str_of(with_port, len + (bare_v6 ? 5 : 4)), ret_addr, &udp);
}

int syslog_open(const struct syslog_target *target)
{
    int fd = socket(target->address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, &target->address.any, target->address.len) != 0 && target->address.any.sa_family != AF_UNIX) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;      /* a Unix socket that is not there yet is looked for again with each message */
}

void syslog_begin(const struct syslog_target *target, int severity, int64_t wall, struct text *out)
{
    time_t seconds = (time_t)(wall / TIME_S);
    struct tm local;
    char date[32];
    localtime_r(&seconds, &local);
    size_t len = strftime(date, sizeof(date), "%b %e %H:%M:%S", &local);
    text_addf(out, "<%d>%.*s ", target->facility * 8 + (target->severity >= 0 ? target->severity : severity), (int)len, date);
    text_add(out, target->host);
    text_addf(out, "%s%.*s: ", target->host.len != 0 ? " " : "", STR_ARGS(target->tag));
}

/* An error that the system had kept of an earlier message is told with the next one, which then did not go: once more. */
static int send_some(int fd, struct mmsghdr *messages, unsigned count)
{
    int sent = sendmmsg(fd, messages, count, MSG_NOSIGNAL);
    return sent < 0 && errno != EAGAIN ? sendmmsg(fd, messages, count, MSG_NOSIGNAL) : sent;
}

size_t syslog_send(int fd, struct str bytes, const size_t *ends, size_t count)
{
    struct mmsghdr messages[AT_ONCE] = {0};
    struct iovec vectors[AT_ONCE];
    size_t done = 0, at = 0;
    while (done < count) {
        unsigned some = 0;
        for (; some < AT_ONCE && done + some < count; some++) {
            size_t end = ends[done + some];
            char *begin;
            memcpy(&begin, &(const char *){bytes.data + at}, sizeof(begin));      /* iovec has no const */
            vectors[some] = (struct iovec){.iov_base = begin, .iov_len = end - at};
            messages[some].msg_hdr = (struct msghdr){.msg_iov = &vectors[some], .msg_iovlen = 1};
            at = end;
        }
        int sent = send_some(fd, messages, some);
        if (sent < (int)some)
            return done + (sent > 0 ? (size_t)sent : 0);
        done += some;
    }
    return done;
}
