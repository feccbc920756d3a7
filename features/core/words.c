/* Looking words up: exactly, or as OCR may have misread them.
 *
 * Words come one after the other, separated by line breaks.
 */

#include <math.h>
#include <string.h>

#include "core.h"

/* Length of the word that begins at `begin`. */
static int64_t length_of_word(const uint32_t *letters, int64_t size, int64_t begin) {
    int64_t end = begin;
    while (end < size && letters[end] != '\n') end++;
    return end - begin;
}

/* Give the hash of each word. */
EXPORTED void fingerprint_words(const uint32_t *letters, int64_t size, uint64_t *fingerprints) {
    for (int64_t begin = 0; begin <= size;) {
        int64_t length = length_of_word(letters, size, begin);
        *fingerprints++ = hash_word(letters + begin, length);
        begin += length + 1;
    }
}

static int64_t find_slot(const Table *table, uint64_t fingerprint) {
    int64_t slot = (int64_t)fingerprint & (table->slots - 1);
    while (table->fingerprints[slot] && table->fingerprints[slot] != fingerprint)
        slot = (slot + 1) & (table->slots - 1);
    return slot;
}

int32_t find_number(const Table *table, uint64_t fingerprint) {
    int64_t slot = find_slot(table, fingerprint);
    return table->fingerprints[slot] ? table->numbers[slot] : -1;
}

/* Fill an empty table with words, numbered from 0; of equal words the first counts. */
EXPORTED void fill_table(const Table *table, const uint64_t *fingerprints, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        int64_t slot = find_slot(table, fingerprints[i]);
        if (!table->fingerprints[slot]) table->numbers[slot] = i;
        table->fingerprints[slot] = fingerprints[i];
    }
}

/* Give the number of each word, or -1. */
EXPORTED void look_up(const Table *table, const uint64_t *fingerprints, int64_t count, int32_t *numbers) {
    for (int64_t i = 0; i < count; i++) numbers[i] = find_number(table, fingerprints[i]);
}

/* Count the words of each document that are in the table, for each of `width` sets: bit i of `sets[number]` says
 * whether a word is in set i.
 */
EXPORTED void count_members(const Table *table, const Documents *documents, const uint32_t *sets, int64_t width,
                            int64_t *counts) {
    memset(counts, 0, (size_t)(documents->count * width) * sizeof *counts);
    for (int64_t i = 0; i < documents->count; i++) {
        for (int64_t word = documents->word_starts[i]; word < documents->word_starts[i + 1]; word++) {
            int32_t number = find_number(table, documents->fingerprints[word]);
            if (number < 0) continue;
            for (int64_t set = 0; set < width; set++) counts[i * width + set] += sets[number] >> set & 1;
        }
    }
}

/* Write the weighted mean of the words that have a vector, less its component along the unit vector `common`, and if
 * asked for divided by its length; zeros without such a word. `sum` is of the same size.
 */
static void embed_words(const int32_t *numbers, int64_t count, const Embedding *embedding, bool is_unit, double *sum,
                        float *vector) {
    enum { AHEAD = 8, LINE = 16 }; /* words, and numbers that the processor fetches at once */
    const float *weights = embedding->weights, *common = embedding->common;
    double total = 0, along = 0, squares = 0;
    int64_t size = embedding->size;
    memset(sum, 0, (size_t)size * sizeof *sum);
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count && numbers[i + AHEAD] >= 0)
            for (int64_t d = 0; d < size; d += LINE) PREFETCH(embedding->matrix + numbers[i + AHEAD] * size + d);
        if (numbers[i] < 0) continue;
        const float *row = embedding->matrix + numbers[i] * size;
        for (int64_t d = 0; d < size; d++) sum[d] += (double)weights[numbers[i]] * row[d];
        total += weights[numbers[i]];
    }
    for (int64_t d = 0; d < size; d++) along += sum[d] * common[d];
    for (int64_t d = 0; d < size; d++) {
        sum[d] -= along * common[d];
        squares += sum[d] * sum[d];
    }
    double divisor = is_unit ? sqrt(squares) : total;
    for (int64_t d = 0; d < size; d++) vector[d] = divisor > 0 ? (float)(sum[d] / divisor) : 0;
}

/* Write the vector of each document; false if there is no memory. */
EXPORTED bool embed(const Table *table, const Documents *documents, const Embedding *embedding, bool is_unit,
                    float *vectors) {
    double *sum = array(embedding->size, sizeof *sum);
    int32_t *numbers = array(documents->word_starts[documents->count], 4);
    bool done = sum && numbers;
    for (int64_t i = 0; done && i < documents->count; i++) {
        int64_t start = documents->word_starts[i], count = documents->word_starts[i + 1] - start;
        look_up(table, documents->fingerprints + start, count, numbers);
        embed_words(numbers, count, embedding, is_unit, sum, vectors + i * embedding->size);
    }
    free(sum);
    free(numbers);
    return done;
}

/* misread words */

static int64_t replace_pair(uint32_t *letters, int64_t size, uint32_t first, uint32_t second, uint32_t meant) {
    int64_t kept = 0;
    for (int64_t i = 0; i < size; i++) {
        bool is_pair = letters[i] == first && i + 1 < size && letters[i + 1] == second;
        letters[kept++] = is_pair ? meant : letters[i];
        i += is_pair;
    }
    return kept;
}

/* Write folded words with one character for all those that OCR confuses with each other; returns the new size.
 *
 * Source: G. Nagy, T. A. Nartker and S. V. Rice, "Optical character recognition: an illustrated guide to the frontier",
 * 2000.
 */
EXPORTED int64_t skeletons(uint32_t *letters, int64_t size) {
    static const char ALIKE[] = "olz34sg7bg"; /* for the digits from 0 to 9 */
    for (int64_t i = 0; i < size; i++)
        if (letters[i] >= '0' && letters[i] <= '9') letters[i] = (uint32_t)ALIKE[letters[i] - '0'];
    size = replace_pair(letters, size, 'r', 'n', 'm');
    size = replace_pair(letters, size, 'v', 'v', 'w');
    size = replace_pair(letters, size, 'c', 'l', 'd');
    for (int64_t i = 0; i < size; i++)
        if (letters[i] == 'i') letters[i] = 'l';
    return size;
}

enum {
    BEGINNING = 7, /* leading letters by which words are found: few choices of deleted letters, but few collisions */
    MOST_CHOICES = 21,
    NEAR_BITS = 13
};

/* Hash the beginning of a word for every choice of deleted letters, at most 21; returns how many there are. */
static int hash_beginnings(const uint32_t *shape, int64_t length, int deletions, uint32_t *hashes) {
    enum { NONE = BEGINNING };
    int count = 0;
    for (int one = deletions > 0 ? 0 : NONE; one < (deletions > 0 ? BEGINNING : NONE + 1); one++) {
        for (int other = deletions > 1 ? one + 1 : NONE; other < (deletions > 1 ? BEGINNING : NONE + 1); other++) {
            uint32_t hash = 0x811C9DC5;
            for (int i = 0; i < BEGINNING; i++) {
                if (i == one || i == other) continue;
                /* short words are padded with spaces, so that all have one length whichever letters are deleted */
                hash = (hash ^ (i < length ? shape[i] : ' ')) * 0x01000193;
            }
            hashes[count++] = (hash ^ hash >> NEAR_BITS) & ((1u << NEAR_BITS) - 1);
        }
    }
    return count;
}

/* Fill `starts`, of 2^13 + 1 zeros, and `owners`, with room for each choice of each word. */
EXPORTED void fill_near(const NearIndex *index) {
    uint32_t hashes[MOST_CHOICES], total = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t word = 0; word < index->count; word++) {
            int64_t begin = index->shape_ends[word], length = index->shape_ends[word + 1] - begin;
            int count = hash_beginnings(index->shapes + begin, length, index->deletions, hashes);
            for (int i = 0; i < count; i++) {
                /* first counted, then, from the end of each hash to its start, written */
                if (pass == 0)
                    index->starts[hashes[i]]++;
                else
                    index->owners[--index->starts[hashes[i]]] = word;
            }
        }
        for (int hash = 0; pass == 0 && hash < 1 << NEAR_BITS; hash++) {
            total += index->starts[hash];
            index->starts[hash] = total;
        }
    }
    index->starts[1 << NEAR_BITS] = total;
}

typedef struct {
    const uint32_t *letters;
    int64_t length;
} Letters;

static bool become_equal(Letters left, Letters right, int from_left, int from_right) {
    int64_t at = 0, shorter = left.length < right.length ? left.length : right.length;
    while (at < shorter && left.letters[at] == right.letters[at]) at++;
    if (at == shorter) return -from_right <= left.length - right.length && left.length - right.length <= from_left;
    left = (Letters){left.letters + at, left.length - at};
    right = (Letters){right.letters + at, right.length - at};
    Letters left_less = {left.letters + 1, left.length - 1}, right_less = {right.letters + 1, right.length - 1};
    return (from_left > 0 && become_equal(left_less, right, from_left - 1, from_right)) ||
           (from_right > 0 && become_equal(left, right_less, from_left, from_right - 1));
}

static bool contains(Letters whole, Letters part) {
    for (int64_t i = 0; i + part.length <= whole.length; i++)
        if (!memcmp(whole.letters + i, part.letters, (size_t)part.length * sizeof *part.letters)) return true;
    return false;
}

static Letters word_of(const uint32_t *letters, const int64_t *ends, int32_t number) {
    return (Letters){letters + ends[number], ends[number + 1] - ends[number]};
}

static bool is_number(Letters word) {
    for (int64_t i = 0; i < word.length; i++)
        if (word.letters[i] < '0' || word.letters[i] > '9') return false;
    return true;
}

static bool put_found(FoundWords *found, FoundWord word) {
    if (found->count == found->room) {
        int64_t room = 2 * found->room + 64;
        FoundWord *words = realloc(found->words, (size_t)room * sizeof *words);
        if (!words) return false;
        found->words = words;
        found->room = room;
    }
    found->words[found->count++] = word;
    return true;
}

/* Find the words of an index that one word may be a misreading of, in rising order; false if there is no memory. */
static bool find_near(const NearIndex *index, int32_t number, int32_t place, Letters word, Letters shape, int32_t *seen,
                      int32_t mark, FoundWords *found) {
    uint32_t hashes[MOST_CHOICES];
    if (shape.length < index->shortest - index->deletions || shape.length > index->longest + index->deletions)
        return true;
    int choices = hash_beginnings(shape.letters, shape.length, index->deletions, hashes);
    int64_t first = found->count;
    for (int i = 0; i < choices; i++) {
        for (uint32_t owner = index->starts[hashes[i]]; owner < index->starts[hashes[i] + 1]; owner++) {
            int32_t entry = index->owners[owner];
            if (seen[entry] == mark) continue;
            seen[entry] = mark;
            Letters other = word_of(index->shapes, index->shape_ends, entry);
            if (!become_equal(shape, other, index->deletions, index->deletions)) continue;
            /* a longer word that contains the other is another word */
            if (index->deletions &&
                (contains(word, word_of(index->letters, index->letter_ends, entry)) || contains(shape, other)))
                continue;
            if (!put_found(found, (FoundWord){place, number, entry})) return false;
            for (int64_t at = found->count - 1; at > first && found->words[at - 1].entry > entry; at--) {
                found->words[at] = found->words[at - 1];
                found->words[at - 1].entry = entry;
            }
        }
    }
    return true;
}

/* Find the words of a document that are wanted, or that may be misread; false if there is no memory.
 *
 * Each misread word is found in the first index that has any that is near. Numbers are no misread words, since other
 * numbers are near by chance.
 */
bool find_words_of(const Vocabulary *vocabulary, const Documents *documents, int64_t document, FoundWords *found) {
    const uint64_t *fingerprints = documents->fingerprints + documents->word_starts[document];
    const uint32_t *letters = documents->letters + documents->letter_starts[document];
    int64_t size = documents->letter_starts[document + 1] - documents->letter_starts[document];
    int64_t count = documents->word_starts[document + 1] - documents->word_starts[document];
    int64_t entries = 1, begin = 0;
    for (int64_t i = 0; i < vocabulary->index_count; i++)
        if (vocabulary->indexes[i].count > entries) entries = vocabulary->indexes[i].count;
    uint32_t *shape = array(vocabulary->longest, 4);
    int32_t *seen = calloc((size_t)entries, sizeof *seen), mark = 0;
    bool done = shape && seen;
    found->count = 0;
    for (int32_t place = 0; done && place < count; place++) {
        Letters word = {letters + begin, length_of_word(letters, size, begin)};
        begin += word.length + 1;
        int32_t number = find_number(&vocabulary->table, fingerprints[place]);
        if (number >= 0 && vocabulary->kinds[number] & WANTED) done = put_found(found, (FoundWord){place, -1, number});
        if ((number >= 0 && vocabulary->kinds[number] & SETTLED) || word.length < vocabulary->shortest ||
            word.length > vocabulary->longest || is_number(word))
            continue;
        memcpy(shape, word.letters, (size_t)word.length * sizeof *shape);
        Letters own = {shape, skeletons(shape, word.length)};
        int64_t before = found->count;
        for (int32_t i = 0; done && i < vocabulary->index_count && found->count == before; i++)
            done = find_near(&vocabulary->indexes[i], i, place, word, own, seen, ++mark, found);
    }
    free(shape);
    free(seen);
    return done;
}

/* Write up to `room` words of a document that are wanted, or that may be misread; returns how many there are, or -1. */
EXPORTED int64_t find_words(const Vocabulary *vocabulary, const Documents *document, FoundWord *words, int64_t room) {
    FoundWords found = {0};
    int64_t count = find_words_of(vocabulary, document, 0, &found) ? found.count : -1;
    if (count > 0) memcpy(words, found.words, (size_t)(count < room ? count : room) * sizeof *words);
    free(found.words);
    return count;
}
