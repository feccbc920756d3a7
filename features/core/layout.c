/* The layout of a page: lines and their lengths, digits, capitals, punctuation, words. */

#include <math.h>
#include <string.h>

#include "core.h"

enum { SHORT_LINE = 12, LONG_LINE = 60 };

static int compare_lengths(const void *left, const void *right) {
    int32_t one = *(const int32_t *)left, other = *(const int32_t *)right;
    return (one > other) - (one < other);
}

/* Measure a text that has lines, given its pieces and different words; false if there is no memory. */
static bool measure(const uint32_t *text, int32_t length, const Character *table, int32_t pieces, const Word *words,
                    int32_t word_count, int64_t different, double *measures) {
    int64_t breaks = 0, solid = 0, digits = 0, capitals = 0, signs = 0, currencies = 0, percents = 0, questions = 0,
            ats = 0, doubled = 0, colons = 0, lines = 0, short_lines = 0, long_lines = 0, single = 0, sum = 0;
    for (int32_t i = 0; i < length; i++) breaks += text[i] == '\n';
    int32_t *lengths = array(breaks + 1, 4);
    if (!lengths) return false;
    bool was_break = false;
    uint32_t last = 0; /* of the line, white space aside */
    int32_t line_begin = 0;
    for (int32_t i = 0; i <= length; i++) {
        bool is_break = i == length || text[i] == '\n';
        if (is_break) {
            if (last) {
                lengths[lines++] = i - line_begin;
                colons += last == ':';
            }
            line_begin = i + 1;
            last = 0;
        }
        if (i == length) break;
        doubled += is_break && was_break;
        was_break = is_break && !was_break;
        uint8_t kinds = table[text[i]].kinds;
        if (!(kinds & BLANK)) last = text[i] ? text[i] : 1;
        solid += !(kinds & SPACE);
        digits += (kinds & DIGIT) != 0;
        capitals += (kinds & CAPITAL) != 0;
        signs += (kinds & PUNCTUATION) != 0;
        currencies += text[i] == '$' || text[i] == 0x20AC || text[i] == 0xA3;
        percents += text[i] == '%';
        questions += text[i] == '?';
        ats += text[i] == '@';
    }
    qsort(lengths, (size_t)lines, sizeof *lengths, compare_lengths);
    for (int64_t i = 0; i < lines; i++) {
        sum += lengths[i];
        short_lines += lengths[i] < SHORT_LINE;
        long_lines += lengths[i] > LONG_LINE;
    }
    double mean = (double)sum / (double)lines, squares = 0;
    for (int64_t i = 0; i < lines; i++) squares += (lengths[i] - mean) * (lengths[i] - mean);
    for (int32_t i = 0; i < word_count; i++) single += words[i].end - words[i].begin == 1;
    double count = (double)lines, known = word_count ? word_count : 1;
    double found[MEASURES] = {length, count, pieces, mean, lengths[lines - 1], sqrt(squares / count),
                              (double)doubled / count, (double)short_lines / count, (double)long_lines / count,
                              (double)colons / count, (double)digits / length, (double)capitals / length,
                              (double)signs / length,
                              /* a lone accent becomes a space when it is folded */
                              (double)solid / (pieces ? pieces : 1), (double)different / known, (double)single / known,
                              (double)currencies, (double)percents, (double)questions, (double)ats};
    memcpy(measures, found, sizeof found);
    free(lengths);
    return true;
}

static int32_t count_pieces(const Line *line) {
    int32_t gaps = 0;
    for (int32_t i = 0; i < line->size; i++) gaps += is_gap(line->codes[i]);
    return gaps - 1;
}

/* Count the different words, by their hashes; -1 if there is no memory. */
static int64_t count_different(const Word *words, int32_t count) {
    /* sorted, as no text can make that slow, unlike a hash table */
    uint32_t *hashes = array(2 * (int64_t)count, sizeof *hashes), *spare = hashes ? hashes + count : NULL;
    float *times = array(count, sizeof *times);
    int64_t different = -1;
    if (hashes && times) {
        for (int32_t i = 0; i < count; i++) hashes[i] = words[i].hash;
        sort_keys(hashes, spare, count, UINT32_MAX);
        different = count_runs(hashes, spare, count, times);
    }
    free(hashes);
    free(times);
    return different;
}

/* Measure the layout of a text: NaN without the lines of a page; false if there is no memory. */
bool measure_layout(const Reading *reading, const uint32_t *text, int64_t length, const Character *table,
                    double *measures) {
    for (int i = 0; i < MEASURES; i++) measures[i] = NAN;
    if (!reading->has_lines) return true;
    int64_t different = count_different(reading->words, reading->word_count);
    return different >= 0 && measure(text, (int32_t)length, table, count_pieces(&reading->folded), reading->words,
                                     reading->word_count, different, measures);
}

/* Compare the measures of pages with `steps` deciles each: `size` where they reach it, else its negative, or 0 for NaN.
 */
EXPORTED void compare(const double *measures, int64_t rows, const double *deciles, int64_t steps, float size,
                      float *compared) {
    for (int64_t i = 0; i < rows * MEASURES; i++) {
        const double *own = deciles + i % MEASURES * steps;
        for (int64_t step = 0; step < steps; step++)
            *compared++ = isnan(measures[i]) ? 0 : measures[i] >= own[step] ? size : -size;
    }
}
