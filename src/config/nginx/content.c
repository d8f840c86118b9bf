#include "config/nginx/compile.h"

/* Stands in where the folder's content is not linked. */
__attribute__((weak)) void nginx_files_content(struct nginx_place *place)
{
    nginx_put(place->compile, nginx_service(place, "respond", place->block->span), "status", S("404"), place->block->span);
}
