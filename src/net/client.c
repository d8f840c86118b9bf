#include "net/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void client_local(struct client *client)
{
    struct addr addr = {.len = sizeof(addr.un)};
    if (client->local_port != 0 || client->unix_socket || getsockname(client->descriptor, &addr.any, &addr.len) != 0)
        return;
    client->local = addr_ip(&addr);
    client->local_port = addr_port(&addr);
}

struct client_greeting *client_greet(struct client *client, struct str tlvs)
{
    struct client_greeting *greeting = memory_alloc(sizeof(*greeting) + tlvs.len);
    memset(greeting, 0, sizeof(*greeting));
    greeting->refs = 1;
    greeting->tlvs_len = (uint32_t)tlvs.len;
    if (tlvs.len != 0)
        memcpy(greeting->tlvs, tlvs.data, tlvs.len);
    client->greeting = greeting;
    return greeting;
}

void client_drop_greeting(struct client *client)
{
    if (--client->greeting->refs == 0)
        free(client->greeting);
    client->greeting = NULL;
}
