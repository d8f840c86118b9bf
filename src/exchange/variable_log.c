/* Variables of what became of a request, of its connection, and of the time: those that logs ask for when it has ended. */
#include <stdio.h>
#include <time.h>

#include "base/time.h"
#include "exchange/exchange.h"
#include "exchange/record.h"
#include "exchange/variable.h"

static struct str number(struct exchange *x, uint64_t value)
{
    return arena_printf(&x->arena, "%llu", (unsigned long long)value);
}

static struct str get_status(struct exchange *x, struct str argument)
{
    /* Before anything went out it is what a middleware has before it. */
    int status = x->response_sent || x->ended ? record_status(x) : x->response.status;
    return status != 0 ? arena_printf(&x->arena, "%03d", status) : S("000");
}

static struct str seconds_of(struct exchange *x, int64_t ns)
{
    int64_t ms = ns > 0 ? ns / TIME_MS : 0;
    return arena_printf(&x->arena, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
}

static struct str get_request_time(struct exchange *x, struct str argument)
{
    return seconds_of(x, (x->times.ended != 0 ? x->times.ended : exchange_now(x)) - x->times.began);
}

static struct str get_msec(struct exchange *x, struct str argument)
{
    return seconds_of(x, x->worker->loop.wall);
}

/* A text that holds for a second is made once in it. */
struct second {
    time_t at;
    size_t len;
    char text[40];
};

static bool is_over(struct second *second, struct exchange *x, struct tm *ret_local)
{
    time_t now = (time_t)(x->worker->loop.wall / TIME_S);
    if (second->len != 0 && second->at == now)
        return false;
    localtime_r(&now, ret_local);
    second->at = now;
    return true;
}

static struct str get_time_local(struct exchange *x, struct str argument)
{
    static _Thread_local struct second second;
    struct tm local;
    if (is_over(&second, x, &local))
        second.len = strftime(second.text, sizeof(second.text), "%d/%b/%Y:%H:%M:%S %z", &local);
    return arena_str(&x->arena, str_of(second.text, second.len));
}

/* The zone has a colon here: "+01:00". */
static struct str get_time_iso8601(struct exchange *x, struct str argument)
{
    static _Thread_local struct second second;
    struct tm local;
    if (is_over(&second, x, &local)) {
        size_t len = strftime(second.text, sizeof(second.text), "%Y-%m-%dT%H:%M:%S%z", &local);
        memmove(second.text + len - 1, second.text + len - 2, 2);
        second.text[len - 2] = ':';
        second.len = len + 1;
    }
    return arena_str(&x->arena, str_of(second.text, second.len));
}

static struct str get_bytes_sent(struct exchange *x, struct str argument)
{
    return number(x, x->stream.bytes_out);
}

/* What framing adds counts as well, as everything behind the head does. */
static struct str get_body_bytes_sent(struct exchange *x, struct str argument)
{
    uint64_t head = x->stream.head_bytes_out, all = x->stream.bytes_out;
    return number(x, head != 0 && all >= head ? all - head : exchange_given(x));
}

static struct str get_request_length(struct exchange *x, struct str argument)
{
    return number(x, x->stream.request.head_bytes + (x->upload_began ? x->upload.moved : 0));
}

static struct str get_request_completion(struct exchange *x, struct str argument)
{
    return x->response_sent && x->download_done ? S("OK") : S("");
}

static struct str get_connection(struct exchange *x, struct str argument)
{
    return number(x, x->stream.client->number);
}

static struct str get_connection_requests(struct exchange *x, struct str argument)
{
    return number(x, x->stream.client->requests);
}

static struct str get_connection_time(struct exchange *x, struct str argument)
{
    return seconds_of(x, exchange_now(x) - x->stream.client->opened_at);
}

static struct str get_pipe(struct exchange *x, struct str argument)
{
    return x->stream.pipelined ? S("p") : S(".");
}

#define LOG_VARIABLE(function, spelling, dotted, text) \
    static const struct variable_type function##_variable = { \
        .name = spelling, .alias = dotted, .help = text, .is_volatile = true, .get = function}; \
    REGISTER(variable_type, function##_variable)

LOG_VARIABLE(get_status, "status", "response.status", "The response's status; 499 when the client left before there was one.");
LOG_VARIABLE(get_request_time, "request_time", "request.time", "Seconds since the request's first byte, with milliseconds.");
LOG_VARIABLE(get_msec, "msec", "time.unix", "Unix time in seconds, with milliseconds.");
LOG_VARIABLE(get_time_local, "time_local", "time.local", "The local time as common logs write it.");
LOG_VARIABLE(get_time_iso8601, "time_iso8601", "time.iso8601", "The local time by ISO 8601.");
LOG_VARIABLE(get_bytes_sent, "bytes_sent", "response.bytes", "Bytes that went to the client, head and framing included.");
LOG_VARIABLE(get_body_bytes_sent, "body_bytes_sent", "response.body.bytes", "Bytes that went to the client behind the head.");
LOG_VARIABLE(get_request_length, "request_length", "request.bytes", "Bytes of the request: head and body.");
LOG_VARIABLE(get_request_completion, "request_completion", "request.completion", "OK once the response went out whole, else empty.");
LOG_VARIABLE(get_connection, "connection", "connection.number", "The number of the client's connection.");
LOG_VARIABLE(get_connection_requests, "connection_requests", "connection.requests", "How many requests came on the connection, this one included.");
LOG_VARIABLE(get_connection_time, "connection_time", "connection.time", "Seconds since the connection was made, with milliseconds.");
LOG_VARIABLE(get_pipe, "pipe", "request.pipelined", "p when the request came together with the one before, else a dot.");
