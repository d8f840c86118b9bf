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

void client_set_tlvs(struct client *client, struct str tlvs)
{
    if (tlvs.len == 0)
        return;
    client->tlvs = memory_alloc(sizeof(*client->tlvs) + tlvs.len);
    client->tlvs->refs = 1;
    client->tlvs->len = (uint32_t)tlvs.len;
    memcpy(client->tlvs->bytes, tlvs.data, tlvs.len);
}

void client_drop_tlvs(struct client *client)
{
    if (--client->tlvs->refs == 0)
        free(client->tlvs);
    client->tlvs = NULL;
}
