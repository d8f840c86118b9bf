/* nginx.conf becomes the one model: a tree of directives becomes the tree of nodes that a YAML file would have given, with each
 * node's place in nginx.conf. The binder and the compiler do the rest, so what nginx can say YAML and labels can say too, and
 * `portico convert` prints this very tree.
 *
 * The way: server.c makes entrypoints of listen and a site (model/http.h) of each server; location.c makes a router of each location,
 * each `if` and each server itself; for each of these "places" every registered part adds what its directives mean there
 * (middlewares in the order of enum nginx_chain), and the part whose directive gives the content makes the service.
 *
 * Inheritance is nginx's: a directive holds for all levels inside unless one of these has it as well (all or nothing for those
 * that repeat). Parts never look at a merged struct: they ask nginx_find and nginx_all, which walk outwards. Control thread. */
#ifndef CONFIG_NGINX_COMPILE_H
#define CONFIG_NGINX_COMPILE_H

#include "base/node.h"
#include "base/registry.h"
#include "config/nginx/syntax.h"

/* Where in a router's chain a middleware stands: the request passes from the first to the last, the response back. So what changes
 * responses last stands first. The order of nginx's phases and filters. */
enum nginx_chain {
    NGINX_CHAIN_RATE,             /* limit_rate */
    NGINX_CHAIN_RANGE,
    NGINX_CHAIN_COMPRESS,
    NGINX_CHAIN_CHARSET,
    NGINX_CHAIN_HEADERS,          /* add_header, expires, add_trailer */
    NGINX_CHAIN_ERROR_PAGES,
    NGINX_CHAIN_CONDITIONAL,      /* If-Modified-Since and its kin; inside of the error pages, for there may be one for 412 */
    NGINX_CHAIN_REAL_IP,
    NGINX_CHAIN_REWRITE,          /* rewrite, set, if, return: absent in an `if`, whose instructions run in the outer script */
    NGINX_CHAIN_LIMITS,           /* limit_req, limit_conn */
    NGINX_CHAIN_ACCESS,           /* allow, deny, auth_basic, auth_request, satisfy, limit_except */
    NGINX_CHAIN_PRECONTENT,       /* try_files, mirror */
    NGINX_CHAIN_UPSTREAM,         /* what proxy_pass changes of the request, and what comes back from servers */
    NGINX_CHAIN_COUNT
};

/* One level of nesting; the innermost is where a place's directives stand. */
struct nginx_scope {
    const struct nginx_directive *block;
    enum nginx_context context;
    struct nginx_scope *outer;    /* NULL: main */
    struct map by_name;           /* name -> the level's first directive of that name; nginx_same gives the others */
    struct nginx_scope *made_before;
};

struct nginx_compile {
    struct arena *arena;
    struct diag *diag;
    struct nginx_files *files;    /* may be NULL: paths stay as they are */
    const struct nginx_directive *tree;
    struct node *root;            /* what YAML's root would be */
    struct nginx_scope *main, *http;      /* http NULL: there is none */
    struct map names;             /* objects' names that are taken, "middlewares/x" */
    struct map zones;             /* shared by parts: "limit_req_zone:NAME" -> struct nginx_directive, and whatever else they keep */
    struct map formats;           /* log_format NAME -> struct nginx_directive */
    struct nginx_scope *scopes;   /* all that were made, for nginx_scopes_release */
    struct nginx_members *members;        /* emit.c: the keys of large maps */
};

struct nginx_server {
    struct nginx_compile *compile;
    const struct nginx_directive *block;
    struct nginx_scope *scope;
    struct str name;              /* of its site: its first name, made unique */
    struct node *site;            /* http.sites.NAME */
    bool tls, plain;              /* some listen has ssl; some has not */
    struct strs *entry_points;    /* their names */
    struct nginx_server *next;
};

enum nginx_place_kind {
    NGINX_PLACE_SERVER,           /* the server itself: what `return` at its level answers by, and what no location takes */
    NGINX_PLACE_LOCATION,
    NGINX_PLACE_IF,               /* an `if` in a location (or in a server: then only `server` is its outer) */
    NGINX_PLACE_LIMIT_EXCEPT,
};

/* What becomes a router. */
struct nginx_place {
    enum nginx_place_kind kind;
    struct nginx_compile *compile;
    struct nginx_server *server;
    struct nginx_place *outer;    /* the location that it stands in; NULL: the server */
    struct nginx_scope *scope;
    const struct nginx_directive *block;
    struct str name;              /* of its router, and the beginning of the names of its objects */
    struct node *router;          /* http.routers.NAME; its `service` is set by a content part */
    struct node *chain[NGINX_CHAIN_COUNT];      /* lists of names of middlewares; NULL: none yet */
    bool named, regex, exact;     /* of a location */
    struct str path;              /* of a location: its prefix, pattern or name (with '@') */
    struct nginx_place *first_inner, *next;     /* locations and ifs inside, in the order of the file */
};

/* What an area of the dialect adds to each place, and once to the whole. Parts run in the order of `order`, then by name. */
struct nginx_part {
    const char *name;
    int order;
    void (*global)(struct nginx_compile *compile);      /* before the first server; may be NULL */
    void (*server)(struct nginx_server *server);        /* when its site and entrypoints are there; may be NULL */
    void (*place)(struct nginx_place *place);           /* may be NULL */
    void (*lint)(struct nginx_place *place);            /* warnings and notes that nginx never gave; may be NULL */
    /* The directive that makes this part the one that gives the place's content (proxy_pass, stub_status, ...), and what makes its
     * service. A content directive holds in its own block alone (proxy_pass also in an `if` inside of its location). */
    const char *content_directive;
    void (*content)(struct nginx_place *place, const struct nginx_directive *directive);
};
REGISTRY(nginx_part, const struct nginx_part);
/* The content of places that no directive gives any: the folder (root, alias, index, autoindex). Set by files.c. */
void nginx_files_content(struct nginx_place *place);

/* The whole. `root` gets what YAML's root would have. False after an error. */
bool nginx_compile(const struct nginx_directive *tree, struct nginx_files *files, struct node *root, struct arena *arena,
                   struct diag *diag);
/* A file, or a text at hand, as the tree that YAML would have given; NULL when it could not be read. */
struct node *nginx_load(struct str path, struct nginx_files *files, struct arena *arena, struct diag *diag);

/* ---- asking (scope.c) ---- */

/* The scope of a block (of the tree's root: main). In the arena, but its map is on the heap: all scopes are released at the end. */
struct nginx_scope *nginx_scope_new(struct nginx_compile *compile, const struct nginx_directive *block,
                                    enum nginx_context context, struct nginx_scope *outer);
void nginx_scopes_release(struct nginx_compile *compile);

/* The directive that holds here: of this level or the nearest outside; NULL: none does. */
const struct nginx_directive *nginx_find(const struct nginx_scope *scope, const char *name);
/* The same, of this level alone. */
const struct nginx_directive *nginx_here(const struct nginx_scope *scope, const char *name);
/* The first of those that hold here: all of that name at the nearest level that has any; go on with nginx_same. */
const struct nginx_directive *nginx_all(const struct nginx_scope *scope, const char *name);
const struct nginx_directive *nginx_same(const struct nginx_directive *directive);
/* on/off of a flag, `fallback` where nobody says. */
bool nginx_flag(const struct nginx_scope *scope, const char *name, bool fallback);
/* "key=value" among the words from `from` on: true and the value, whose span is *ret_word's. */
bool nginx_parameter(const struct nginx_directive *directive, size_t from, const char *key, struct str *ret_value,
                     const struct nginx_word **ret_word);
/* nginx's times ("1h 30m", "30", "500ms") in ms and sizes ("10m", "8k") in bytes; false: it is none (not reported). */
bool nginx_time(struct str text, int64_t *ret_ms);
bool nginx_size(struct str text, int64_t *ret_bytes);
/* The value of a directive that holds here, as ms or bytes, checked and reported; `fallback` where nobody says. */
int64_t nginx_find_time(const struct nginx_place *place, const char *name, int64_t fallback_ms);
int64_t nginx_find_size(const struct nginx_place *place, const char *name, int64_t fallback);
/* A text with nginx's variables ("$uri", "${args}", "$1") as a template of the model ("${uri}"). The grammar is checked here, the
 * names when the configuration is compiled: at the node's span, so give nodes the span of the word that their text came of. A
 * text without variables is itself. */
struct str nginx_template(struct nginx_compile *compile, const struct nginx_word *word);
bool nginx_has_variables(struct str text);
/* A file that a directive names: absolute as it is, else below conf_prefix or prefix, as nginx does. */
struct str nginx_conf_path(struct nginx_compile *compile, struct str path);
struct str nginx_prefix_path(struct nginx_compile *compile, struct str path);
/* "[emerg]"-like complaint at a word: 'invalid value "x" in "gzip_vary" directive'. */
void nginx_invalid(struct nginx_compile *compile, const struct nginx_directive *directive, const struct nginx_word *word);

/* ---- writing the model's tree (emit.c) ---- */

/* Forgets what it knows of maps' keys; the tree stays. At the end of nginx_compile. */
void nginx_members_release(struct nginx_compile *compile);

struct node *nginx_put(struct nginx_compile *compile, struct node *map, const char *key, struct str text, struct span span);
struct node *nginx_put_flag(struct nginx_compile *compile, struct node *map, const char *key, bool on, struct span span);
struct node *nginx_put_number(struct nginx_compile *compile, struct node *map, const char *key, int64_t number, struct span span);
/* As "1500ms". */
struct node *nginx_put_time(struct nginx_compile *compile, struct node *map, const char *key, int64_t ms, struct span span);
/* A member that is a map or a list; the one that is there already, if any. */
struct node *nginx_put_map(struct nginx_compile *compile, struct node *map, const char *key, struct span span);
struct node *nginx_put_list(struct nginx_compile *compile, struct node *map, const char *key, struct span span);
/* The same with a key that is made (lives in the arena). */
struct node *nginx_put_map_named(struct nginx_compile *compile, struct node *map, struct str key, struct span span);
struct node *nginx_put_named(struct nginx_compile *compile, struct node *map, struct str key, struct str text, struct span span);
struct node *nginx_add_text(struct nginx_compile *compile, struct node *list, struct str text, struct span span);
struct node *nginx_add_map(struct nginx_compile *compile, struct node *list, struct span span);
/* "http.middlewares" and the like, made where absent. */
struct node *nginx_section(struct nginx_compile *compile, const char *path);
/* A name that no other object of that section has: `wanted`, or with "-2" behind it. '@' becomes '~'. */
struct str nginx_unique(struct nginx_compile *compile, const char *section, struct str wanted);
/* A new middleware of that type at the end of this stretch of the place's chain: its options. */
struct node *nginx_middleware(struct nginx_place *place, enum nginx_chain at, const char *type, struct span span);
/* The same, for one that stands in a list of its own (satisfy any): gives its name as well and joins no chain. */
struct node *nginx_free_middleware(struct nginx_place *place, const char *type, struct span span, struct str *ret_name);
/* The http.serversTransports of a place's servers, named like the place: made when it is first asked for, with what proxy_ and grpc_
 * directives say of connections (transport.c). Those of TLS are put into it by others. */
struct node *nginx_place_transport(struct nginx_place *place);
/* A new service of that kind, named like the place, which becomes the place's: its options. */
struct node *nginx_service(struct nginx_place *place, const char *kind, struct span span);

#endif
