#include "net/client.h"

void client_local(struct client *client)
{
    struct addr addr = {.len = sizeof(addr.un)};
    if (client->local_port != 0 || client->unix_socket || getsockname(client->descriptor, &addr.any, &addr.len) != 0)
        return;
    client->local = addr_ip(&addr);
    client->local_port = addr_port(&addr);
}
