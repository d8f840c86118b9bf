/* Who tells: the resource that spans and metrics belong to (opentelemetry.proto.resource.v1.Resource), and the attributes of
 * anything (opentelemetry.proto.common.v1). Pure. */
#ifndef OBSERVE_OTLP_RESOURCE_H
#define OBSERVE_OTLP_RESOURCE_H

#include "base/json.h"
#include "base/option.h"
#include "base/protobuf.h"

/* A KeyValue as member `field` (below 16), with a string, a list of one string or an integer as its value. What is no UTF-8 in a
 * string is replaced. */
void otlp_put_str(struct text *out, unsigned field, struct str key, struct str value);
void otlp_put_list(struct text *out, unsigned field, struct str key, struct str value);
void otlp_put_int(struct text *out, unsigned field, struct str key, int64_t value);
/* The same as an element of the array that is open. */
void otlp_json_str(struct json *json, struct str key, struct str value);
void otlp_json_list(struct json *json, struct str key, struct str value);
void otlp_json_int(struct json *json, struct str key, int64_t value);

/* A Resource as member `field`, or as the member "resource": service.name, service.version, telemetry.sdk.*, host.name,
 * process.pid and what the configuration adds, which goes before those. */
void otlp_put_resource(struct text *out, unsigned field, struct str service_name, const struct strmap *attributes);
void otlp_json_resource(struct json *json, struct str service_name, const struct strmap *attributes);
/* An InstrumentationScope as member `field`, or as the member "scope". */
void otlp_put_scope(struct text *out, unsigned field);
void otlp_json_scope(struct json *json);

#endif
