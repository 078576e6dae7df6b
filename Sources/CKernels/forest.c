#include "CKernels.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Mask DFS: a block of 64 rows goes down a preorder tree together; a stack keeps the masks of the right halves. Half of a tree's
// nodes are leaves: these are added where their parent splits, so that only a node with two inner children touches the stack.
// Trees are the outer loop over a tile of blocks, so that a tree's branch pattern repeats and predicts.
#define DEPTH_MAX 16
#define TILE 16

static inline int16_t saturate(int v) { return v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)v; }
static inline int16_t mulhrs(int16_t a, int16_t b) { return (int16_t)(((((int)a * b) >> 14) + 1) >> 1); }

void sluice_forest_quantise(const double *values, size_t n, double center, double scale, int d, int16_t *out) {
    for (size_t first = 0; first < n; first += 64, out += (size_t)d * 64) {
        size_t count = n - first < 64 ? n - first : 64;
        for (size_t r = 0; r < count; r++) {
            double x = (values[first + r] - center) * scale;
            x = x == x ? x : 0;
            x = x > 32767 ? 32767 : x;
            x = x < -32767 ? -32767 : x;
            out[r] = (int16_t)(int32_t)(x + (x < 0 ? -0.5 : 0.5));
        }
    }
}

void sluice_forest_scalar(const int16_t *cols, size_t blocks, int d, const SluiceNode *nodes, const uint32_t *roots,
                          int trees, uint16_t *out) {
    for (size_t b = 0; b < blocks; b++)
        for (int r = 0; r < 64; r++) {
            uint16_t sum = 0;
            for (int t = 0; t < trees; t++) {
                const SluiceNode *first = nodes + roots[t], *n = first;
                while (n->feature >= 0)
                    n = cols[(b * (size_t)d + (size_t)n->feature) * 64 + (size_t)r] >= n->threshold ? first + n->right : n + 1;
                sum = (uint16_t)(sum + n->value);
            }
            out[b * 64 + (size_t)r] = sum;
        }
}

void sluice_forest_wide_scalar(const int16_t *cols, size_t blocks, int d, const SluiceWideNode *nodes,
                               const uint32_t *roots, int trees, uint16_t *out) {
    for (size_t b = 0; b < blocks; b++)
        for (int r = 0; r < 64; r++) {
            const int16_t *x = cols + b * (size_t)d * 64 + r;
            uint16_t sum = 0;
            for (int t = 0; t < trees; t++) {
                const SluiceWideNode *first = nodes + roots[t], *n = first;
                while (!n->leaf) {
                    int16_t s = saturate(mulhrs(x[n->f[0] * 64], n->w[0]) + mulhrs(x[n->f[1] * 64], n->w[1]));
                    s = saturate(s + mulhrs(x[n->f[2] * 64], n->w[2]));
                    n = s > n->threshold ? first + n->right : n + 1;
                }
                sum = (uint16_t)(sum + n->value);
            }
            out[b * 64 + (size_t)r] = sum;
        }
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
typedef int16_t v16 __attribute__((vector_size(32), aligned(2)));

#define TILED(NAME, NODE, IS_LEAF, SPLIT, L, R)                                                                           \
AVX2 static void NAME(const int16_t *cols, size_t blocks, int d, const NODE *nodes, const uint32_t *roots, int trees,  \
                      uint16_t *out) {                                                                                 \
    for (size_t b0 = 0; b0 < blocks; b0 += TILE) {                                                                     \
        size_t nb = blocks - b0 < TILE ? blocks - b0 : TILE;                                                           \
        v16 sums[TILE][4];                                                                                             \
        memset(sums, 0, sizeof sums);                                                                                  \
        for (int t = 0; t < trees; t++) {                                                                              \
            const NODE *first = nodes + roots[t];                                                                      \
            if (IS_LEAF(first)) {                                                                                      \
                v16 v = (v16)_mm256_set1_epi16(first->value);                                                          \
                for (size_t k = 0; k < nb; k++) for (int r = 0; r < 4; r++) sums[k][r] += v;                           \
                continue;                                                                                              \
            }                                                                                                          \
            for (size_t k = 0; k < nb; k++) {                                                                          \
                const v16 *F = (const v16 *)(cols + (b0 + k) * (size_t)d * 64);                                        \
                v16 stack[DEPTH_MAX][4], active[4], sum[4], mask[4];                                                   \
                const NODE *waiting[DEPTH_MAX];                                                                        \
                int depth = 0;                                                                                         \
                for (int r = 0; r < 4; r++) { active[r] = ~(v16){0}; sum[r] = sums[k][r]; }                            \
                for (const NODE *n = first;;) {                                                                        \
                    const NODE *left = n + 1, *right = first + n->right;                                               \
                    SPLIT                                                                                              \
                    if (IS_LEAF(left)) {                                                                               \
                        v16 v = (v16)_mm256_set1_epi16(left->value);                                                   \
                        if (IS_LEAF(right)) {                                                                          \
                            v16 u = (v16)_mm256_set1_epi16(right->value);                                              \
                            for (int r = 0; r < 4; r++)                                                                \
                                sum[r] += active[r] & (u ^ ((u ^ v) & L(mask[r]))); \
                            if (depth == 0) break;                                                                     \
                            n = waiting[--depth];                                                                      \
                            for (int r = 0; r < 4; r++) active[r] = stack[depth][r];                                   \
                        } else {                                                                                       \
                            for (int r = 0; r < 4; r++) { sum[r] += active[r] & L(mask[r]) & v; active[r] &= R(mask[r]); }  \
                            n = right;                                                                                 \
                        }                                                                                              \
                    } else {                                                                                           \
                        if (IS_LEAF(right)) {                                                                          \
                            v16 v = (v16)_mm256_set1_epi16(right->value);                                              \
                            for (int r = 0; r < 4; r++) { sum[r] += active[r] & R(mask[r]) & v; active[r] &= L(mask[r]); }  \
                        } else {                                                                                       \
                            for (int r = 0; r < 4; r++) { stack[depth][r] = active[r] & R(mask[r]); active[r] &= L(mask[r]); } \
                            waiting[depth++] = right;                                                                  \
                        }                                                                                              \
                        n = left;                                                                                      \
                    }                                                                                                  \
                }                                                                                                      \
                for (int r = 0; r < 4; r++) sums[k][r] = sum[r];                                                       \
            }                                                                                                          \
        }                                                                                                              \
        memcpy(out + b0 * 64, sums, nb * 128);                                                                         \
    }                                                                                                                  \
}
#define SET(M) (M)
#define CLEAR(M) (~(M))
#define NARROW_LEAF(N) ((N)->feature < 0)
#define NARROW                                                                                                         \
    const v16 *x = F + n->feature * 4;                                                                                 \
    v16 th = (v16)_mm256_set1_epi16(n->threshold);                                                                     \
    for (int r = 0; r < 4; r++) mask[r] = th > x[r];
#define WIDE_LEAF(N) ((N)->leaf)
#define WIDE                                                                                                           \
    const v16 *x = F + n->f[0] * 4, *y = F + n->f[1] * 4, *z = F + n->f[2] * 4;                                        \
    __m256i w0 = _mm256_set1_epi16(n->w[0]), w1 = _mm256_set1_epi16(n->w[1]), w2 = _mm256_set1_epi16(n->w[2]);         \
    __m256i th = _mm256_set1_epi16(n->threshold);                                                                      \
    for (int r = 0; r < 4; r++) {                                                                                      \
        __m256i s = _mm256_adds_epi16(_mm256_mulhrs_epi16((__m256i)x[r], w0), _mm256_mulhrs_epi16((__m256i)y[r], w1)); \
        s = _mm256_adds_epi16(s, _mm256_mulhrs_epi16((__m256i)z[r], w2));                                              \
        mask[r] = (v16)_mm256_cmpgt_epi16(s, th);                                                                      \
    }
TILED(forest_avx2, SluiceNode, NARROW_LEAF, NARROW, SET, CLEAR)
TILED(forest_wide_avx2, SluiceWideNode, WIDE_LEAF, WIDE, CLEAR, SET)
#endif

void sluice_forest(const int16_t *cols, size_t blocks, int d, const SluiceNode *nodes, const uint32_t *roots, int trees,
                   uint16_t *out) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) { forest_avx2(cols, blocks, d, nodes, roots, trees, out); return; }
#endif
    sluice_forest_scalar(cols, blocks, d, nodes, roots, trees, out);
}

void sluice_forest_wide(const int16_t *cols, size_t blocks, int d, const SluiceWideNode *nodes, const uint32_t *roots,
                        int trees, uint16_t *out) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) { forest_wide_avx2(cols, blocks, d, nodes, roots, trees, out); return; }
#endif
    sluice_forest_wide_scalar(cols, blocks, d, nodes, roots, trees, out);
}
