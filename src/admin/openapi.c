/* GET /api/portico/openapi.json: the description of this API, web/openapi.json. */
#include "admin/assets.h"
#include "admin/call.h"

static bool answer(struct admin_call *call)
{
    const struct asset *asset = asset_find(S("openapi.json"));
    if (asset == NULL)
        return admin_refuse(call, 404, "the description is not part of this build");
    text_add(&call->out, asset_content(asset));
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/openapi.json",
                                         .summary = "What this API offers (OpenAPI 3.1).",
                                         .answer = answer};
REGISTER(admin_route, route);
