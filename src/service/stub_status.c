/* stubStatus: the process's connections and requests in nginx's words, for what reads them; and the same as variables. */
#include "exchange/service.h"
#include "exchange/variable.h"
#include "net/traffic.h"

struct stub_status {
    const struct node *origin;
    bool unused;
};

static const struct option_table table = OPTION_TABLE_PLAIN(struct stub_status, NULL, 0, .summary = "How many connections and requests there are, as text.");

/* A connection of HTTP/2 may run many requests, so that more may run than connections are open. */
static uint64_t waiting(const struct traffic_sum *sum)
{
    return sum->open > sum->running ? sum->open - sum->running : 0;
}

static uint64_t writing(const struct traffic_sum *sum)
{
    return sum->running > sum->reading ? sum->running - sum->reading : 0;
}

static enum pick_result answer(struct exchange *x, struct service *service)
{
    struct traffic_sum sum = traffic_sum();
    enum method method = exchange_request(x)->method;
    if (method != METHOD_GET && method != METHOD_HEAD) {
        exchange_answer_status(x, 405, STATUS_FILE_METHOD);
        return PICK_ANSWER;
    }
    struct str body = arena_printf(&x->arena,
                                   "Active connections: %llu \nserver accepts handled requests\n %llu %llu %llu \n"
                                   "Reading: %llu Writing: %llu Waiting: %llu \n",
                                   (unsigned long long)sum.open, (unsigned long long)sum.accepted, (unsigned long long)sum.accepted,
                                   (unsigned long long)sum.requests, (unsigned long long)sum.reading, (unsigned long long)writing(&sum),
                                   (unsigned long long)waiting(&sum));
    exchange_answer(x, 200, STATUS_OK, S("text/plain"), body);
    return PICK_ANSWER;
}

static const struct service_type stub_status_type = {
    .choice = {.name = "stubStatus", .summary = "Says how many connections and requests there are, as text.", .table = &table},
    .pick = answer,
};
REGISTER(service_type, stub_status_type);

static struct str number(struct exchange *x, uint64_t value)
{
    return arena_printf(&x->arena, "%llu", (unsigned long long)value);
}

static struct str get_active(struct exchange *x, struct str argument)
{
    return number(x, traffic_sum().open);
}

static struct str get_reading(struct exchange *x, struct str argument)
{
    return number(x, traffic_sum().reading);
}

static struct str get_writing(struct exchange *x, struct str argument)
{
    struct traffic_sum sum = traffic_sum();
    return number(x, writing(&sum));
}

static struct str get_waiting(struct exchange *x, struct str argument)
{
    struct traffic_sum sum = traffic_sum();
    return number(x, waiting(&sum));
}

#define STATUS_VARIABLE(function, spelling, dotted, text) \
    static const struct variable_type function##_variable = { \
        .name = spelling, .alias = dotted, .help = text, .is_volatile = true, .get = function}; \
    REGISTER(variable_type, function##_variable)

STATUS_VARIABLE(get_active, "connections_active", "connections.active", "Clients' connections that are open.");
STATUS_VARIABLE(get_reading, "connections_reading", "connections.reading", "Those on which a request's head is awaited.");
STATUS_VARIABLE(get_writing, "connections_writing", "connections.writing", "Those on which a request runs.");
STATUS_VARIABLE(get_waiting, "connections_waiting", "connections.waiting", "Those on which nothing happens.");
