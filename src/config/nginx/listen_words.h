/* The words of one `listen`: its addresses and its parameters. Private to config/nginx/. */
#ifndef CONFIG_NGINX_LISTEN_WORDS_H
#define CONFIG_NGINX_LISTEN_WORDS_H

#include "base/option.h"
#include "config/nginx/compile.h"

struct nginx_listen {
    const struct nginx_directive *directive;
    bool is_default, tls, http2, quic, proxy_protocol;
    bool has_options;             /* something that may be said but once of an address */
    bool ipv6_both;               /* ipv6only=off */
    bool no_keep_alive, keep_alive;
    bool deferred;
    int64_t backlog, idle, interval, count;       /* 0: not said */
};

/* Its parameters, checked and reported. */
bool nginx_listen_read(struct nginx_compile *compile, const struct nginx_directive *directive, struct nginx_listen *ret_listen);
/* Its addresses as entrypoints have them, hosts looked up; reported. */
struct strs nginx_listen_texts(struct nginx_compile *compile, const struct nginx_word *word);

#endif
