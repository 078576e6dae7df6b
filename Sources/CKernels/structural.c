#include "CKernels.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,pclmul,popcnt,bmi")))
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi");
}
#endif

static inline uint64_t prefix_xor(uint64_t x) {
    x ^= x << 1; x ^= x << 2; x ^= x << 4; x ^= x << 8; x ^= x << 16; x ^= x << 32;
    return x;
}

// Backslash-escaped positions (the odd-run rule); *carry says whether the first byte is escaped by the word before.
static inline uint64_t escaped_by(uint64_t backslash, uint64_t *carry) {
    const uint64_t even = 0x5555555555555555ULL;
    backslash &= ~*carry;
    uint64_t follows = backslash << 1 | *carry;
    uint64_t odd_starts = backslash & ~even & ~follows;
    uint64_t sum;
    *carry = __builtin_add_overflow(odd_starts, backslash, &sum);
    return (even ^ (sum << 1)) & follows;
}

__attribute__((always_inline)) static inline size_t flatten(uint64_t bits, uint32_t base, uint32_t *out) {
    int count = __builtin_popcountll(bits);
    if (bits) {
        for (int r = 0; r < 8; r++) { out[r] = base + (uint32_t)__builtin_ctzll(bits | (1ULL << 63)); bits &= bits - 1; }
        if (count > 8)
            for (int r = 8; r < 16; r++) { out[r] = base + (uint32_t)__builtin_ctzll(bits | (1ULL << 63)); bits &= bits - 1; }
        for (int r = 16; r < count; r++) { out[r] = base + (uint32_t)__builtin_ctzll(bits); bits &= bits - 1; }
    }
    return (size_t)count;
}

typedef struct { uint64_t quote, mark, high, control, escape, newline, softer, back; } Masks;

static inline Masks csv_masks_scalar(const uint8_t *p, uint8_t delimiter, uint8_t quote) {
    Masks m = {0};
    for (int j = 0; j < 64; j++) {
        uint8_t c = p[j];
        uint64_t bit = 1ULL << j;
        if (c == quote) m.quote |= bit;
        if (c == delimiter || c == '\n' || c == '\r') m.mark |= bit;
        if (c == '\r') m.back |= bit;
        if (c & 0x80) m.high |= bit;
        if (c == '\n') m.newline |= bit;
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != delimiter) m.control |= bit;
    }
    return m;
}

static inline Masks json_masks_scalar(const uint8_t *p) {
    Masks m = {0};
    for (int j = 0; j < 64; j++) {
        uint8_t c = p[j];
        uint64_t bit = 1ULL << j;
        if (c == '"') m.quote |= bit;
        if (c == '\n') m.newline |= bit;
        if (c == '\\') m.escape |= bit;
        if (c & 0x80) m.high |= bit;
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') m.control |= bit;
        if (c == '\t' || c == '\r') m.softer |= bit;
    }
    return m;
}

static inline Masks line_masks_scalar(const uint8_t *p) {
    Masks m = {0};
    for (int j = 0; j < 64; j++) {
        uint64_t bit = 1ULL << j;
        if (p[j] == '\n') m.newline |= bit;
        if (p[j] <= ' ') m.softer |= bit;
    }
    return m;
}

#if defined(__x86_64__)
AVX2 static inline uint64_t bits_of(__m256i a, __m256i b) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}
AVX2 static inline uint64_t equal_to(__m256i a, __m256i b, uint8_t c) {
    __m256i v = _mm256_set1_epi8((char)c);
    return bits_of(_mm256_cmpeq_epi8(a, v), _mm256_cmpeq_epi8(b, v));
}
AVX2 static inline uint64_t below_space(__m256i a, __m256i b) {
    __m256i top = _mm256_set1_epi8(0x1F);
    return bits_of(_mm256_cmpeq_epi8(_mm256_min_epu8(a, top), a), _mm256_cmpeq_epi8(_mm256_min_epu8(b, top), b));
}
AVX2 static inline Masks csv_masks(const uint8_t *p, uint8_t delimiter, uint8_t quote) {
    __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
    Masks m = {0};
    uint64_t newline = equal_to(a, b, '\n'), low = below_space(a, b), back = 0;
    uint64_t other = low & ~newline;
    if (other) {
        back = equal_to(a, b, '\r');
        m.control = other & ~back & ~equal_to(a, b, '\t');
    }
    m.quote = equal_to(a, b, quote);
    m.mark = equal_to(a, b, delimiter) | newline | back;
    m.newline = newline;
    m.back = back;
    m.control &= ~m.mark;
    m.high = bits_of(a, b);
    return m;
}
AVX2 static inline Masks json_masks(const uint8_t *p) {
    __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
    Masks m = {0};
    m.quote = equal_to(a, b, '"');
    m.newline = equal_to(a, b, '\n');
    m.escape = equal_to(a, b, '\\');
    m.high = bits_of(a, b);
    uint64_t other = below_space(a, b) & ~m.newline;
    if (other) {
        m.softer = equal_to(a, b, '\r') | equal_to(a, b, '\t');
        m.control = other & ~m.softer;
    }
    return m;
}
AVX2 static inline Masks line_masks(const uint8_t *p) {
    __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
    Masks m = {0};
    m.newline = equal_to(a, b, '\n');
    // Space and everything below: a line that begins with another control character is walked for nothing, and rare.
    __m256i top = _mm256_set1_epi8(0x20);
    m.softer = bits_of(_mm256_cmpeq_epi8(_mm256_min_epu8(a, top), a), _mm256_cmpeq_epi8(_mm256_min_epu8(b, top), b));
    return m;
}
#endif

// One body for both instruction sets, so that the twins cannot drift apart.
#define CSV_INDEX(NAME, ATTRIBUTE, MASKS, PREFIX)                                                                      \
ATTRIBUTE size_t NAME(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, uint32_t *positions,               \
                      uint64_t *high, uint64_t *control, uint32_t *seen) {                                             \
    uint64_t inside = 0, any_high = 0, any_control = 0;                                                                \
    size_t k = 0;                                                                                                      \
    uint8_t tail[64];                                                                                                  \
    for (size_t i = 0; i < n; i += 64) {                                                                               \
        const uint8_t *at = p + i;                                                                                     \
        if (n - i < 64) { memset(tail, ' ', 64); memcpy(tail, at, n - i); at = tail; }                                 \
        Masks m = MASKS(at, delimiter, quote);                                                                         \
        if (n - i < 64) {                                                                                              \
            uint64_t valid = (1ULL << (n - i)) - 1;                                                                    \
            m.quote &= valid; m.mark &= valid;                                                                         \
        }                                                                                                              \
        uint64_t in = PREFIX(m.quote) ^ inside;                                                                        \
        inside = (uint64_t)((int64_t)in >> 63);                                                                        \
        high[i / 64] = m.high; control[i / 64] = m.control;                                                            \
        any_high |= m.high; any_control |= m.control;                                                                  \
        k += flatten((m.mark & ~in) | m.quote, (uint32_t)i, positions + k);                                            \
    }                                                                                                                  \
    *seen = (any_high ? SLUICE_HIGH : 0) | (any_control ? SLUICE_CONTROL : 0);                                         \
    return k;                                                                                                          \
}

// Only record ends. With the window's quoting known, the grammar is a matter of neighbours: an opening quote stands behind
// a delimiter, a line end or a quote; behind a closing quote stands a delimiter, a line end or a quote; behind a CR, an LF.
#define CSV_ROWS(NAME, ATTRIBUTE, MASKS, PREFIX)                                                                       \
ATTRIBUTE size_t NAME(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, size_t *end) {                     \
    uint64_t inside = 0, before = 1, closed = 0, returned = 0, starts = 1, bare = 0;                                   \
    size_t rows = 0;                                                                                                   \
    uint8_t tail[64];                                                                                                  \
    *end = 0;                                                                                                          \
    for (size_t i = 0; i < n; i += 64) {                                                                               \
        const uint8_t *at = p + i;                                                                                     \
        uint64_t valid = ~0ULL;                                                                                        \
        if (n - i < 64) {                                                                                              \
            valid = (1ULL << (n - i)) - 1;                                                                             \
            memset(tail, ' ', 64); memcpy(tail, at, n - i); at = tail;                                                 \
        }                                                                                                              \
        Masks m = MASKS(at, delimiter, quote);                                                                         \
        m.quote &= valid; m.mark &= valid;                                                                             \
        uint64_t in = PREFIX(m.quote) ^ inside;                                                                        \
        inside = (uint64_t)((int64_t)in >> 63);                                                                        \
        uint64_t feed = m.newline & ~in, back = m.back & ~in, open = m.quote & in, close = m.quote & ~in;              \
        uint64_t fence = m.mark | m.quote;                                                                             \
        uint64_t fault = (open & ~((fence & ~back) << 1 | before)) | ((close << 1 | closed) & ~fence)                  \
                       | ((back << 1 | returned) & ~feed);                                                             \
        if (fault & valid) { *end = 0; return 0; }                                                                     \
        before = (fence & ~back) >> 63; closed = close >> 63; returned = back >> 63;                                   \
        uint64_t first = feed << 1 | starts, blank = back & first;                                                     \
        uint64_t ends = feed & ~first & ~(blank << 1 | bare);                                                          \
        starts = feed >> 63; bare = blank >> 63;                                                                       \
        rows += (size_t)__builtin_popcountll(ends);                                                                    \
        if (feed) *end = i + 64 - (size_t)__builtin_clzll(feed);                                                       \
    }                                                                                                                  \
    return rows;                                                                                                       \
}

#define JSON_INDEX(NAME, ATTRIBUTE, MASKS)                                                                             \
ATTRIBUTE size_t NAME(const uint8_t *p, size_t n, uint32_t *positions, uint64_t *high, uint64_t *control,              \
                      uint64_t *odd, uint32_t *seen) {                                                                 \
    uint64_t carry = 0, any_high = 0, any_control = 0, any_odd = 0;                                                    \
    size_t k = 0;                                                                                                      \
    uint8_t tail[64];                                                                                                  \
    for (size_t i = 0; i < n; i += 64) {                                                                               \
        const uint8_t *at = p + i;                                                                                     \
        if (n - i < 64) { memset(tail, ' ', 64); memcpy(tail, at, n - i); at = tail; }                                 \
        Masks m = MASKS(at);                                                                                           \
        if (m.escape | carry) m.quote &= ~escaped_by(m.escape, &carry);                                                \
        uint64_t strange = m.escape | m.softer;                                                                        \
        high[i / 64] = m.high; control[i / 64] = m.control; odd[i / 64] = strange;                                     \
        any_high |= m.high; any_control |= m.control; any_odd |= strange;                                              \
        k += flatten(m.quote | m.newline, (uint32_t)i, positions + k);                                                 \
    }                                                                                                                  \
    *seen = (any_high ? SLUICE_HIGH : 0) | (any_control ? SLUICE_CONTROL : 0) | (any_odd ? SLUICE_ODD : 0);            \
    return k;                                                                                                          \
}

// Only line ends, for cutting slices of lines. A line that begins with white space may be blank, which a walk must tell.
#define LINE_ROWS(NAME, ATTRIBUTE, MASKS)                                                                              \
ATTRIBUTE size_t NAME(const uint8_t *p, size_t n, size_t *end) {                                                       \
    uint64_t starts = 1;                                                                                               \
    size_t rows = 0;                                                                                                   \
    uint8_t tail[64];                                                                                                  \
    *end = 0;                                                                                                          \
    for (size_t i = 0; i < n; i += 64) {                                                                               \
        const uint8_t *at = p + i;                                                                                     \
        if (n - i < 64) { memset(tail, 'x', 64); memcpy(tail, at, n - i); at = tail; }                                 \
        Masks m = MASKS(at);                                                                                           \
        uint64_t feed = m.newline;                                                                                     \
        if ((feed << 1 | starts) & m.softer) { *end = 0; return 0; }                                                   \
        starts = feed >> 63;                                                                                           \
        rows += (size_t)__builtin_popcountll(feed);                                                                    \
        if (feed) *end = i + 64 - (size_t)__builtin_clzll(feed);                                                       \
    }                                                                                                                  \
    return rows;                                                                                                       \
}

CSV_INDEX(sluice_csv_index_scalar, , csv_masks_scalar, prefix_xor)
CSV_ROWS(sluice_csv_rows_scalar, , csv_masks_scalar, prefix_xor)
JSON_INDEX(sluice_json_index_scalar, , json_masks_scalar)
LINE_ROWS(sluice_line_rows_scalar, , line_masks_scalar)

#if defined(__x86_64__)
AVX2 static inline uint64_t prefix_clmul(uint64_t x) {
    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)x), _mm_set1_epi8((char)0xFF), 0));
}
CSV_INDEX(csv_index_avx2, AVX2 static, csv_masks, prefix_clmul)
CSV_ROWS(csv_rows_avx2, AVX2 static, csv_masks, prefix_clmul)
JSON_INDEX(json_index_avx2, AVX2 static, json_masks)
LINE_ROWS(line_rows_avx2, AVX2 static, line_masks)
#endif

size_t sluice_csv_index(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, uint32_t *positions, uint64_t *high,
                        uint64_t *control, uint32_t *seen) {
#if defined(__x86_64__)
    if (has_avx2()) return csv_index_avx2(p, n, delimiter, quote, positions, high, control, seen);
#endif
    return sluice_csv_index_scalar(p, n, delimiter, quote, positions, high, control, seen);
}

size_t sluice_csv_rows(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, size_t *end) {
#if defined(__x86_64__)
    if (has_avx2()) return csv_rows_avx2(p, n, delimiter, quote, end);
#endif
    return sluice_csv_rows_scalar(p, n, delimiter, quote, end);
}

size_t sluice_json_index(const uint8_t *p, size_t n, uint32_t *positions, uint64_t *high, uint64_t *control,
                         uint64_t *odd, uint32_t *seen) {
#if defined(__x86_64__)
    if (has_avx2()) return json_index_avx2(p, n, positions, high, control, odd, seen);
#endif
    return sluice_json_index_scalar(p, n, positions, high, control, odd, seen);
}

size_t sluice_line_rows(const uint8_t *p, size_t n, size_t *end) {
#if defined(__x86_64__)
    if (has_avx2()) return line_rows_avx2(p, n, end);
#endif
    return sluice_line_rows_scalar(p, n, end);
}
