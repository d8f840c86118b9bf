/* Whether a public authority can know a host's name: it decides who gives its certificate. */
#ifndef ROUTE_HOST_KIND_H
#define ROUTE_HOST_KIND_H

#include "base/str.h"

enum host_kind {
    HOST_PUBLIC,             /* a name below a public suffix, as far as its form tells */
    HOST_LOCAL,              /* localhost, names without a dot, names that are reserved for private use */
    HOST_PUBLIC_ADDRESS,     /* an IP address that can be reached from anywhere */
    HOST_LOCAL_ADDRESS,      /* loopback, private, link-local and the like */
    HOST_NONE                /* no name and no address: nobody certifies it */
};

/* Of a host in lower case, without a port; an IPv6 address with or without brackets; "*.a.example" is of the kind of what
 * stands below. A trailing dot is read over. */
enum host_kind host_kind(struct str host);

#endif
