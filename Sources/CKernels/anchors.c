#include "CKernels.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#endif

// One bit a byte for each class that an anchor is made of.
typedef struct { uint64_t digit, letter, hex, dash, dot, capital_a, key_end, alone, odd, two, four, eight, sixteen; } Classes;

// The anchors of 64 bytes, and in `signs` those that are no digits; `before` are the classes of the 64 bytes before them.
static inline uint64_t anchors_of(Classes *m, const Classes *before, uint64_t *signs) {
#define SHIFTED(field, by) (m->field << (by) | before->field >> (64 - (by)))
    uint64_t alnum = m->digit | m->letter, alnum_before = before->digit | before->letter;
    uint64_t run_start = m->digit & ~SHIFTED(digit, 1);
    uint64_t name_part = m->letter & SHIFTED(dot, 1) & (alnum << 2 | alnum_before >> 62);
    uint64_t key = m->key_end & SHIFTED(capital_a, 1);
    uint64_t second_dash = m->dash & SHIFTED(dash, 1) & ~SHIFTED(dash, 2);
    uint64_t pair_end = m->dash & SHIFTED(hex, 1) & SHIFTED(hex, 2) & SHIFTED(dash, 3);
    // Ends of so many letters in a row; the sixteenth of a word is an anchor, since tokens need no digit.
    m->two = m->letter & SHIFTED(letter, 1);
    m->four = m->two & SHIFTED(two, 2);
    m->eight = m->four & SHIFTED(four, 4);
    m->sixteen = m->eight & SHIFTED(eight, 8);
    uint64_t long_word = m->sixteen & ~SHIFTED(sixteen, 1);
    *signs = m->alone | name_part | key | second_dash | pair_end | long_word;
    return run_start | *signs;
#undef SHIFTED
}

static inline Classes classes_scalar(const uint8_t *p) {
    Classes m = {0};
    for (int j = 0; j < 64; j++) {
        uint8_t c = p[j], folded = c | 0x20;
        uint64_t bit = 1ULL << j;
        if ((uint8_t)(c - '0') < 10) m.digit |= bit;
        if ((uint8_t)(folded - 'a') < 26) m.letter |= bit;
        if ((uint8_t)(c - '0') < 10 || (uint8_t)(folded - 'a') < 6) m.hex |= bit;
        if (c == '-') m.dash |= bit;
        if (c == '.') m.dot |= bit;
        if (c == 'A') m.capital_a |= bit;
        if (c == 'K' || c == 'S') m.key_end |= bit;
        if (c == '@' || c == ':' || c == '=') m.alone |= bit;
        if (c >= 0x80 || c == '%' || c == '&') m.odd |= bit;
    }
    return m;
}

#if defined(__x86_64__)
AVX2 static inline uint64_t bits_of(__m256i a, __m256i b) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}
AVX2 static inline uint64_t equal_to(__m256i a, __m256i b, char c) {
    __m256i v = _mm256_set1_epi8(c);
    return bits_of(_mm256_cmpeq_epi8(a, v), _mm256_cmpeq_epi8(b, v));
}
// Bytes from `low` on, `count` of them.
AVX2 static inline uint64_t within(__m256i a, __m256i b, char low, char count) {
    __m256i base = _mm256_set1_epi8(low), top = _mm256_set1_epi8((char)(count - 1));
    a = _mm256_sub_epi8(a, base);
    b = _mm256_sub_epi8(b, base);
    return bits_of(_mm256_cmpeq_epi8(_mm256_min_epu8(a, top), a), _mm256_cmpeq_epi8(_mm256_min_epu8(b, top), b));
}
AVX2 static inline Classes classes_avx2(const uint8_t *p) {
    __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
    __m256i fold = _mm256_set1_epi8(0x20), lower_a = _mm256_or_si256(a, fold), lower_b = _mm256_or_si256(b, fold);
    Classes m;
    m.digit = within(a, b, '0', 10);
    m.letter = within(lower_a, lower_b, 'a', 26);
    m.dash = equal_to(a, b, '-');
    m.dot = equal_to(a, b, '.');
    m.capital_a = equal_to(a, b, 'A');
    m.hex = m.digit | within(lower_a, lower_b, 'a', 6);
    m.key_end = equal_to(a, b, 'K') | equal_to(a, b, 'S');
    m.alone = equal_to(a, b, '@') | equal_to(a, b, ':') | equal_to(a, b, '=');
    m.odd = bits_of(a, b) | within(a, b, '%', 2);
    return m;
}
#endif

#define ANCHORS(NAME, TARGET, CLASSES)                                                                                 \
TARGET void NAME(const uint8_t *p, size_t n, uint64_t *bits, uint64_t *signs, uint64_t *odd) {                         \
    Classes before = {0};                                                                                              \
    uint8_t tail[64];                                                                                                  \
    for (size_t i = 0; i < n; i += 64) {                                                                               \
        const uint8_t *at = p + i;                                                                                     \
        if (n - i < 64) { memset(tail, 0, 64); memcpy(tail, at, n - i); at = tail; }                                   \
        Classes m = CLASSES(at);                                                                                       \
        bits[i / 64] = anchors_of(&m, &before, signs + i / 64);                                                        \
        odd[i / 64] = m.odd;                                                                                           \
        before = m;                                                                                                    \
    }                                                                                                                  \
}

ANCHORS(sluice_anchors_scalar, , classes_scalar)
#if defined(__x86_64__)
ANCHORS(anchors_avx2, AVX2 static, classes_avx2)
#endif

void sluice_anchors(const uint8_t *p, size_t n, uint64_t *bits, uint64_t *signs, uint64_t *odd) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        anchors_avx2(p, n, bits, signs, odd);
        return;
    }
#endif
    sluice_anchors_scalar(p, n, bits, signs, odd);
}
