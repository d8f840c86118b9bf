/* Portico's version, for the few files that say it: a new one compiles those alone. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define PORTICO_VERSION "0.8.0"

#endif
