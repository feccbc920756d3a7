/* Words parted by white space, as hashes, and their n-grams and pairs; row by row.
 *
 * Row i has the hashes from `starts[i]` to `starts[i + 1]`.
 */

#include <math.h>

#include "core.h"

/* A key has the number of its row in the upper bits. */
enum { KEY_BITS = 58 };

/* Split texts as Python's `str.split` does; `hashes` has room for a word in two characters. */
EXPORTED void split_words(const uint32_t *const *texts, const int64_t *lengths, int64_t rows, const Character *table,
                          uint64_t *hashes, int64_t *starts) {
    int64_t count = 0;
    for (int64_t row = 0; row < rows; row++) {
        const uint32_t *text = texts[row];
        starts[row] = count;
        for (int64_t i = 0; i < lengths[row]; i++) {
            int64_t begin = i;
            while (i < lengths[row] && !(table[text[i]].kinds & BLANK)) i++;
            if (i > begin) hashes[count++] = hash_word(text + begin, i - begin);
        }
    }
    starts[rows] = count;
}

/* The order of the two counts. */
static uint64_t join(uint64_t first, uint64_t second) { return (first ^ first >> 32) * 0x9E3779B97F4A7C15 + second; }

/* Make the n-grams of 1 to `longest` words; `made` has room for as many times the words. */
EXPORTED void make_ngrams(const uint64_t *words, const int64_t *starts, int64_t rows, int64_t longest, uint64_t *made,
                          int64_t *made_starts) {
    int64_t count = 0;
    for (int64_t row = 0; row < rows; row++) {
        made_starts[row] = count;
        for (int64_t i = starts[row]; i < starts[row + 1]; i++) made[count++] = words[i];
        int64_t shorter = made_starts[row];
        for (int64_t ahead = 1; ahead < longest; ahead++) {
            int64_t first = count;
            for (int64_t i = starts[row] + ahead; i < starts[row + 1]; i++)
                made[count++] = join(made[shorter++], words[i]);
            shorter = first;
        }
    }
    made_starts[rows] = count;
}

/* Make the orthogonal sparse bigrams: each word with each that follows it within a window. */
EXPORTED void make_osb(const uint64_t *words, const int64_t *starts, int64_t rows, int64_t window, uint64_t *made,
                       int64_t *made_starts) {
    int64_t count = 0;
    for (int64_t row = 0; row < rows; row++) {
        made_starts[row] = count;
        for (int64_t ahead = 1; ahead < window; ahead++)
            for (int64_t i = starts[row] + ahead; i < starts[row + 1]; i++)
                made[count++] = join(words[i - ahead] + (uint64_t)ahead, words[i]);
    }
    made_starts[rows] = count;
}

/* Make the pairs of every left token with every right one, up to the given number of each row. */
EXPORTED void make_pairs(const uint64_t *left, const int64_t *left_starts, const uint64_t *right,
                         const int64_t *right_starts, int64_t rows, uint64_t *made, const int64_t *made_starts) {
    for (int64_t row = 0; row < rows; row++) {
        int64_t at = made_starts[row];
        for (int64_t i = left_starts[row]; i < left_starts[row + 1]; i++)
            for (int64_t j = right_starts[row]; j < right_starts[row + 1] && at < made_starts[row + 1]; j++)
                made[at++] = join(left[i], right[j]);
    }
}

/* Turn the tokens of at most 64 rows into keys, to be sorted. */
EXPORTED void make_keys(const uint64_t *hashes, const int64_t *starts, int64_t rows, uint64_t salt, uint64_t *keys) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = starts[row]; i < starts[row + 1]; i++)
            keys[i] = (uint64_t)row << KEY_BITS | mix64(hashes[i] ^ salt) >> (64 - KEY_BITS);
}

/* Leave of sorted keys the different ones, without their rows, each with the value that gives its row length 1. */
EXPORTED void merge_keys(uint64_t *keys, int64_t count, int64_t rows, int64_t *starts, float *values) {
    int64_t kept = 0, i = 0;
    uint64_t last = 0;
    for (int64_t row = 0; row < rows; row++) {
        starts[row] = kept;
        for (; i < count && keys[i] >> KEY_BITS == (uint64_t)row; i++) {
            uint64_t key = keys[i];
            bool is_new = i == 0 || key != last;
            keys[kept] = key & (((uint64_t)1 << KEY_BITS) - 1);
            kept += is_new;
            last = key;
        }
        float value = (float)(1 / sqrt((double)(kept - starts[row])));
        for (int64_t j = starts[row]; j < kept; j++) values[j] = value;
    }
    starts[rows] = kept;
}
