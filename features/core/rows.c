/* Sparse rows, in the layout of SciPy's CSR matrices: weighed by TF-IDF, and multiplied by dense matrices. */

#include <math.h>
#include <string.h>

#include "core.h"

enum { LOGARITHMS = 256, AHEAD = 32 };

static uint32_t count_bits(uint32_t bits) {
    bits -= bits >> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
    return (((bits + (bits >> 4)) & 0x0F0F0F0F) * 0x01010101) >> 24;
}

/* Turn the counts of a text into a TF-IDF row, each view of length 1; returns how many of the n-grams are kept ones.
 *
 * Columns and values may be written where keys and times are.
 */
int64_t weigh_row(const Kept *kept, int64_t count, const uint32_t *keys, const float *times, int32_t *columns,
                  float *values) {
    int64_t written = 0;
    /* keys rise: if the last is in the table, all are */
    if (count && keys[count - 1] >> 5 >= kept->blocks) return 0;
    for (int64_t i = 0; i < count;) {
        int64_t view_begin = written;
        uint32_t view = keys[i] >> BUCKET_BITS;
        double squares = 0;
        for (; i < count && keys[i] >> BUCKET_BITS == view; i++) {
            if (i + AHEAD < count) PREFETCH(&kept->keys[keys[i + AHEAD] >> 5]);
            uint64_t block = kept->keys[keys[i] >> 5];
            uint32_t bits = (uint32_t)block, bit = keys[i] & 31;
            int64_t column = (int64_t)(block >> 32) + count_bits(bits & ((1u << bit) - 1));
            PREFETCH(&kept->idf[column * kept->stride]);
            columns[written] = (int32_t)column;
            values[written] = times[i] < LOGARITHMS ? kept->counts[(int)times[i]] : 1 + logf(times[i]);
            /* without a branch, as the processor could not predict which n-grams are kept */
            written += bits >> bit & 1;
        }
        for (int64_t j = view_begin; j < written; j++) {
            values[j] *= kept->idf[columns[j] * kept->stride];
            squares += (double)values[j] * values[j];
        }
        double norm = sqrt(squares);
        for (int64_t j = view_begin; j < written; j++) values[j] = (float)(values[j] / norm);
    }
    return written;
}

/* Turn rows of counts into TF-IDF rows; returns how many n-grams they have. */
EXPORTED int64_t weigh(const Kept *kept, const int64_t *starts, int64_t rows, const uint32_t *keys, const float *times,
                       int64_t *row_starts, int32_t *columns, float *values) {
    int64_t written = 0;
    for (int64_t row = 0; row < rows; row++) {
        row_starts[row] = written;
        written += weigh_row(kept, starts[row + 1] - starts[row], keys + starts[row], times + starts[row],
                             columns + written, values + written);
    }
    row_starts[rows] = written;
    return written;
}

/* Add the products of sparse rows and a dense matrix of `height` rows and `width` columns, whose rows are `stride`
 * numbers apart; columns beyond its height do not count.
 */
static void add_sparse(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                       const float *matrix, int64_t height, int64_t width, int64_t stride, double *products) {
    for (int64_t row = 0; row < rows; row++) {
        double *product = products + row * width;
        for (int64_t i = starts[row]; i < starts[row + 1] && (uint32_t)columns[i] < height; i++) {
            if (i + AHEAD < starts[row + 1] && (uint32_t)columns[i + AHEAD] < height)
                PREFETCH(matrix + columns[i + AHEAD] * stride);
            const float *weights = matrix + columns[i] * stride;
            double value = values[i];
            for (int64_t k = 0; k < width; k++) product[k] += value * weights[k];
        }
    }
}

EXPORTED void multiply(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                       const float *matrix, int64_t height, int64_t width, int64_t stride, double *products) {
    memset(products, 0, (size_t)(rows * width) * sizeof *products);
    add_sparse(starts, rows, columns, values, matrix, height, width, stride, products);
}

/* Write the values of a linear map of rows with a sparse and a dense part; each row's as if it were alone. */
EXPORTED void map_rows(const LinearMap *map, const int64_t *starts, int64_t rows, const int32_t *columns,
                       const float *values, const float *dense, double *mapped) {
    for (int64_t row = 0; row < rows; row++) {
        double *own = mapped + row * map->width;
        for (int64_t k = 0; k < map->width; k++) own[k] = map->intercept[k];
        for (int64_t i = 0; i < map->dense_height; i++)
            for (int64_t k = 0; k < map->width; k++)
                own[k] += (double)dense[row * map->dense_height + i] * map->dense[i * map->width + k];
    }
    add_sparse(starts, rows, columns, values, map->sparse, map->sparse_height, map->width, map->stride, mapped);
}

/* Write the product of each sparse row and the column of a dense matrix that is chosen for it; columns of the rows
 * beyond the height of the matrix do not count.
 */
EXPORTED void multiply_chosen(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                              const float *matrix, int64_t height, int64_t width, const int64_t *chosen,
                              double *products) {
    for (int64_t row = 0; row < rows; row++) {
        products[row] = 0;
        for (int64_t i = starts[row]; i < starts[row + 1] && (uint32_t)columns[i] < height; i++) {
            if (i + AHEAD < starts[row + 1] && (uint32_t)columns[i + AHEAD] < height)
                PREFETCH(matrix + columns[i + AHEAD] * width + chosen[row]);
            products[row] += (double)values[i] * matrix[columns[i] * width + chosen[row]];
        }
    }
}

/* Write the lower triangle of the inner products of sparse rows, given by rows and by columns; false without memory.
 *
 * `column_starts` and `row_indices` are those of the transposed rows, in rising order. `rows * rows` products, the rest
 * of which is left as it is.
 */
EXPORTED bool gram_matrix(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                          const int64_t *column_starts, int64_t column_count, const int32_t *row_indices,
                          const float *column_values, double *products) {
    int64_t *done = array(column_count, sizeof *done); /* up to which entry of each column the rows are */
    if (!done) return false;
    memcpy(done, column_starts, (size_t)column_count * sizeof *done);
    for (int64_t row = 0; row < rows; row++) {
        double *product = products + row * rows;
        memset(product, 0, (size_t)(row + 1) * sizeof *product);
        for (int64_t i = starts[row]; i < starts[row + 1]; i++) {
            if (i + AHEAD < starts[row + 1]) {
                int64_t soon = column_starts[columns[i + AHEAD]];
                PREFETCH(row_indices + soon);
                PREFETCH(column_values + soon);
            }
            int64_t column = columns[i], end = ++done[column];
            double value = values[i];
            for (int64_t j = column_starts[column]; j < end; j++) product[row_indices[j]] += value * column_values[j];
        }
    }
    free(done);
    return true;
}
