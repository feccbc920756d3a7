/* The compiled core: from the characters of a text to its n-grams, words and layout, and to TF-IDF rows and products.
 *
 * Plain C99 without state: a function reads what it is given, allocates what it returns, and runs in any thread.
 * `__init__.py` calls it through ctypes, so that it needs neither Python's headers nor a build for each version of it.
 */

#ifndef TEXTCLF_CORE_H
#define TEXTCLF_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* the rest is hidden when the library is linked */
#define EXPORTED __attribute__((visibility("default")))

/* fetch from memory what is needed soon */
#define PREFETCH(address) __builtin_prefetch(address)

/* kinds of characters, one bit each; SPACE and LETTER, which includes digits, describe the folded character */
enum { SPACE = 1, LETTER = 2, DIGIT = 4, CAPITAL = 8, PUNCTUATION = 16, BLANK = 32 };

/* parts of a page, one bit each */
enum { PAGE = 1, TOP = 2, HEAD = 4, TAIL = 8, STARTS = 16, LABELS = 32 };

/* of the polynomial hashes of words and n-grams */
#define HASH_BASE 0x9E3779B1u

enum { BUCKET_BITS = 22, MEASURES = 20 };

typedef struct {
    uint32_t folded;
    uint8_t kinds;
    uint8_t shape;
    uint16_t unused;
} Character;

/* A text whose runs of white space are one character each; it begins and ends with a line break. */
typedef struct {
    int32_t size;
    uint32_t *codes;
    int32_t *places; /* in the text; -1 for white space */
    int32_t *room; /* characters up to the next white space, both included */
    uint8_t *parts;
} Line;

typedef struct {
    int32_t begin, end; /* in the line */
    uint32_t hash;
} Word;

/* What a text is read into, and the memory for its words. */
typedef struct {
    Line folded, shapes;
    bool has_lines;
    int32_t word_count;
    Word *words, *chosen;
} Reading;

/* Allocate an array; NULL if there is no memory. */
static inline void *array(int64_t size, size_t width) {
    return (uint64_t)size < SIZE_MAX / width ? malloc((size_t)(size ? size : 1) * width) : NULL;
}

/* White space of a line; no other character has these codes. */
static inline bool is_gap(uint32_t code) { return code == ' ' || code == '\n'; }

typedef struct {
    int32_t is_word;
    int32_t shortest;
    int32_t longest;
    int32_t part;
    int32_t is_shape;
} View;

/* N-grams in the order in which they were found: number of the view and bucket; first and last unit. */
typedef struct {
    int64_t count, capacity;
    uint32_t *keys;
    int32_t *first, *last; /* only if positions are asked for */
    bool with_positions;
} Found;

/* text.c */
bool read_text(Reading *reading, const uint32_t *text, int64_t length, const Character *table);
void free_reading(Reading *reading);

/* ngrams.c */
bool find_ngrams(const Reading *reading, const View *view, uint32_t number, Found *found);
int32_t words_in_part(const Line *line, const Word *words, int32_t count, int32_t part, Word *chosen);
void free_found(Found *found);
void sort_keys(uint32_t *keys, uint32_t *spare, int64_t count, uint32_t largest);
int64_t count_runs(uint32_t *keys, uint32_t *spare, int64_t count, float *times);

/* layout.c */
bool measure_layout(const Reading *reading, const uint32_t *text, int64_t length, const Character *table,
                    double *measures);

#endif
