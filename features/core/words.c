/* Looking words up: exactly, or as OCR may have misread them.
 *
 * Words come one after the other, separated by line breaks.
 */

#include <string.h>

#include "core.h"

/* Hash of a word, never 0: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv, with code points for bytes. */
static uint64_t hash_word(const uint32_t *letters, int64_t length) {
    uint64_t hash = 0xCBF29CE484222325;
    for (int64_t i = 0; i < length; i++) hash = (hash ^ letters[i]) * 0x100000001B3;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

/* Length of the word that begins at `begin`. */
static int64_t length_of_word(const uint32_t *letters, int64_t size, int64_t begin) {
    int64_t end = begin;
    while (end < size && letters[end] != '\n') end++;
    return end - begin;
}

/* an open-addressing table of hashes, 0 where nothing is, whose size is a power of two and more than it holds */

static int64_t find_slot(const uint64_t *hashes, int64_t slots, uint64_t hash) {
    int64_t slot = (int64_t)hash & (slots - 1);
    while (hashes[slot] && hashes[slot] != hash) slot = (slot + 1) & (slots - 1);
    return slot;
}

/* Fill an empty table with words and their numbers, from 0; of equal words the first counts. */
EXPORTED void fill_table(const uint32_t *letters, int64_t size, uint64_t *hashes, int32_t *numbers, int64_t slots) {
    int32_t number = 0;
    for (int64_t begin = 0; begin <= size; number++) {
        int64_t length = length_of_word(letters, size, begin);
        uint64_t hash = hash_word(letters + begin, length);
        int64_t slot = find_slot(hashes, slots, hash);
        if (!hashes[slot]) numbers[slot] = number;
        hashes[slot] = hash;
        begin += length + 1;
    }
}

/* Give the number of each word, or -1. */
EXPORTED void look_up(const uint32_t *letters, int64_t size, const uint64_t *hashes, const int32_t *numbers,
                      int64_t slots, int32_t *found) {
    for (int64_t begin = 0; begin <= size;) {
        int64_t length = length_of_word(letters, size, begin);
        int64_t slot = find_slot(hashes, slots, hash_word(letters + begin, length));
        *found++ = hashes[slot] ? numbers[slot] : -1;
        begin += length + 1;
    }
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
    NEAR_BITS = 16
};

/* Words with their skeletons, to find those that become equal to another one when letters are deleted from both.
 *
 * Source: W. Garbe, "1000x faster spelling correction: symmetric delete", 2012, https://github.com/wolfgarbe/SymSpell
 */
typedef struct {
    int32_t count;
    int32_t deletions; /* most letters deleted from each, 0 to 2 */
    int64_t shortest, longest; /* lengths of the skeletons */
    const uint32_t *letters, *shapes;
    const int64_t *letter_ends, *shape_ends; /* of each word, from 0: one more than words */
    uint32_t *starts; /* the words of each hash: `owners[starts[hash] .. starts[hash + 1]]` */
    int32_t *owners;
} NearIndex;

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

/* Fill `starts`, of 2^16 + 1 zeros, and `owners`, with room for each choice of each word. */
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

/* Words found: number of the word asked about, of the index, and of the word in it. */
typedef struct {
    int32_t word, index, entry;
} Misread;

/* Find the words of an index that one word may be a misreading of, in rising order; returns how many there are. */
static int64_t find_near(const NearIndex *index, Letters word, Letters shape, int32_t *seen, int32_t mark,
                         Misread *found, int64_t room) {
    uint32_t hashes[MOST_CHOICES];
    int64_t count = 0;
    if (shape.length < index->shortest - index->deletions || shape.length > index->longest + index->deletions) return 0;
    int choices = hash_beginnings(shape.letters, shape.length, index->deletions, hashes);
    for (int i = 0; i < choices; i++) {
        for (uint32_t place = index->starts[hashes[i]]; place < index->starts[hashes[i] + 1]; place++) {
            int32_t entry = index->owners[place];
            if (seen[entry] == mark) continue;
            seen[entry] = mark;
            Letters other = word_of(index->shapes, index->shape_ends, entry);
            if (!become_equal(shape, other, index->deletions, index->deletions)) continue;
            /* a longer word that contains the other is another word */
            if (index->deletions && (contains(word, word_of(index->letters, index->letter_ends, entry)) ||
                                     contains(shape, other)))
                continue;
            int64_t at = count++;
            for (; at > 0 && at <= room && found[at - 1].entry > entry; at--)
                if (at < room) found[at] = found[at - 1];
            if (at < room) found[at].entry = entry;
        }
    }
    return count;
}

/* Find for each word the words of the first index that has any; returns how many there are, -1 without memory.
 *
 * No more than `room` are written.
 */
EXPORTED int64_t find_misread(const uint32_t *letters, int64_t size, const NearIndex *indexes, int32_t index_count,
                              Misread *found, int64_t room) {
    int64_t count = 0, entries = 1;
    for (int32_t i = 0; i < index_count; i++) entries += indexes[i].count;
    uint32_t *shape = array(size, 4);
    int32_t *seen = calloc((size_t)entries, sizeof *seen);
    if (!shape || !seen) count = -1;
    int32_t number = 0, mark = 0;
    for (int64_t begin = 0; count >= 0 && begin <= size; number++) {
        Letters word = {letters + begin, length_of_word(letters, size, begin)};
        memcpy(shape, word.letters, (size_t)word.length * sizeof *shape);
        Letters own = {shape, skeletons(shape, word.length)};
        int64_t more = 0;
        for (int32_t i = 0; i < index_count && !more; i++) {
            Misread *here = found + (count < room ? count : room);
            int64_t left = count < room ? room - count : 0;
            more = find_near(&indexes[i], word, own, seen, ++mark, here, left);
            for (int64_t j = 0; j < more && j < left; j++) here[j] = (Misread){number, i, here[j].entry};
        }
        count += more;
        begin += word.length + 1;
    }
    free(shape);
    free(seen);
    return count;
}
