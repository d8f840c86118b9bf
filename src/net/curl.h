/* libcurl, loaded when it is first needed. It comes with forty libraries (LDAP, Kerberos, GnuTLS...) of 4 MB that a process which asks
 * no CA, no collector and no engine never uses, and whose start takes longer than its own.
 *
 * What is called is libcurl's own names, declared in <curl/curl.h>: curl.c has those that are used here, which pass on. One that is
 * missing there does not link. Threading: as libcurl's own; curl_load may be called by any thread. */
#ifndef NET_CURL_H
#define NET_CURL_H

#include <curl/curl.h>

/* Comes before any other call; once is enough, and more do no harm. NULL: it is loaded and initialised (curl_global_init). Else why it
 * is not, for people. */
const char *curl_load(void);

#endif
