/* The n-grams of a text, each known by the number of its bucket.
 *
 * It is a 32-bit polynomial hash of its characters, mixed and reduced to one of 2^22 buckets. Model files depend on
 * these numbers: they may never change.
 *
 * Sources: R. M. Karp and M. O. Rabin, "Efficient randomized pattern-matching algorithms", IBM Journal of Research and
 * Development 31(2), 1987 (the hash of characters); A. Appleby, MurmurHash3, https://github.com/aappleby/smhasher (its
 * mixing); K. Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
 */

#include <string.h>

#include "core.h"

static uint32_t mix(uint32_t hash) {
    hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
    hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
    return hash ^ (hash >> 16);
}

static uint32_t bucket(uint32_t hash) { return mix(hash) >> (32 - BUCKET_BITS); }

static bool reserve(Found *found, int64_t more) {
    if (found->count + more <= found->capacity) return true;
    int64_t capacity = 2 * found->capacity + more + 1024;
    uint32_t *keys = realloc(found->keys, (size_t)capacity * 4);
    if (!keys) return false;
    found->keys = keys;
    if (found->with_positions) {
        int32_t *first = realloc(found->first, (size_t)capacity * 4);
        if (first) found->first = first;
        int32_t *last = realloc(found->last, (size_t)capacity * 4);
        if (last) found->last = last;
        if (!first || !last) return false;
    }
    found->capacity = capacity;
    return true;
}

/* Note the positions of the n-grams up to `count`, which begin at one unit. */
static void add_positions(Found *found, int64_t count, int32_t unit, int32_t shortest) {
    if (found->with_positions) {
        for (int64_t i = found->count; i < count; i++) {
            found->first[i] = unit;
            found->last[i] = unit + shortest + (int32_t)(i - found->count);
        }
    }
    found->count = count;
}

static bool character_ngrams(const Line *line, const View *view, uint32_t number, Found *found) {
    for (int32_t i = 0; i < line->size; i++) {
        if (!(line->parts[i] & view->part)) continue;
        int32_t longest = view->longest < line->room[i] ? view->longest : line->room[i];
        if (!reserve(found, longest)) return false;
        /* white space alone is no n-gram */
        int32_t shortest = view->shortest == 1 && is_gap(line->codes[i]) ? 2 : view->shortest;
        int64_t count = found->count;
        uint32_t hash = 0;
        for (int32_t n = 1; n <= longest; n++) {
            hash = hash * HASH_BASE + line->codes[i + n - 1] + 1;
            if (n >= shortest) found->keys[count++] = number << BUCKET_BITS | bucket(hash + (uint32_t)n);
        }
        add_positions(found, count, i, shortest);
    }
    return true;
}

/* Successive words that begin in the part. */
static bool word_ngrams(const Word *words, int32_t count_of_words, const View *view, uint32_t number, Found *found) {
    for (int32_t i = 0; i < count_of_words; i++) {
        int32_t longest = view->longest < count_of_words - i ? view->longest : count_of_words - i;
        if (!reserve(found, longest)) return false;
        int64_t count = found->count;
        uint32_t hash = words[i].hash;
        for (int32_t n = 1; n <= longest; n++) {
            /* mixed before the next word is added, because the order of the words matters */
            if (n > 1) hash = mix(hash) + words[i + n - 1].hash;
            if (n >= view->shortest) found->keys[count++] = number << BUCKET_BITS | bucket(hash);
        }
        add_positions(found, count, i, view->shortest);
    }
    return true;
}

/* Choose the words that begin in a part of the page. */
int32_t words_in_part(const Line *line, const Word *words, int32_t count, int32_t part, Word *chosen) {
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++)
        if (line->parts[words[i].begin] & part) chosen[kept++] = words[i];
    return kept;
}

/* Add the n-grams of a view; false if there is no memory. */
bool find_ngrams(const Reading *reading, const View *view, uint32_t number, Found *found) {
    const Line *line = view->is_shape ? &reading->shapes : &reading->folded;
    if (line->size < 3) return true;
    if (!view->is_word) return character_ngrams(line, view, number, found);
    int32_t count = words_in_part(line, reading->words, reading->word_count, view->part, reading->chosen);
    return word_ngrams(reading->chosen, count, view, number, found);
}

void free_found(Found *found) {
    free(found->keys);
    free(found->first);
    free(found->last);
}

/* Sort by least significant digits first; `spare` is as large. */
void sort_keys(uint32_t *keys, uint32_t *spare, int64_t count, uint32_t largest) {
    enum { FEW = 4096, LONGEST_DIGIT = 13 };
    if (count < 2) return;
    /* long digits take fewer passes, but more counts */
    int digit_bits = count < FEW ? 8 : LONGEST_DIGIT;
    uint32_t mask = (1u << digit_bits) - 1, *from = keys, *to = spare;
    for (int shift = 0; shift < 32 && largest >> shift; shift += digit_bits) {
        uint32_t ends[1 << LONGEST_DIGIT], total = 0;
        memset(ends, 0, sizeof *ends << digit_bits);
        for (int64_t i = 0; i < count; i++) ends[from[i] >> shift & mask]++;
        for (uint32_t digit = 0; digit <= mask; digit++) {
            uint32_t here = ends[digit];
            ends[digit] = total;
            total += here;
        }
        for (int64_t i = 0; i < count; i++) to[ends[from[i] >> shift & mask]++] = from[i];
        uint32_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != keys) memcpy(keys, from, (size_t)count * 4);
}

/* Keep each of the sorted keys once; returns how many there are, and how often each occurs. */
int64_t count_runs(uint32_t *keys, uint32_t *spare, int64_t count, float *times) {
    int64_t kept = 0;
    /* without branches, as the processor could not predict where runs end */
    for (int64_t i = 0; i < count; i++) {
        keys[kept] = keys[i];
        spare[kept] = (uint32_t)i;
        kept += i + 1 == count || keys[i + 1] != keys[i];
    }
    for (int64_t i = 0; i < kept; i++) times[i] = (float)(spare[i] - (i ? spare[i - 1] : UINT32_MAX));
    return kept;
}
