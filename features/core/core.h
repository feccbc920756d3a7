/* The compiled core: from the characters of a text to its n-grams, words and layout, and to TF-IDF rows and products.
 *
 * Plain C99 without state: a function reads what it is given, allocates what it returns, and runs in any thread.
 * `library.py` calls it through ctypes, so that it needs neither Python's headers nor a build for each version of it.
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
    uint64_t fingerprint; /* a hash of 64 bits, by which words are looked up */
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

/* Mix a hash over all 64 bits, one to one: the finaliser of SplitMix, Steele, Lea and Flood 2014,
 * https://doi.org/10.1145/2714064.2660195
 */
static inline uint64_t mix64(uint64_t hash) {
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EB;
    return hash ^ hash >> 31;
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

/* The n-grams that are kept, and their weights.
 *
 * `keys` has, for each block of 32 keys, a bit for each that is kept, and in the upper half the number of those kept in
 * the blocks before. The column of a key is the number of kept ones before it.
 */
typedef struct {
    const uint64_t *keys;
    int64_t blocks;
    const float *idf; /* one more than there are columns, `stride` numbers apart */
    int64_t stride;
    const float *counts; /* 1 + ln count, of counts below 256 */
} Kept;

/* What Python gets of texts. The arrays of text i are those from `starts[i]` to `starts[i + 1]`. */
typedef struct {
    int64_t *key_starts, *letter_starts, *word_starts;
    int64_t room; /* for keys */
    uint32_t *keys; /* different ones of a text in rising order: number of the view and bucket */
    float *times; /* how often each occurs */
    uint32_t *letters; /* of the folded words, with line breaks between the words of a text */
    uint64_t *fingerprints; /* hashes of the words */
    double *measures; /* of the layout, MEASURES of each text; NaN for one without the lines of a page */
} Observation;

/* The words of documents, as they are observed. */
typedef struct {
    int64_t count;
    const int64_t *letter_starts, *word_starts;
    const uint32_t *letters;
    const uint64_t *fingerprints;
} Documents;

typedef struct {
    int64_t count;
    uint32_t *keys;
    int32_t *first, *last; /* positions in `places` of the first character of each n-gram, and after its last */
    int64_t size;
    int32_t *places; /* position in the text of each character that n-grams are made of; -1 for white space */
} Occurrences;

/* An open-addressing table of words with their numbers; its size is a power of two and more than it holds. */
typedef struct {
    uint64_t *fingerprints; /* hashes of the words, 0 where nothing is */
    int32_t *numbers;
    int64_t slots;
} Table;

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

/* A word of a text that matters: its place, and the index and entry of a word that it may be misread of; for words of
 * the table the index is -1 and the entry their number.
 */
typedef struct {
    int32_t place, index, entry;
} FoundWord;

typedef struct {
    int64_t count, room;
    FoundWord *words;
} FoundWords;

/* kinds of words of the table: those that are not misread ones, those that are found, prefixes of words that may be
 * broken in two, and these words
 */
enum { SETTLED = 1, WANTED = 2, PREFIX = 4, BREAKABLE = 8 };

/* Words to find in texts, as they are or misread. */
typedef struct {
    Table table;
    const uint8_t *kinds; /* of each word of the table */
    int64_t shortest, longest; /* lengths of words that may be misread */
    int64_t index_count;
    const NearIndex *indexes;
} Vocabulary;

/* A way to write a phrase that begins with a part: its number, and its other parts. */
typedef struct {
    int32_t phrase;
    int32_t begin, end; /* in `rests` */
} Spelling;

/* Keywords, as phrases whose parts are words. */
typedef struct {
    Vocabulary vocabulary;
    const int32_t *word_starts, *word_parts; /* the parts that each word of the table is */
    const int32_t *misread_starts, *misread_parts; /* the part that each entry of each index is */
    const int32_t *spelling_starts; /* of each part */
    const Spelling *spellings;
    const int32_t *rests;
    const int32_t *tolerances; /* wrong letters that each phrase may have */
    const int32_t *owner_starts; /* the keywords, numbered, that each phrase is */
} Keywords;

/* A keyword found in the words from `start` to `end` of a document. */
typedef struct {
    int32_t document, keyword, start, end, is_exact;
} Hit;

typedef struct {
    int64_t count, room;
    Hit *hits;
} Hits;

/* Vectors of the words of a table. */
typedef struct {
    const float *weights, *matrix, *common;
    int64_t size;
} Embedding;

/* A linear map of rows with a sparse and a dense part. */
typedef struct {
    const float *sparse; /* rows `stride` numbers apart */
    const float *dense;
    const float *intercept;
    int64_t sparse_height, dense_height, width, stride;
} LinearMap;

/* text.c */
bool read_text(Reading *reading, const uint32_t *text, int64_t length, const Character *table);
void free_reading(Reading *reading);
uint64_t hash_word(const uint32_t *letters, int64_t length);

/* ngrams.c */
bool find_ngrams(const Reading *reading, const View *view, uint32_t number, Found *found);
int32_t words_in_part(const Line *line, const Word *words, int32_t count, int32_t part, Word *chosen);
void free_found(Found *found);
void sort_keys(uint32_t *keys, uint32_t *spare, int64_t count, uint32_t largest);
int64_t count_runs(uint32_t *keys, uint32_t *spare, int64_t count, float *times);

/* rows.c */
int64_t weigh_row(const Kept *kept, int64_t count, const uint32_t *keys, const float *times, int32_t *columns,
                  float *values);

/* words.c */
int32_t find_number(const Table *table, uint64_t fingerprint);
bool find_words_of(const Vocabulary *vocabulary, const Documents *documents, int64_t document, FoundWords *found);

/* layout.c */
bool measure_layout(const Reading *reading, const uint32_t *text, int64_t length, const Character *table,
                    double *measures);

/* what Python calls */
int64_t find_unknown(const uint32_t *text, int64_t length, int64_t start, const Character *table);
Observation *observe(const uint32_t *texts, const int64_t *starts, int64_t count, const Character *table,
                     const View *views, int32_t view_count, const Kept *kept);
void free_observation(Observation *observation);
Occurrences *locate(const uint32_t *text, int64_t length, const Character *table, const View *view);
void free_occurrences(Occurrences *occurrences);
void compare(const double *measures, int64_t rows, const double *deciles, int64_t steps, float size, float *compared);
int64_t weigh(const Kept *kept, const int64_t *starts, int64_t rows, const uint32_t *keys, const float *times,
              int64_t *row_starts, int32_t *columns, float *values);
void multiply(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values, const float *matrix,
              int64_t height, int64_t width, int64_t stride, double *products);
void multiply_chosen(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                     const float *matrix, int64_t height, int64_t width, const int64_t *chosen, double *products);
void map_rows(const LinearMap *map, const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
              const float *dense, double *mapped);
int64_t put_beside(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                   const float *dense, int64_t width, int32_t first, int64_t *joined_starts, int32_t *joined_columns,
                   float *joined_values);
bool gram_matrix(const int64_t *starts, int64_t column_count, const int32_t *indices, const float *values,
                 int64_t rows, int64_t most, double *products);
void fingerprint_words(const uint32_t *letters, int64_t size, uint64_t *fingerprints);
void fill_table(const Table *table, const uint64_t *fingerprints, int32_t count);
void look_up(const Table *table, const uint64_t *fingerprints, int64_t count, int32_t *numbers);
void count_members(const Table *table, const Documents *documents, const uint32_t *sets, int64_t width,
                   int64_t *counts);
bool embed(const Table *table, const Documents *documents, const Embedding *embedding, bool is_unit, float *vectors);
int64_t skeletons(uint32_t *letters, int64_t size);
void fill_near(const NearIndex *index);
void split_words(const uint32_t *const *texts, const int64_t *lengths, int64_t rows, const Character *table,
                 uint64_t *hashes, int64_t *starts);
void make_ngrams(const uint64_t *words, const int64_t *starts, int64_t rows, int64_t longest, uint64_t *made,
                 int64_t *made_starts);
void make_osb(const uint64_t *words, const int64_t *starts, int64_t rows, int64_t window, uint64_t *made,
              int64_t *made_starts);
void make_pairs(const uint64_t *left, const int64_t *left_starts, const uint64_t *right, const int64_t *right_starts,
                int64_t rows, uint64_t *made, const int64_t *made_starts);
void make_keys(const uint64_t *hashes, const int64_t *starts, int64_t rows, uint64_t salt, uint64_t *keys);
void merge_keys(uint64_t *keys, int64_t count, int64_t rows, int64_t *starts, float *values);
int64_t find_words(const Vocabulary *vocabulary, const Documents *document, FoundWord *words, int64_t room);
Hits *find_keywords(const Keywords *keywords, const Documents *documents);
void free_hits(Hits *hits);

#endif
