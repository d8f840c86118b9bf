/* Owns the library's handle and the addresses of its functions. */
#include "net/curl.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

static struct {
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_escape) *easy_escape;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_header) *easy_header;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_pause) *easy_pause;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_free) *free;
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_multi_add_handle) *multi_add_handle;
    __typeof__(curl_multi_cleanup) *multi_cleanup;
    __typeof__(curl_multi_info_read) *multi_info_read;
    __typeof__(curl_multi_init) *multi_init;
    __typeof__(curl_multi_perform) *multi_perform;
    __typeof__(curl_multi_poll) *multi_poll;
    __typeof__(curl_multi_remove_handle) *multi_remove_handle;
    __typeof__(curl_multi_setopt) *multi_setopt;
    __typeof__(curl_multi_socket_action) *multi_socket_action;
    __typeof__(curl_multi_wakeup) *multi_wakeup;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    __typeof__(curl_url) *url;
    __typeof__(curl_url_cleanup) *url_cleanup;
    __typeof__(curl_url_get) *url_get;
    __typeof__(curl_url_set) *url_set;
    __typeof__(curl_version_info) *version_info;
} curl;

struct entry_point {
    const char *name;
    void *at;               /* the function pointer above */
};
#define ENTRY_POINT(member) {"curl_" #member, &curl.member}

static const struct entry_point entry_points[] = {
    ENTRY_POINT(easy_cleanup),    ENTRY_POINT(easy_escape),       ENTRY_POINT(easy_getinfo),     ENTRY_POINT(easy_header),
    ENTRY_POINT(easy_init),       ENTRY_POINT(easy_pause),        ENTRY_POINT(easy_setopt),      ENTRY_POINT(easy_strerror),
    ENTRY_POINT(free),            ENTRY_POINT(global_init),       ENTRY_POINT(multi_add_handle), ENTRY_POINT(multi_cleanup),
    ENTRY_POINT(multi_info_read), ENTRY_POINT(multi_init),        ENTRY_POINT(multi_perform),    ENTRY_POINT(multi_poll),
    ENTRY_POINT(multi_remove_handle), ENTRY_POINT(multi_setopt),  ENTRY_POINT(multi_socket_action), ENTRY_POINT(multi_wakeup),
    ENTRY_POINT(slist_append),    ENTRY_POINT(slist_free_all),    ENTRY_POINT(url),              ENTRY_POINT(url_cleanup),
    ENTRY_POINT(url_get),         ENTRY_POINT(url_set),           ENTRY_POINT(version_info),
};

static char problem[256];    /* empty: there is none */

static void find_all(void *library)
{
    for (size_t i = 0; i < sizeof(entry_points) / sizeof(entry_points[0]); i++) {
        void *found = dlsym(library, entry_points[i].name);
        if (found == NULL) {
            snprintf(problem, sizeof(problem), LIBRARY " is too old: it has no %s", entry_points[i].name);
            return;
        }
        memcpy(entry_points[i].at, &found, sizeof(found));
    }
}

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *error = dlerror();
        snprintf(problem, sizeof(problem), "libcurl cannot be loaded: %s", error != NULL ? error : LIBRARY);
        return;
    }
    find_all(library);
    if (problem[0] == '\0' && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        snprintf(problem, sizeof(problem), LIBRARY " cannot be initialised");
}

const char *curl_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return problem[0] != '\0' ? problem : NULL;
}

/* ---- what passes on ---- */

/* Names in brackets: libcurl's header has macros of some, which look at the types of arguments. */
#define PASS(type, member, parameters, arguments) \
    type(curl_##member) parameters                \
    {                                             \
        return curl.member arguments;             \
    }
#define PASS_VOID(member, parameters, arguments) \
    void(curl_##member) parameters               \
    {                                            \
        curl.member arguments;                   \
    }

PASS(CURL *, easy_init, (void), ())
PASS_VOID(easy_cleanup, (CURL * easy), (easy))
PASS(char *, easy_escape, (CURL * easy, const char *text, int length), (easy, text, length))
PASS(CURLHcode, easy_header,
     (CURL * easy, const char *name, size_t index, unsigned int origin, int request, struct curl_header **ret_header),
     (easy, name, index, origin, request, ret_header))
PASS(CURLcode, easy_pause, (CURL * easy, int mask), (easy, mask))
PASS(const char *, easy_strerror, (CURLcode code), (code))
PASS_VOID(free, (void *memory), (memory))
PASS(CURLM *, multi_init, (void), ())
PASS(CURLMcode, multi_cleanup, (CURLM * multi), (multi))
PASS(CURLMcode, multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy))
PASS(CURLMcode, multi_remove_handle, (CURLM * multi, CURL *easy), (multi, easy))
PASS(CURLMsg *, multi_info_read, (CURLM * multi, int *ret_left), (multi, ret_left))
PASS(CURLMcode, multi_perform, (CURLM * multi, int *ret_running), (multi, ret_running))
PASS(CURLMcode, multi_poll, (CURLM * multi, struct curl_waitfd more[], unsigned int count, int timeout, int *ret_ready),
     (multi, more, count, timeout, ret_ready))
PASS(CURLMcode, multi_socket_action, (CURLM * multi, curl_socket_t fd, int events, int *ret_running),
     (multi, fd, events, ret_running))
PASS(CURLMcode, multi_wakeup, (CURLM * multi), (multi))
PASS(struct curl_slist *, slist_append, (struct curl_slist * list, const char *text), (list, text))
PASS_VOID(slist_free_all, (struct curl_slist * list), (list))
PASS(CURLU *, url, (void), ())
PASS_VOID(url_cleanup, (CURLU * url), (url))
/* Younger versions ask for a const one. */
typedef __typeof__(_Generic(&curl_url_get, CURLUcode (*)(CURLU *, CURLUPart, char **, unsigned int) : (CURLU *)NULL,
                            default : (const CURLU *)NULL)) read_url;
PASS(CURLUcode, url_get, (read_url url, CURLUPart part, char **ret_text, unsigned int flags), (url, part, ret_text, flags))
PASS(CURLUcode, url_set, (CURLU * url, CURLUPart part, const char *text, unsigned int flags), (url, part, text, flags))
PASS(curl_version_info_data *, version_info, (CURLversion age), (age))

/* An option's number tells the type of its value, in ten-thousands. */
static int base_of(int option)
{
    return option / 10000 * 10000;
}

CURLcode(curl_easy_setopt)(CURL *easy, CURLoption option, ...)
{
    CURLcode code;
    va_list values;
    va_start(values, option);
    if (base_of((int)option) == CURLOPTTYPE_LONG)
        code = curl.easy_setopt(easy, option, va_arg(values, long));
    else if (base_of((int)option) == CURLOPTTYPE_OFF_T)
        code = curl.easy_setopt(easy, option, va_arg(values, curl_off_t));
    else
        code = curl.easy_setopt(easy, option, va_arg(values, void *));
    va_end(values);
    return code;
}

CURLMcode(curl_multi_setopt)(CURLM *multi, CURLMoption option, ...)
{
    CURLMcode code;
    va_list values;
    va_start(values, option);
    if (base_of((int)option) == CURLOPTTYPE_LONG)
        code = curl.multi_setopt(multi, option, va_arg(values, long));
    else if (base_of((int)option) == CURLOPTTYPE_OFF_T)
        code = curl.multi_setopt(multi, option, va_arg(values, curl_off_t));
    else
        code = curl.multi_setopt(multi, option, va_arg(values, void *));
    va_end(values);
    return code;
}

/* What is asked for goes to where a pointer leads, whatever its type. */
CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO info, ...)
{
    va_list places;
    va_start(places, info);
    CURLcode code = curl.easy_getinfo(easy, info, va_arg(places, void *));
    va_end(places);
    return code;
}
