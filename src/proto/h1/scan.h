/* Finding delimiters in heads, many bytes at a time. Chooses the implementation for the processor; both
 * give the same answers:
 *
 *   scan_controls64(at)   a bit for each of 64 bytes that is a control (below 0x20, HTAB too, or DEL) or not
 *                         ASCII
 *   scan_colons16(at)     a bit for each of 16 bytes that is ':'
 *   scan_odd16(at)        a bit for each of 16 bytes that is not a letter, a digit, '-' or '_'
 *   scan_target16(at)     a bit for each of 16 bytes that ends a run of plain target bytes: not visible
 *                         ASCII, or one of: " # % < > ? \
 *   scan_host16(at)       a bit for each of 16 bytes that is not a lower-case letter, a digit, '-' or '.'
 *   scan_copy16(out, at)  copies 16 bytes; true when none of them is below 0x20 or DEL
 *
 * All read exactly the bytes named. */
#ifndef PROTO_H1_SCAN_H
#define PROTO_H1_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include "proto/h1/scan_sse2.h"
#else
#include "proto/h1/scan_scalar.h"
#endif

#endif
