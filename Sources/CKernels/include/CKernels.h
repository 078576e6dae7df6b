#pragma once
#include <stddef.h>
#include <stdint.h>

// Structural scan, anchors of personal data and forest scoring: AVX2 by run-time dispatch,
// a scalar twin with the same bits, unaligned loads only.

/// What an index call saw besides its positions.
enum { SLUICE_HIGH = 1, SLUICE_CONTROL = 2, SLUICE_ODD = 4 };

/// Positions in p[0..n) of quotes, and of delimiters, LF and CR outside quotes; the scan starts outside quotes.
/// `high` and `control` get one bit a byte (ceil(n / 64) words): bytes above 0x7F; C0 controls other than TAB, LF, CR
/// and the delimiter.
/// `positions` needs room for n + 64. Returns the count of positions; *seen is the union of SLUICE_HIGH, SLUICE_CONTROL.
size_t sluice_csv_index(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, uint32_t *positions, uint64_t *high,
                        uint64_t *control, uint32_t *seen);
size_t sluice_csv_index_scalar(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, uint32_t *positions,
                               uint64_t *high, uint64_t *control, uint32_t *seen);

/// Counts records of p[0..n), which starts at a record, that end in it with a line end; blank lines are not counted.
/// *end is the offset past the last line end outside quotes, or 0 when there is none or when the grammar is broken anywhere.
size_t sluice_csv_rows(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, size_t *end);
size_t sluice_csv_rows_scalar(const uint8_t *p, size_t n, uint8_t delimiter, uint8_t quote, size_t *end);

/// Counts lines of p[0..n) that end in it. *end is the offset past the last line feed, or 0 when there is none or when a line
/// begins with a space or a control character: it may be blank, and must be looked at.
size_t sluice_line_rows(const uint8_t *p, size_t n, size_t *end);
size_t sluice_line_rows_scalar(const uint8_t *p, size_t n, size_t *end);

/// Positions in p[0..n) of unescaped quotes and of every LF. Between strings a walk goes byte by byte anyway, and braces, colons and
/// commas would be two positions in five. Nothing depends on which quotes open a string, so that a broken line spoils no other.
/// `control` gets bytes below 0x20 other than TAB, LF and CR; `odd` what a string may not hold as it is: backslashes, TAB, CR.
size_t sluice_json_index(const uint8_t *p, size_t n, uint32_t *positions, uint64_t *high, uint64_t *control,
                         uint64_t *odd, uint32_t *seen);
size_t sluice_json_index_scalar(const uint8_t *p, size_t n, uint32_t *positions, uint64_t *high, uint64_t *control,
                                uint64_t *odd, uint32_t *seen);

/// A node of a classical tree in preorder: feature < 0 is a leaf. Rows with x >= threshold go right.
typedef struct { int16_t feature; int16_t threshold; int16_t value; uint16_t right; } SluiceNode;
/// A node of an extended tree in preorder: w·x > threshold goes right, in rounded 1.15 fixed point (pmulhrsw).
typedef struct { int16_t w[3]; uint8_t f[3]; uint8_t leaf; int16_t threshold; int16_t value; uint16_t right; } SluiceWideNode;

/// One feature of n rows in 16 bits: (x - center) * scale, limited to ±32,767, halves away from zero, NaN as 0. `out` is where the
/// feature's first block begins; the next one follows d * 64 further.
void sluice_forest_quantise(const double *values, size_t n, double center, double scale, int d, int16_t *out);

/// Sums of leaf values for blocks of 64 rows: cols[(block * d + f) * 64 + r], roots has trees + 1 entries.
/// A sum must stay below 65,536 (at most 112 trees of depth 8 with values in 1/32).
void sluice_forest(const int16_t *cols, size_t blocks, int d, const SluiceNode *nodes, const uint32_t *roots, int trees,
                   uint16_t *out);
void sluice_forest_wide(const int16_t *cols, size_t blocks, int d, const SluiceWideNode *nodes, const uint32_t *roots,
                        int trees, uint16_t *out);
void sluice_forest_scalar(const int16_t *cols, size_t blocks, int d, const SluiceNode *nodes, const uint32_t *roots,
                          int trees, uint16_t *out);
void sluice_forest_wide_scalar(const int16_t *cols, size_t blocks, int d, const SluiceWideNode *nodes,
                               const uint32_t *roots, int trees, uint16_t *out);

/// One bit a byte of p[0..n) in ceil(n / 64) words: where something that personal data or a credential cannot be without begins.
/// These are the first digit of a run; @ : and =; a letter after a dot after a letter or digit; K or S after A; the second dash of a
/// run; a dash after two hexadecimal digits after a dash. As many words each: in `signs` those of them that are no digits, in `odd` what
/// may stand for something else, which is a byte beyond ASCII, % or &.
void sluice_anchors(const uint8_t *p, size_t n, uint64_t *bits, uint64_t *signs, uint64_t *odd);
void sluice_anchors_scalar(const uint8_t *p, size_t n, uint64_t *bits, uint64_t *signs, uint64_t *odd);
