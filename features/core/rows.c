/* Sparse rows, in the layout of SciPy's CSR matrices: weighed by TF-IDF, and multiplied by dense matrices. */

#include <math.h>
#include <string.h>

#include "core.h"

enum { LOGARITHMS = 256, AHEAD = 32, GRAM_BLOCK = 1 << 16 };

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

/* Put sparse rows and dense ones, as columns from `first` on, beside each other; returns how many entries that makes.
 *
 * Zeros of the dense rows are left out.
 */
EXPORTED int64_t put_beside(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                            const float *dense, int64_t width, int32_t first, int64_t *joined_starts,
                            int32_t *joined_columns, float *joined_values) {
    int64_t written = 0;
    for (int64_t row = 0; row < rows; row++) {
        int64_t count = starts[row + 1] - starts[row];
        joined_starts[row] = written;
        memcpy(joined_columns + written, columns + starts[row], (size_t)count * sizeof *columns);
        memcpy(joined_values + written, values + starts[row], (size_t)count * sizeof *values);
        written += count;
        for (int64_t k = 0; k < width; k++) {
            joined_columns[written] = first + (int32_t)k;
            joined_values[written] = dense[row * width + k];
            written += joined_values[written] != 0;
        }
    }
    joined_starts[rows] = written;
    return written;
}

/* An entry of a column. */
typedef struct {
    int32_t row;
    float value;
} Entry;

/* An entry of a row: its value, and where the entries of its column begin and end, itself the last. */
typedef struct {
    uint32_t begin, end;
    float value;
} RowEntry;

/* Add the products of one block of columns, in the order of the columns. */
static void add_gram(const Entry *entries, const RowEntry *of_rows, const int64_t *ends, int64_t rows,
                     double *products) {
    for (int64_t row = 0, i = 0; row < rows; row++) {
        double *product = products + row * rows;
        for (; i < ends[row]; i++) {
            double value = of_rows[i].value;
            for (uint32_t j = of_rows[i].begin; j < of_rows[i].end; j++) product[entries[j].row] += value * entries[j].value;
        }
    }
}

/* Add to the lower triangle of `rows * rows` products the inner products of sparse rows, given by columns.
 *
 * Row indices rise in each column. Columns with more than `most` entries are left out. They are taken in blocks, whose
 * entries stay in the cache while each row looks them up. False if there is no memory.
 */
EXPORTED bool gram_matrix(const int64_t *starts, int64_t column_count, const int32_t *indices, const float *values,
                          int64_t rows, int64_t most, double *products) {
    if (rows < 0 || rows >= UINT32_MAX) return false;
    int64_t size = rows > GRAM_BLOCK ? rows : GRAM_BLOCK;
    Entry *entries = array(size, sizeof *entries);
    RowEntry *of_rows = array(size, sizeof *of_rows);
    int64_t *ends = array(rows + 1, sizeof *ends);
    bool done = entries && of_rows && ends;
    for (int64_t begin = 0, end = 0; done && begin < column_count; begin = end) {
        int64_t count = 0;
        memset(ends, 0, (size_t)(rows + 1) * sizeof *ends);
        for (; end < column_count && count + starts[end + 1] - starts[end] <= size; end++) {
            if (starts[end + 1] - starts[end] > most) continue;
            for (int64_t i = starts[end]; i < starts[end + 1]; i++) {
                entries[count++] = (Entry){indices[i], values[i]};
                ends[indices[i] + 1]++;
            }
        }
        for (int64_t row = 0; row < rows; row++) ends[row + 1] += ends[row];
        /* where the entries of each row begin, and as they are written, where they end */
        count = 0;
        for (int64_t column = begin; column < end; column++) {
            int64_t entry_count = starts[column + 1] - starts[column], first = count;
            if (entry_count > most) continue;
            for (; count < first + entry_count; count++)
                of_rows[ends[entries[count].row]++] =
                    (RowEntry){(uint32_t)first, (uint32_t)count + 1, entries[count].value};
        }
        add_gram(entries, of_rows, ends, rows, products);
    }
    free(entries);
    free(of_rows);
    free(ends);
    return done;
}
