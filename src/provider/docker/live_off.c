/* Until the engine is read: nothing is known of containers. */
#include "provider/docker/live.h"

#define WEAK __attribute__((weak))

WEAK bool docker_live_prepare(bool wanted)
{
    return true;
}
WEAK void docker_live_start(struct loop *loop, const struct docker_live_owner *owner)
{
}
WEAK void docker_live_use(const struct config *config)
{
}
WEAK void docker_live_wait(struct loop *loop, int64_t patience)
{
}
WEAK void docker_live_fill(struct model *model, struct diag *diag)
{
}
WEAK void docker_live_stop(void)
{
}
WEAK size_t docker_live_statuses(struct docker_live_status *out, size_t max)
{
    return 0;
}
void server_set_leaving(struct str url, bool leaving);
WEAK void server_set_leaving(struct str url, bool leaving)
{
}
