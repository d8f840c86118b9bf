/* See scan.h. SSE2 is part of every x86-64. */
#ifndef PROTO_H1_SCAN_SSE2_H
#define PROTO_H1_SCAN_SSE2_H

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

static inline __m128i scan_load(const char *at)
{
    return _mm_loadu_si128((const __m128i_u *)at);
}

static inline __m128i scan_controls(__m128i bytes)
{
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    return _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
}

static inline uint64_t scan_mask(__m128i flags)
{
    return (uint32_t)_mm_movemask_epi8(flags);
}

/* DEL becomes the least of the signed bytes by adding 1, what is not ASCII is negative anyway, and then what was
 * below the space gets the sign by subtracting: three instructions for 16 bytes. */
static inline uint64_t scan_controls_wide(const char *at)
{
    __m128i bytes = _mm_add_epi8(scan_load(at), _mm_set1_epi8(1));
    return scan_mask(_mm_subs_epi8(bytes, _mm_set1_epi8(0x21)));
}

static inline uint64_t scan_controls64(const char *at)
{
    return scan_controls_wide(at) | scan_controls_wide(at + 16) << 16 |
           scan_controls_wide(at + 32) << 32 | scan_controls_wide(at + 48) << 48;
}

static inline uint32_t scan_colons16(const char *at)
{
    return (uint32_t)scan_mask(_mm_cmpeq_epi8(scan_load(at), _mm_set1_epi8(':')));
}

/* Bytes from `first` to `last`, both of the same sign. */
static inline __m128i scan_between(__m128i bytes, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

static inline uint32_t scan_odd16(const char *at)
{
    __m128i bytes = scan_load(at);
    __m128i letters = scan_between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i others = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
    __m128i usual = _mm_or_si128(_mm_or_si128(letters, scan_between(bytes, '0', '9')), others);
    return (uint32_t)scan_mask(usual) ^ 0xffff;
}

static inline uint32_t scan_target16(const char *at)
{
    __m128i bytes = scan_load(at);
    /* As signed bytes, what is not ASCII is below the space too. */
    __m128i stops = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    /* '"' and '#' differ in the last bit alone, '<' and '>' in the last but one. */
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_and_si128(bytes, _mm_set1_epi8((char)0xfe)),
                                               _mm_set1_epi8('"')));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_and_si128(bytes, _mm_set1_epi8((char)0xfd)),
                                               _mm_set1_epi8('<')));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('?')));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('%')));
    stops = _mm_or_si128(stops, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (uint32_t)scan_mask(stops);
}

static inline uint32_t scan_host16(const char *at)
{
    __m128i bytes = scan_load(at);
    __m128i usual = _mm_or_si128(scan_between(bytes, 'a', 'z'), scan_between(bytes, '0', '9'));
    usual = _mm_or_si128(usual, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    usual = _mm_or_si128(usual, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
    return (uint32_t)scan_mask(usual) ^ 0xffff;
}

static inline bool scan_copy16(char *out, const char *at)
{
    __m128i bytes = scan_load(at);
    _mm_storeu_si128((__m128i_u *)out, bytes);
    return scan_mask(scan_controls(bytes)) == 0;
}

#endif
