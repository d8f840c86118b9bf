#include "upstream/probe_grpc.h"

#define PREFIX_SIZE 5          /* compressed or not, then the message's length in four bytes */
#define STATUS_KEY 0x08        /* HealthCheckResponse: field 1, a varint */
#define SERVING 1
#define ANSWER_MAX 4096

void probe_grpc_ask(struct fetch *fetch)
{
    /* HealthCheckRequest without its one field, the service: no bytes behind the prefix. */
    static const char empty_message[PREFIX_SIZE];
    struct request *request = &fetch->request;
    request->method = METHOD_POST;
    request->method_name = method_text(METHOD_POST);
    request->path = S("/grpc.health.v1.Health/Check");
    request->query = STR_NONE;
    request->has_body = true;
    request->body_length = PREFIX_SIZE;
    fields_set(&request->fields, FIELD_CONTENT_TYPE, S("application/grpc"));
    fields_set(&request->fields, FIELD_TE, S("trailers"));
    chunkq_add_static(&fetch->body, str_of(empty_message, sizeof(empty_message)));
    fetch->repeatable = true;
    fetch->discard_body = false;
    fetch->max_body = ANSWER_MAX;
}

/* A number in base 128, the lowest digits first; false when it does not end. */
static bool read_varint(struct str *rest, uint64_t *ret_value)
{
    *ret_value = 0;
    for (unsigned shift = 0; shift < 64 && rest->len != 0; shift += 7) {
        unsigned char byte = (unsigned char)rest->data[0];
        *rest = str_of(rest->data + 1, rest->len - 1);
        *ret_value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The status of a HealthCheckResponse; 0 (UNKNOWN) where it says none. Other fields are none of ours: the message has but one. */
static uint64_t read_status(struct str message)
{
    uint64_t key, value;
    if (read_varint(&message, &key) && key == STATUS_KEY && read_varint(&message, &value))
        return value;
    return 0;
}

/* Without a body the status stands in the head. */
static struct str grpc_status(const struct response *response)
{
    struct str status = fields_value_name(&response->trailers, S("grpc-status"));
    return status.data != NULL ? status : fields_value_name(&response->fields, S("grpc-status"));
}

const char *probe_grpc_judge(const struct response *response, struct str body)
{
    struct str status = grpc_status(response);
    if (response->status != 200 || status.data == NULL)
        return "the health check got no gRPC answer";
    if (str_equal(status, S("12")))
        return "the server does not implement gRPC's health protocol";
    if (!str_equal(status, S("0")))
        return "the health check got a gRPC error";
    if (body.len < PREFIX_SIZE || body.data[0] != 0)
        return "the health check got no gRPC answer";
    return read_status(str_from_index(body, PREFIX_SIZE)) == SERVING ? NULL : "the server says that it does not serve";
}
