#include "cli/nginx_flags.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "cli/nginx_words.h"

/* The version whose behaviour is meant: programs look here for what they may expect. */
#define NGINX_VERSION "1.31.4"

/* ---- reading ---- */

static bool set_value(struct nginx_flags *flags, char letter, const char *value)
{
    switch (letter) {
    case 'p': flags->prefix = value; break;
    case 'e': flags->error_log = value; break;
    case 'c': flags->file = value; break;
    case 'g': flags->directives = value; break;
    default: flags->signal = value; break;
    }
    return true;
}

static bool set_switch(struct nginx_flags *flags, char letter)
{
    switch (letter) {
    case '?':
    case 'h': flags->help = flags->version = true; break;
    case 'v': flags->version = true; break;
    case 'V': flags->configure = flags->version = true; break;
    case 't': flags->test = true; break;
    case 'T': flags->test = flags->dump = true; break;
    case 'q': flags->quiet = true; break;
    default:
        nginx_words_say("invalid option: \"%c\"", letter);
        return false;
    }
    return true;
}

static bool takes_value(char letter)
{
    return letter != 0 && strchr("pecgs", letter) != NULL;
}

static const char *what_it_takes(char letter)
{
    return letter == 'p' ? "directory name" : letter == 'g' || letter == 's' ? "parameter" : "file name";
}

static bool is_signal(const char *name)
{
    return strcmp(name, "stop") == 0 || strcmp(name, "quit") == 0 || strcmp(name, "reopen") == 0 || strcmp(name, "reload") == 0;
}

/* One word and, where it wants a value that does not stand in it, the next one too. */
static bool read_word(struct nginx_flags *flags, const char *const *words, size_t count, size_t *at)
{
    const char *word = words[(*at)++];
    if (word[0] != '-') {
        nginx_words_say("invalid option: \"%s\"", word);
        return false;
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        if (!takes_value(*letter)) {
            if (!set_switch(flags, *letter))
                return false;
            continue;
        }
        if (letter[1] != '\0')
            return set_value(flags, *letter, letter + 1);
        if (*at < count)
            return set_value(flags, *letter, words[(*at)++]);
        nginx_words_say("option \"-%c\" requires %s", *letter, what_it_takes(*letter));
        return false;
    }
    return true;
}

bool nginx_flags_read(const char *const *words, size_t count, struct nginx_flags *ret_flags)
{
    *ret_flags = (struct nginx_flags){.help = false};
    for (size_t at = 0; at < count;)
        if (!read_word(ret_flags, words, count, &at))
            return false;
    if (ret_flags->signal != NULL && !is_signal(ret_flags->signal)) {
        nginx_words_say("invalid option: \"-s %s\"", ret_flags->signal);
        return false;
    }
    return true;
}

/* ---- what they mean ---- */

static struct str below(struct str folder, struct str path, struct arena *arena)
{
    return str_starts(path, S("/")) ? path : arena_printf(arena, "%.*s%.*s", STR_ARGS(folder), STR_ARGS(path));
}

static struct str as_folder(const char *path, struct arena *arena)
{
    struct str text = str_from(path);
    return text.len == 0 || str_ends(text, S("/")) ? text : arena_printf(arena, "%s/", path);
}

struct nginx_source nginx_flags_source(const struct nginx_flags *flags, struct arena *arena, const char **ret_log)
{
    bool moved = flags->prefix != NULL;
    struct str prefix = moved ? as_folder(flags->prefix, arena) : S(NGINX_PREFIX);
    struct str path = flags->file != NULL ? below(prefix, str_from(flags->file), arena) : S(NGINX_CONF_PATH);
    struct nginx_source source = nginx_source_of(arena_str(arena, path), arena);
    source.prefix = prefix;
    source.directives = str_from(flags->directives);
    struct str log = str_from(flags->error_log != NULL && flags->error_log[0] != '\0' ? flags->error_log : NGINX_LOG_PATH);
    if (!str_equal(log, S("stderr")))
        log = below(prefix, log, arena);
    *ret_log = str_equal(log, S("stderr")) ? NULL : arena_str(arena, log).data;
    source.fallbacks = arena_printf(arena, "daemon on; worker_processes 1; pid " NGINX_PID_PATH "; error_log \"%.*s\";", STR_ARGS(log));
    return source;
}

/* ---- showing ---- */

static const char usage[] =
    "Usage: nginx [-?hvVtTq] [-s signal] [-p prefix]\n"
    "             [-e filename] [-c filename] [-g directives]\n\n"
    "Options:\n"
    "  -?,-h         : what you are reading\n"
    "  -v            : the version\n"
    "  -V            : the version, and what is in it and what is not\n"
    "  -t            : check the configuration, do nothing else\n"
    "  -T            : the same, and print all its files\n"
    "  -q            : say nothing of a check that went well\n"
    "  -s signal     : tell the running process: stop, quit, reopen, reload\n"
    "  -p prefix     : where relative paths begin (" NGINX_PREFIX ")\n"
    "  -e filename   : the error log until the configuration names one (" NGINX_LOG_PATH ")\n"
    "  -c filename   : the configuration (" NGINX_CONF_PATH ")\n"
    "  -g directives : directives that stand in front of its own\n\n"
    "This is Portico: 'portico help' tells what else it can do.\n";

/* In the names that nginx gives to its modules: the first list is what is there, the second what nginx has and Portico has not. */
static const char arguments[] =
    " --prefix=/usr/share/nginx --conf-path=" NGINX_CONF_PATH " --error-log-path=" NGINX_LOG_PATH
    " --http-log-path=/var/log/nginx/access.log --pid-path=" NGINX_PID_PATH " --with-pcre --with-pcre-jit --with-threads"
    " --with-http_ssl_module --with-http_v2_module --with-http_realip_module --with-http_auth_request_module"
    " --with-http_gzip_static_module --with-http_gunzip_module --with-http_stub_status_module"
    " --without-http-cache --without-http_ssi_module --without-http_userid_module --without-http_fastcgi_module"
    " --without-http_uwsgi_module --without-http_scgi_module --without-http_memcached_module"
    " --without-http_browser_module --without-http_tunnel_module --without-mail_pop3_module --without-mail_imap_module"
    " --without-mail_smtp_module --without-stream_limit_conn_module --without-stream_access_module --without-stream_geo_module"
    " --without-stream_map_module --without-stream_split_clients_module --without-stream_return_module --without-stream_set_module"
    " --without-stream_pass_module --without-stream_upstream_hash_module --without-stream_upstream_least_conn_module"
    " --without-stream_upstream_random_module --without-stream_upstream_zone_module";

void nginx_flags_show(const struct nginx_flags *flags)
{
    fputs("nginx version: nginx/" NGINX_VERSION " (Portico " PORTICO_VERSION ")\n", stderr);
    if (flags->help)
        fputs(usage, stderr);
    if (flags->configure)
        fprintf(stderr, "built with %s\nTLS SNI support enabled\nconfigure arguments:%s\n", OpenSSL_version(OPENSSL_VERSION), arguments);
}
