#include "config/nginx/compile.h"

static const struct nginx_syntax rows[] = {
    {"stub_status", NGINX_SERVER | NGINX_LOCATION, .min = 0, .max = 1, .help = "Answers with how many connections and requests there are."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void content(struct nginx_place *place, const struct nginx_directive *directive)
{
    nginx_service(place, "stubStatus", directive->span);
}

static const struct nginx_part part = {.name = "stubStatus", .order = 50, .content_directive = "stub_status", .content = content};
REGISTER(nginx_part, part);
