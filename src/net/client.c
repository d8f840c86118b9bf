#include "net/client.h"

void client_learn_local(struct client *client)
{
    struct addr local = {.len = sizeof(local.un)};
    if (client->local_port != 0 || client->unix_socket || client->fd <= 0)
        return;
    if (getsockname(client->fd, &local.any, &local.len) == 0) {
        client->local = addr_ip(&local);
        client->local_port = addr_port(&local);
    }
    client->fd = 0;
}
