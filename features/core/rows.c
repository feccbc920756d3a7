/* Sparse rows, in the layout of SciPy's CSR matrices: weighed by TF-IDF, and multiplied by dense matrices. */

#include <math.h>
#include <string.h>

#include "core.h"

enum { LOGARITHMS = 256, AHEAD = 16 };

static uint32_t count_bits(uint32_t bits) {
    bits -= bits >> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
    return (((bits + (bits >> 4)) & 0x0F0F0F0F) * 0x01010101) >> 24;
}

/* Turn counts into TF-IDF rows, each view of length 1; returns how many of the n-grams are kept ones.
 *
 * `kept_keys` has, for each block of 32 keys, a bit for each that was kept, and in the upper half the number of those
 * kept in the blocks before. A key's column is the number of kept ones before it; `idf` has one more entry than there
 * are columns. `weights` are ``1 + ln count`` of small counts.
 */
EXPORTED int64_t weigh(const int64_t *starts, int64_t rows, const uint32_t *keys, const float *times,
                       const uint64_t *kept_keys, int64_t blocks, const float *idf, const float *weights,
                       int64_t *row_starts, int32_t *columns, float *values) {
    int64_t kept = 0;
    for (int64_t row = 0; row < rows; row++) {
        row_starts[row] = kept;
        int64_t end = starts[row + 1];
        /* keys rise: if the last is in the table, all are */
        if (end > starts[row] && keys[end - 1] >> 5 >= blocks) continue;
        for (int64_t i = starts[row]; i < end;) {
            int64_t view_begin = kept;
            uint32_t view = keys[i] >> BUCKET_BITS;
            double squares = 0;
            for (; i < end && keys[i] >> BUCKET_BITS == view; i++) {
                if (i + AHEAD < end) PREFETCH(&kept_keys[keys[i + AHEAD] >> 5]);
                uint64_t block = kept_keys[keys[i] >> 5];
                uint32_t bits = (uint32_t)block, bit = keys[i] & 31, is_kept = bits >> bit & 1;
                uint32_t column = (uint32_t)(block >> 32) + count_bits(bits & ((1u << bit) - 1));
                float weight = times[i] < LOGARITHMS ? weights[(int)times[i]] : 1 + logf(times[i]);
                float value = weight * idf[column];
                /* without a branch, as the processor could not predict which n-grams are kept */
                squares += is_kept * (double)value * value;
                columns[kept] = (int32_t)column;
                values[kept] = value;
                kept += is_kept;
            }
            double norm = sqrt(squares);
            for (int64_t j = view_begin; j < kept; j++) values[j] = (float)(values[j] / norm);
        }
    }
    row_starts[rows] = kept;
    return kept;
}

/* Multiply sparse rows by a dense matrix of `height` rows and `width` columns; columns beyond its height do not count.
 */
EXPORTED void multiply(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                       const float *matrix, int64_t height, int64_t width, double *products) {
    memset(products, 0, (size_t)(rows * width) * sizeof *products);
    for (int64_t row = 0; row < rows; row++) {
        double *product = products + row * width;
        for (int64_t i = starts[row]; i < starts[row + 1] && (uint32_t)columns[i] < height; i++) {
            if (i + AHEAD < starts[row + 1] && (uint32_t)columns[i + AHEAD] < height)
                PREFETCH(matrix + columns[i + AHEAD] * width);
            const float *weights = matrix + columns[i] * width;
            double value = values[i];
            for (int64_t k = 0; k < width; k++) product[k] += value * weights[k];
        }
    }
}
