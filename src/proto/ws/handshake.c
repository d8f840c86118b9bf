#include "proto/ws/handshake.h"

#include <openssl/sha.h>

#include "base/base64.h"
#include "http/token.h"

#define KEY_SIZE 24      /* 16 bytes in base 64 */
#define KEY_BYTES 16
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static bool key_is_good(struct str key)
{
    char bytes[BASE64_DECODED_SIZE(KEY_SIZE)];
    size_t length;
    return key.len == KEY_SIZE && base64_decode(BASE64_STANDARD, key, bytes, &length) && length == KEY_BYTES;
}

enum status ws_handshake_check(const struct request *request, struct str *ret_key)
{
    if (!token_list_has(request->upgrade, S("websocket")))
        return STATUS_END;
    *ret_key = fields_value_name(&request->fields, S("Sec-WebSocket-Key"));
    struct str version = fields_value_name(&request->fields, S("Sec-WebSocket-Version"));
    bool good = request->method == METHOD_GET && str_equal(version, S("13")) && key_is_good(*ret_key);
    return good ? STATUS_OK : STATUS_BAD_REQUEST;
}

void ws_handshake_accept(struct str key, char *out)
{
    unsigned char text[KEY_SIZE + sizeof(GUID) - 1], digest[SHA_DIGEST_LENGTH];
    struct str shown = str_first(key, KEY_SIZE);
    memcpy(text, shown.data, shown.len);
    memcpy(text + shown.len, GUID, sizeof(GUID) - 1);
    SHA1(text, shown.len + sizeof(GUID) - 1, digest);
    base64_encode(BASE64_STANDARD, str_of((const char *)digest, sizeof(digest)), out);
}
