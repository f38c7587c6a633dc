/// Sixteen bytes at a time: which of them are of a kind, as a bit each, the first in the lowest place. Swift's own vectors turn such
/// comparisons into sixteen.
#pragma once
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>

typedef __m128i tandem_lanes;

static inline tandem_lanes tandem_lanes_load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)(const void *)bytes); }

static inline tandem_lanes tandem_lanes_within(tandem_lanes lanes, uint8_t first, uint8_t last) {
    tandem_lanes offsets = _mm_sub_epi8(lanes, _mm_set1_epi8((char)first));
    return _mm_cmpeq_epi8(_mm_min_epu8(offsets, _mm_set1_epi8((char)(last - first))), offsets);
}

static inline tandem_lanes tandem_lanes_or(tandem_lanes left, tandem_lanes right) { return _mm_or_si128(left, right); }

static inline tandem_lanes tandem_lanes_lowercase(tandem_lanes lanes) { return _mm_or_si128(lanes, _mm_set1_epi8(0x20)); }

static inline uint32_t tandem_lanes_bits(tandem_lanes lanes) { return (uint32_t)_mm_movemask_epi8(lanes); }

#else

typedef struct {
    uint8_t byte[16];
} tandem_lanes;

static inline tandem_lanes tandem_lanes_load(const uint8_t *bytes) {
    tandem_lanes lanes;
    __builtin_memcpy(lanes.byte, bytes, 16);
    return lanes;
}

static inline tandem_lanes tandem_lanes_within(tandem_lanes lanes, uint8_t first, uint8_t last) {
    for (int place = 0; place < 16; place++) lanes.byte[place] = (uint8_t)(lanes.byte[place] - first) <= last - first ? 0xff : 0;
    return lanes;
}

static inline tandem_lanes tandem_lanes_or(tandem_lanes left, tandem_lanes right) {
    for (int place = 0; place < 16; place++) left.byte[place] |= right.byte[place];
    return left;
}

static inline tandem_lanes tandem_lanes_lowercase(tandem_lanes lanes) {
    for (int place = 0; place < 16; place++) lanes.byte[place] |= 0x20;
    return lanes;
}

static inline uint32_t tandem_lanes_bits(tandem_lanes lanes) {
    uint32_t bits = 0;
    for (int place = 0; place < 16; place++) bits |= (uint32_t)(lanes.byte[place] >> 7) << place;
    return bits;
}

#endif

static inline uint32_t tandem_lanes_equal(const uint8_t *bytes, uint8_t byte) {
    return tandem_lanes_bits(tandem_lanes_within(tandem_lanes_load(bytes), byte, byte));
}

static inline uint32_t tandem_lanes_controls(const uint8_t *bytes) {
    tandem_lanes lanes = tandem_lanes_load(bytes);
    return tandem_lanes_bits(tandem_lanes_or(tandem_lanes_within(lanes, 0, 31), tandem_lanes_within(lanes, 127, 127)));
}

static inline uint32_t tandem_lanes_uri_delimiters(const uint8_t *bytes) {
    tandem_lanes lanes = tandem_lanes_load(bytes);
    tandem_lanes outer = tandem_lanes_or(tandem_lanes_within(lanes, 0, 0x25), tandem_lanes_within(lanes, 0x7f, 0xff));
    return tandem_lanes_bits(tandem_lanes_or(outer, tandem_lanes_within(lanes, 0x3a, 0x40)));
}

static inline uint32_t tandem_lanes_value_delimiters(const uint8_t *bytes) {
    tandem_lanes lanes = tandem_lanes_load(bytes);
    tandem_lanes outer = tandem_lanes_or(tandem_lanes_within(lanes, 0, 0x22), tandem_lanes_within(lanes, 0x2c, 0x2c));
    return tandem_lanes_bits(tandem_lanes_or(outer, tandem_lanes_within(lanes, 0x3b, 0x3e)));
}

static inline uint32_t tandem_lanes_non_hosts(const uint8_t *bytes) {
    tandem_lanes lanes = tandem_lanes_load(bytes);
    tandem_lanes letters = tandem_lanes_within(tandem_lanes_lowercase(lanes), 0x61, 0x7a);
    tandem_lanes digits = tandem_lanes_or(tandem_lanes_within(lanes, 0x30, 0x39), tandem_lanes_within(lanes, 0x2d, 0x2e));
    tandem_lanes host = tandem_lanes_or(tandem_lanes_or(letters, digits), tandem_lanes_within(lanes, 0x5f, 0x5f));
    return ~tandem_lanes_bits(host) & 0xffff;
}
