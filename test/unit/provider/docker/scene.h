/* Containers for one test, and what discover() makes of them.
 *
 *     scene_begin();
 *     scene_add("web-1", "10.0.0.2", (uint16_t[]){8000, 0}, LABELS("traefik.http.routers.a.rule", "Host(`a`)"));
 *     scene_discover();
 *     assert_str_equal(scene_router("a")->rule, S("Host(`a`)"));
 */
#ifndef SCENE_H
#define SCENE_H

#include "provider/docker/discover.h"
#include "service/load_balancer.h"
#include "test.h"

#define SCENE_MAX 4096

struct scene {
    struct model *model;
    struct diag diag;
    struct docker_config config;
    struct container containers[SCENE_MAX];
    struct inventory inventory;
    struct discovery discovery;
    struct discovered_servers servers;
    enum port_answer answer;             /* of every port, when `asks` */
    struct str open;                     /* the one address that is open whatever `answer` says; empty: none */
};
extern struct scene scene;

/* Pairs of key and value, NULL-terminated. */
#define LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_LABELS ((const char *const[]){NULL})
#define PORTS(...) ((const uint16_t[]){__VA_ARGS__, 0})
#define NO_PORTS ((const uint16_t[]){0})

void scene_begin(void);
void scene_end(void);
/* Sets options as a file would: "exposedByDefault: false\n". */
void scene_options(const char *yaml);
/* A container that runs in the network "net"; id "id-NAME"; each is a second younger than the one before it. */
struct container *scene_add(const char *name, const char *address, const uint16_t *ports, const char *const *labels);
/* One more network for a container; its networks stay in the order of adding. */
void scene_network(struct container *container, const char *name, const char *address);
/* Ports are asked, and answer so. */
void scene_ports(enum port_answer answer);
void scene_discover(void);

/* NULL: there is none. */
const struct router_config *scene_router(const char *name);
const struct load_balancer_config *scene_balancer(const char *name);
const void *scene_object(const struct objects *objects, const char *name);
const struct discovered *scene_found(const char *name);
/* The reason of the remark about "NAME@docker"; data NULL: there is none. */
struct str scene_remark(const char *name);
/* "http://10.0.0.2:80, http://10.0.0.3:80": the servers of a service, '!' behind those that leave; "-": no such service. */
const char *scene_servers(const char *name);
/* All warnings and errors as people read them. */
const char *scene_diag(void);
const struct http_config *scene_http(void);
const struct tls_config *scene_tls(void);

#endif
