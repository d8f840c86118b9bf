/* GET /api/version */
#include <stdio.h>

#include "admin/admin.h"
#include "admin/traefik.h"
#include "base/hex.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/version.h"

/* A name for this run of the process: a random UUID (RFC 9562 5.4). */
static struct str run_id(void)
{
    static char text[37];
    char bytes[16], hex[HEX_ENCODED_SIZE(sizeof(bytes))];
    if (text[0] == '\0') {
        rand_bytes(bytes, sizeof(bytes));
        bytes[6] = (char)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (char)((bytes[8] & 0x3f) | 0x80);
        hex_encode(str_of(bytes, sizeof(bytes)), hex);
        snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    }
    return str_of(text, sizeof(text) - 1);
}

void traefik_version(struct json *json)
{
    json_open_object(json);
    json_member_text(json, "Version", PORTICO_VERSION);
    json_member_text(json, "Codename", "portico");
    json_member_time(json, "startDate", admin_self->started_wall / TIME_S);
    json_member_str(json, "uuid", run_id());
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    traefik_version(&call->json);
    return true;
}

static const struct admin_route version = {
    .method = "GET", .path = "/api/version", .summary = "The version, and since when it runs (Traefik's form).", .answer = answer};
REGISTER(admin_route, version);
