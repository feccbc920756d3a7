/* Feeds the compiled core with texts and views made of any bytes, for libFuzzer; see test_core.py for how to run it. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../../features/core/core.h"

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
            .kinds =
                (uint8_t)(128 | (is_space ? SPACE | BLANK : 0) | (is_letter ? LETTER : 0) | (is_digit ? DIGIT : 0) |
                          (is_upper ? CAPITAL : 0) | (!is_letter && !is_space ? PUNCTUATION : 0)),
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
    int64_t size = found->key_starts[1], row_starts[2];
    int32_t *columns = array(size, 4);
    float *values = array(size, 4);
    int most = size < ALPHABET ? (int)size : ALPHABET;
    for (int i = 0; i < most; i++) kept[found->keys[i] >> 5] |= (uint64_t)1 << (found->keys[i] & 31);
    uint64_t sum = 0;
    for (int i = 0; i < most; i++) {
        uint32_t block = found->keys[i] >> 5;
        if (!i || found->keys[i - 1] >> 5 != block) kept[block] |= sum << 32;
        sum++;
        idf[i] = 1;
    }
    Kept all = {kept, KEPT_BLOCKS, idf, 1, weights};
    int64_t count = weigh(&all, found->key_starts, 1, found->keys, found->times, row_starts, columns, values);
    check(count == most && row_starts[1] == most, "the kept n-grams are found");
    for (int i = 0; i < most; i++) check(columns[i] == i && values[i] > 0, "columns rise from 0");
    double products[2];
    multiply(row_starts, 1, columns, values, (float[]){1, 2, 3, 4}, 2, 2, 2, products);
    check(products[0] >= 0 && products[0] <= 4, "products are finite");
    double mapped[2], chosen[1];
    LinearMap map = {(float[]){1, 2, 3, 4}, (float[]){0, 0}, (float[]){1, 1}, 2, 1, 2, 2};
    map_rows(&map, row_starts, 1, columns, values, (float[]){1}, mapped);
    multiply_chosen(row_starts, 1, columns, values, (float[]){1, 2, 3, 4}, 2, 2, (int64_t[]){1}, chosen);
    check(fabs(mapped[0] - 1 - products[0]) < 1e-6 && fabs(chosen[0] - products[1]) < 1e-6, "products are the same");
    for (int i = 0; i < most; i++) kept[found->keys[i] >> 5] = 0;
    free(columns);
    free(values);
}

/* A row and the same row again. */
static void check_gram(const Observation *found) {
    enum { MOST = 64 };
    int64_t column_starts[MOST + 1] = {0}, row_starts[2] = {0}, joined_starts[2];
    int32_t rows[2 * MOST], columns[MOST], joined_columns[MOST + 2];
    float doubled[2 * MOST], values[MOST], joined_values[MOST + 2];
    int most = found->key_starts[1] < MOST ? (int)found->key_starts[1] : MOST;
    double squares = 0, products[4] = {0}, none[4] = {0};
    for (int i = 0; i < most; i++) {
        column_starts[i + 1] = 2 * (i + 1);
        columns[i] = i;
        rows[2 * i] = 0;
        rows[2 * i + 1] = 1;
        values[i] = doubled[2 * i] = doubled[2 * i + 1] = found->times[i];
        squares += (double)values[i] * values[i];
    }
    row_starts[1] = most;
    check(gram_matrix(column_starts, most, rows, doubled, 2, 2, products), "there is memory");
    check(products[0] == squares && products[2] == squares && products[3] == squares, "products of equal rows are equal");
    check(gram_matrix(column_starts, most, rows, doubled, 2, 1, none) && none[0] == 0, "long columns are left out");
    int64_t count = put_beside(row_starts, 1, columns, values, (float[]){0, 1}, 2, most, joined_starts, joined_columns,
                               joined_values);
    check(count == most + 1 && joined_starts[1] == count && joined_columns[most] == most + 1, "zeros are left out");
}

/* The words of the table are parts, and each two successive ones a phrase. */
static void check_keywords(Vocabulary vocabulary, const Documents *document, int32_t count) {
    enum { MOST = 8 };
    int32_t starts[MOST + 1], misread_starts[4], parts[3 * MOST], rests[MOST], tolerances[MOST];
    Spelling spellings[MOST];
    for (int32_t i = 0; i <= MOST; i++) starts[i] = i < count ? i : count;
    for (int32_t i = 0; i < 4; i++) misread_starts[i] = i * count;
    for (int32_t i = 0; i < 3 * count; i++) parts[i] = i % count;
    for (int32_t i = 0; i < count; i++) {
        rests[i] = (i + 1) % count;
        tolerances[i] = i % 3;
        spellings[i] = (Spelling){i, i, i + i % 2};
    }
    Keywords keywords = {vocabulary, starts,    parts, misread_starts, parts,
                         starts,     spellings, rests, tolerances,     starts};
    Hits *hits = find_keywords(&keywords, document);
    check(hits != NULL, "there is memory");
    for (int64_t i = 0; i < hits->count; i++) {
        Hit hit = hits->hits[i];
        check(hit.keyword >= 0 && hit.keyword < count && hit.start >= 0 && hit.start < hit.end &&
                  hit.end <= document->word_starts[1],
              "keywords are in the text");
        check(!i || hits->hits[i - 1].start <= hit.start, "hits are in the order of the text");
    }
    free_hits(hits);
}

/* The first words of a text are those that the others may be misread of. */
static void check_words(const Observation *found) {
    enum { NEAR_HASHES = 1 << 13, MOST = 8, ROOM = 4 };
    static uint32_t starts[3][NEAR_HASHES + 1];
    int64_t slots = 64, word_count = found->word_starts[1], size = found->letter_starts[1];
    if (word_count > 2 * MOST) return;
    uint64_t fingerprints[64] = {0};
    int32_t numbers[64], looked_up[2 * MOST], owners[3][21 * MOST];
    int32_t count = word_count < MOST ? (int32_t)word_count : MOST;
    Table table = {fingerprints, numbers, slots};
    fill_table(&table, found->fingerprints, count);
    look_up(&table, found->fingerprints, word_count, looked_up);
    for (int i = 0; i < count; i++) check(looked_up[i] >= 0 && looked_up[i] <= i, "words of the table are found");
    int64_t letter_ends[MOST + 1] = {0}, shape_ends[MOST + 1] = {0}, shortest = INT64_MAX, longest = 0, begin = 0;
    uint32_t *letters = array(size, 4), *shapes = array(size, 4);
    for (int i = 0; i < count; i++) {
        int64_t end = begin;
        while (end < size && found->letters[end] != '\n') end++;
        memcpy(letters + letter_ends[i], found->letters + begin, (size_t)(end - begin) * 4);
        memcpy(shapes + shape_ends[i], found->letters + begin, (size_t)(end - begin) * 4);
        letter_ends[i + 1] = letter_ends[i] + end - begin;
        int64_t length = skeletons(shapes + shape_ends[i], end - begin);
        check(length <= end - begin, "skeletons are not longer");
        shape_ends[i + 1] = shape_ends[i] + length;
        if (length < shortest) shortest = length;
        if (length > longest) longest = length;
        begin = end + 1;
    }
    NearIndex indexes[3];
    uint8_t kinds[MOST];
    for (int i = 0; i < 3; i++) {
        memset(starts[i], 0, sizeof starts[i]);
        indexes[i] =
            (NearIndex){count, i, shortest, longest, letters, shapes, letter_ends, shape_ends, starts[i], owners[i]};
        fill_near(&indexes[i]);
    }
    for (int i = 0; i < MOST; i++) kinds[i] = (uint8_t)(i & 15);
    Vocabulary vocabulary = {table, kinds, 1, 100, 3, indexes};
    Documents document = {1, found->letter_starts, found->word_starts, found->letters, found->fingerprints};
    FoundWord few[ROOM];
    int64_t total = find_words(&vocabulary, &document, few, ROOM);
    FoundWord *all = array(total, sizeof *all);
    check(find_words(&vocabulary, &document, all, total) == total, "as many are found");
    for (int64_t i = 0; i < total; i++)
        check(all[i].place < word_count && all[i].index < 3 && all[i].entry >= 0 && all[i].entry < count,
              "found words are there");
    check_keywords(vocabulary, &document, count);
    float weights[MOST] = {1, 1, 1, 1, 1, 1, 1, 1}, vector[1];
    uint32_t sets[MOST] = {1, 2, 3, 1, 2, 3, 1, 2};
    int64_t counts[2];
    Embedding embedding = {weights, weights, (float[]){0}, 1};
    check(embed(&table, &document, &embedding, true, vector) && vector[0] == (count ? 1 : 0), "words have vectors");
    count_members(&table, &document, sets, 2, counts);
    check(counts[0] + counts[1] >= count && counts[0] + counts[1] <= 2 * word_count, "words are in the sets");
    free(all);
    free(letters);
    free(shapes);
}

static int compare_keys(const void *left, const void *right) {
    uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;
    return (one > other) - (one < other);
}

/* Two rows, of which the second is half of the first. */
static void check_tokens(const uint32_t *text, int64_t length, const Character *table) {
    enum { LONGEST = 3 };
    const uint32_t *texts[] = {text, text};
    int64_t lengths[] = {length, length / 2}, starts[3], made_starts[3], pair_starts[3] = {0, 4, 8}, key_starts[3];
    uint64_t *words = array(length + 2, 8);
    split_words(texts, lengths, 2, table, words, starts);
    check(starts[2] <= length + 2, "there is room for the words");
    uint64_t *made = array(LONGEST * starts[2], 8), *pairs = array(8, 8);
    float *values = array(LONGEST * starts[2], 4);
    make_osb(words, starts, 2, LONGEST, made, made_starts);
    check(made_starts[2] <= (LONGEST - 1) * starts[2], "there is room for the bigrams");
    make_ngrams(words, starts, 2, LONGEST, made, made_starts);
    check(made_starts[2] <= LONGEST * starts[2], "there is room for the n-grams");
    make_pairs(words, starts, words, starts, 2, pairs, pair_starts);
    make_keys(made, made_starts, 2, 7, made);
    qsort(made, (size_t)made_starts[2], sizeof *made, compare_keys);
    merge_keys(made, made_starts[2], 2, key_starts, values);
    check(key_starts[0] == 0 && key_starts[1] <= key_starts[2] && key_starts[2] <= made_starts[2], "keys are merged");
    free(words);
    free(made);
    free(pairs);
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
    int64_t starts[2] = {0, length};
    Observation *found = observe(text, starts, 1, table, views, MOST_VIEWS, NULL);
    check(found != NULL, "there is memory");
    double times = 0, occurrences = 0;
    for (int64_t i = 0; i < found->key_starts[1]; i++) {
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
    if (found->key_starts[1]) check_rows(found, weights);
    /* not of each text, as these take more time than all else */
    if (length % 8 == 0) {
        check_words(found);
        check_gram(found);
    }
    check_tokens(text, length, table);
    free_observation(found);
    free(text);
    return 0;
}
