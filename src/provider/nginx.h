/* nginx.conf as a source of configuration: as the main file, and as a provider beside others. Control thread; blocks on files. */
#ifndef PROVIDER_NGINX_H
#define PROVIDER_NGINX_H

#include "config/nginx/tree.h"
#include "provider/settings.h"

#define NGINX_PREFIX "/usr/share/nginx/"
#define NGINX_CONF_PATH "/etc/nginx/nginx.conf"

/* How the main file is read when it is an nginx.conf: what `nginx`'s own flags say. */
struct nginx_source {
    struct str path;
    struct str prefix, conf_prefix;      /* each with a slash at its end */
    struct str directives;               /* -g: in front of the file's own */
    struct str fallbacks;                /* directives that hold where the file has none of that name at its main level */
    struct nginx_files *files;           /* gets what was read; NULL: nobody asks */
};

/* The default one for a path: relative files lie beside it. */
struct nginx_source nginx_source_of(struct str path, struct arena *arena);
/* Whether the file at `path` is an nginx.conf, by its content. */
bool nginx_source_is_one(const char *path);
/* The tree that YAML would have given; NULL after an error. Files are noted. */
struct node *nginx_source_load(const struct nginx_source *source, struct arena *arena, struct diag *diag, struct settings_files *files);
/* providers.nginx: adds the part "nginx" and entrypoints for addresses that are not there yet. */
void nginx_provider_read(struct model *model, struct diag *diag, struct settings_files *files);

#endif
