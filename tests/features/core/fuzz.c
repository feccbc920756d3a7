/* Feeds the compiled core with texts and views made of any bytes, for libFuzzer; see test_core.py for how to run it. */

#include <math.h>
#include <stdio.h>

#include "../../../features/core/core.h"

typedef struct {
    int64_t count;
    uint32_t *keys;
    float *times;
    int64_t size;
    uint32_t *letters;
    double measures[MEASURES];
} Observation;

typedef struct {
    int64_t count;
    uint32_t *keys;
    int32_t *first, *last;
    int64_t size;
    int32_t *places;
} Occurrences;

Observation *observe(const uint32_t *, int64_t, const Character *, const View *, int32_t);
void free_observation(Observation *);
Occurrences *locate(const uint32_t *, int64_t, const Character *, const View *);
void free_occurrences(Occurrences *);
int64_t weigh(const int64_t *, int64_t, const uint32_t *, const float *, const uint64_t *, int64_t, const float *,
              const float *, int64_t *, int32_t *, float *);
void multiply(const int64_t *, int64_t, const int32_t *, const float *, const float *, int64_t, int64_t, double *);

enum { ALPHABET = 32, MOST_VIEWS = 4, KEPT_BLOCKS = MOST_VIEWS << (BUCKET_BITS - 5) };

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static void fill(Character *table, float *weights) {
    static const char *const CHARACTERS = "\n \tabcdeABC0123.:;?%$@-_()/&*#^";
    for (int i = 0; i < ALPHABET; i++) {
        char code = CHARACTERS[i];
        bool is_space = i < 3, is_upper = code >= 'A' && code <= 'Z', is_digit = code >= '0' && code <= '9';
        bool is_letter = is_digit || is_upper || (code >= 'a' && code <= 'z');
        uint8_t shape = code == '\n' ? '\n' : is_space ? 'b' : is_digit ? 'd' : is_upper ? 'u' : is_letter ? 'l' : 'p';
        table[(int)code] = (Character){
            .folded = (uint32_t)(is_upper ? code + 32 : code),
            .kinds = (uint8_t)(128 | (is_space ? SPACE | BLANK : 0) | (is_letter ? LETTER : 0) |
                               (is_digit ? DIGIT : 0) | (is_upper ? CAPITAL : 0) |
                               (!is_letter && !is_space ? PUNCTUATION : 0)),
            .shape = shape,
        };
    }
    /* an accent alone, which becomes a space when it is folded */
    table['^'].folded = ' ';
    table['^'].kinds = 128 | SPACE | PUNCTUATION;
    for (int i = 0; i < 256; i++) weights[i] = 1 + logf(i ? (float)i : 1);
}

static void check_rows(const Observation *found, const float *weights) {
    static uint64_t kept[KEPT_BLOCKS];
    static float idf[ALPHABET + 1];
    int64_t starts[2] = {0, found->count}, row_starts[2];
    int32_t *columns = array(found->count, 4);
    float *values = array(found->count, 4);
    int most = found->count < ALPHABET ? (int)found->count : ALPHABET;
    for (int i = 0; i < most; i++) kept[found->keys[i] >> 5] |= (uint64_t)1 << (found->keys[i] & 31);
    uint64_t sum = 0;
    for (int i = 0; i < most; i++) {
        uint32_t block = found->keys[i] >> 5;
        if (!i || found->keys[i - 1] >> 5 != block) kept[block] |= sum << 32;
        sum++;
        idf[i] = 1;
    }
    int64_t count = weigh(starts, 1, found->keys, found->times, kept, KEPT_BLOCKS, idf, weights, row_starts, columns,
                          values);
    check(count == most && row_starts[1] == most, "the kept n-grams are found");
    for (int i = 0; i < most; i++) check(columns[i] == i && values[i] > 0, "columns rise from 0");
    double products[2];
    multiply(row_starts, 1, columns, values, (float[]){1, 2, 3, 4}, 2, 2, products);
    check(products[0] >= 0 && products[0] <= 4, "products are finite");
    for (int i = 0; i < most; i++) kept[found->keys[i] >> 5] = 0;
    free(columns);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Character table[128];
    static float weights[256];
    static uint32_t alphabet[ALPHABET];
    if (!table['a'].kinds) {
        fill(table, weights);
        int count = 0;
        for (uint32_t code = 0; code < 128; code++)
            if (table[code].kinds) alphabet[count++] = code;
    }
    if (size < MOST_VIEWS) return 0;
    View views[MOST_VIEWS];
    for (int i = 0; i < MOST_VIEWS; i++) {
        uint8_t byte = data[i];
        bool is_shape = byte >> 7;
        views[i] = (View){.is_word = !is_shape && byte & 1,
                          .shortest = 1 + (byte >> 1 & 3),
                          .longest = 1 + (byte >> 1 & 3) + (byte >> 3 & 1) * 5,
                          .part = is_shape ? PAGE : 1 << (byte >> 4 & 7) % 6,
                          .is_shape = is_shape};
    }
    int64_t length = (int64_t)size - MOST_VIEWS;
    uint32_t *text = array(length, 4);
    for (int64_t i = 0; i < length; i++) text[i] = alphabet[data[MOST_VIEWS + i] % ALPHABET];
    Observation *found = observe(text, length, table, views, MOST_VIEWS);
    check(found != NULL, "there is memory");
    double times = 0, occurrences = 0;
    for (int64_t i = 0; i < found->count; i++) {
        check(!i || found->keys[i] > found->keys[i - 1], "keys rise");
        times += found->times[i];
    }
    for (int i = 0; i < MOST_VIEWS; i++) {
        Occurrences *located = locate(text, length, table, &views[i]);
        check(located != NULL, "there is memory");
        for (int64_t j = 0; j < located->count; j++)
            check(0 <= located->first[j] && located->first[j] < located->last[j] && located->last[j] <= located->size,
                  "an n-gram is in the text");
        for (int64_t j = 0; j < located->size; j++)
            check(-1 <= located->places[j] && located->places[j] < length, "a place is in the text");
        occurrences += (double)located->count;
        free_occurrences(located);
    }
    check(times == occurrences, "n-grams are counted as often as they are located");
    check_rows(found, weights);
    free_observation(found);
    free(text);
    return 0;
}
