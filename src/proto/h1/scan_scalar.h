/* See scan.h: the plain C version. */
#ifndef PROTO_H1_SCAN_SCALAR_H
#define PROTO_H1_SCAN_SCALAR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool scan_is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

static inline bool scan_is_odd(char byte)
{
    unsigned char lower = (unsigned char)byte | 0x20;
    return !(lower >= 'a' && lower <= 'z') && !(byte >= '0' && byte <= '9') && byte != '-' &&
           byte != '_';
}

static inline bool scan_is_target_stop(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c <= 0x20 || c >= 0x7f || c == '"' || c == '#' || c == '%' || c == '<' || c == '>' || c == '?' ||
           c == '\\';
}

static inline uint64_t scan_controls64(const char *at)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(scan_is_control(at[i]) || (unsigned char)at[i] >= 0x80) << i;
    return mask;
}

static inline uint32_t scan_colons16(const char *at)
{
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (uint32_t)(at[i] == ':') << i;
    return mask;
}

static inline uint32_t scan_odd16(const char *at)
{
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (uint32_t)scan_is_odd(at[i]) << i;
    return mask;
}

static inline uint32_t scan_target16(const char *at)
{
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (uint32_t)scan_is_target_stop(at[i]) << i;
    return mask;
}

static inline uint32_t scan_host16(const char *at)
{
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) {
        bool usual = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= '0' && at[i] <= '9') ||
                     at[i] == '-' || at[i] == '.';
        mask |= (uint32_t)!usual << i;
    }
    return mask;
}

static inline bool scan_copy16(char *out, const char *at)
{
    bool clean = true;
    for (int i = 0; i < 16; i++)
        clean &= !scan_is_control(at[i]);
    memcpy(out, at, 16);
    return clean;
}

#endif
