/* A WebSocket over a stream (RFC 8441): to the product it is the request that HTTP/1 would have brought, with Upgrade and a
 * key; the answer to it loses again what only HTTP/1's handshake needs. The frames inside are the same in both. */
#include "base/base64.h"
#include "base/rand.h"
#include "proto/h2/serving.h"

#define KEY_BYTES 16      /* RFC 6455 4.1 */

/* HTTP/1 proves by a key that the server has understood; RFC 8441 5.1 has none. */
static bool add_key(struct fields *fields)
{
    static const struct str name = STR("Sec-WebSocket-Key");
    char bytes[KEY_BYTES], *text = arena_alloc(fields->arena, BASE64_ENCODED_SIZE(KEY_BYTES));
    if (text == NULL)
        return false;
    rand_bytes(bytes, sizeof(bytes));
    size_t len = base64_encode(BASE64_STANDARD, str_of(bytes, sizeof(bytes)), text);
    fields_remove_name(fields, name);
    return fields_add(fields, name, str_of(text, len));
}

static bool add_version(struct fields *fields)
{
    static const struct str name = STR("Sec-WebSocket-Version");
    return fields_find_name(fields, name) != NULL || fields_add(fields, name, S("13"));
}

enum status h2_connect_accept(struct h2_stream *own)
{
    struct request *request = &own->stream->request;
    struct fields *fields = &request->fields;
    if (!str_equal_nocase(own->head.protocol, S("websocket")))
        return STATUS_METHOD_NOT_IMPLEMENTED;
    own->tunnel = true;
    own->in_left = -1;
    request->method = METHOD_GET;
    request->method_name = S("GET");
    request->has_body = request->expects_continue = false;
    request->body_length = BODY_NONE;
    request->upgrade = S("websocket");
    request->only_upgrade = true;
    fields_remove(fields, FIELD_CONTENT_LENGTH);
    fields_remove(fields, FIELD_EXPECT);
    return fields_add_id(fields, FIELD_CONNECTION, S("Upgrade")) && fields_add_id(fields, FIELD_UPGRADE, request->upgrade) &&
                   add_version(fields) && add_key(fields)
               ? STATUS_OK
               : STATUS_OUT_OF_MEMORY;
}

bool h2_connect_drops(const struct field *field)
{
    return field->id == FIELD_OTHER && str_equal_nocase(field->name, S("Sec-WebSocket-Accept"));
}
