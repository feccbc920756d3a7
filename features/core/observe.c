/* What Python asks of a text: counts of n-grams, words and layout; or where n-grams are. */

#include <string.h>

#include "core.h"

EXPORTED void free_observation(Observation *observation) {
    if (!observation) return;
    free(observation->key_starts);
    free(observation->letter_starts);
    free(observation->word_starts);
    free(observation->keys);
    free(observation->times);
    free(observation->letters);
    free(observation->fingerprints);
    free(observation->measures);
    free(observation);
}

static Observation *allocate_observation(int64_t texts, int64_t characters) {
    Observation *observation = calloc(1, sizeof *observation);
    if (!observation) return NULL;
    *observation = (Observation){
        .key_starts = array(texts + 1, 8),
        .letter_starts = array(texts + 1, 8),
        .word_starts = array(texts + 1, 8),
        .letters = array(characters, 4),
        .fingerprints = array(characters, 8),
        .measures = array(texts * MEASURES, sizeof(double)),
    };
    if (observation->key_starts && observation->letter_starts && observation->word_starts && observation->letters &&
        observation->fingerprints && observation->measures) {
        observation->key_starts[0] = observation->letter_starts[0] = observation->word_starts[0] = 0;
        return observation;
    }
    free_observation(observation);
    return NULL;
}

static bool reserve_keys(Observation *observation, int64_t size) {
    if (observation->keys && size <= observation->room) return true;
    /* also texts without n-grams get an array */
    int64_t room = size < observation->room * 2 ? observation->room * 2 : size + 1;
    uint32_t *keys = realloc(observation->keys, (size_t)room * 4);
    if (keys) observation->keys = keys;
    float *times = realloc(observation->times, (size_t)room * 4);
    if (times) observation->times = times;
    if (!keys || !times) return false;
    observation->room = room;
    return true;
}

static void write_words(const Reading *reading, int64_t text, Observation *observation) {
    uint32_t *letters = observation->letters + observation->letter_starts[text];
    uint64_t *fingerprints = observation->fingerprints + observation->word_starts[text];
    for (int32_t i = 0; i < reading->word_count; i++) {
        Word word = reading->words[i];
        if (i) *letters++ = '\n';
        memcpy(letters, reading->folded.codes + word.begin, (size_t)(word.end - word.begin) * sizeof *letters);
        letters += word.end - word.begin;
        fingerprints[i] = word.fingerprint;
    }
    observation->letter_starts[text + 1] = letters - observation->letters;
    observation->word_starts[text + 1] = observation->word_starts[text] + reading->word_count;
}

/* Count the n-grams that were found, or with `kept` weigh them: then keys and times are columns and values. */
static bool write_keys(Found *found, uint32_t largest, const Kept *kept, int64_t text, Observation *observation) {
    int64_t start = observation->key_starts[text];
    uint32_t *spare = array(found->count, 4);
    bool done = spare && reserve_keys(observation, start + found->count);
    if (done) {
        uint32_t *keys = observation->keys + start;
        float *times = observation->times + start;
        sort_keys(found->keys, spare, found->count, largest);
        int64_t count = count_runs(found->keys, spare, found->count, times);
        if (kept)
            count = weigh_row(kept, count, found->keys, times, (int32_t *)keys, times);
        else if (count)
            memcpy(keys, found->keys, (size_t)count * 4);
        observation->key_starts[text + 1] = start + count;
    }
    free(spare);
    return done;
}

/* Count the n-grams of texts in several views, find their words and measure their layout; NULL if there is no memory.
 *
 * With `kept`, keys and times are the columns and values of the TF-IDF rows.
 */
EXPORTED Observation *observe(const uint32_t *texts, const int64_t *starts, int64_t count, const Character *table,
                              const View *views, int32_t view_count, const Kept *kept) {
    Observation *observation = allocate_observation(count, starts[count]);
    Found found = {0};
    bool done = observation != NULL;
    for (int64_t i = 0; done && i < count; i++) {
        Reading reading;
        const uint32_t *text = texts + starts[i];
        int64_t length = starts[i + 1] - starts[i];
        found.count = 0;
        done = read_text(&reading, text, length, table);
        for (int32_t view = 0; done && view < view_count; view++)
            done = find_ngrams(&reading, &views[view], (uint32_t)view, &found);
        if (done) write_words(&reading, i, observation);
        done = done && write_keys(&found, ((uint32_t)view_count << BUCKET_BITS) - 1, kept, i, observation) &&
               measure_layout(&reading, text, length, table, observation->measures + i * MEASURES);
        free_reading(&reading);
    }
    free_found(&found);
    if (done) return observation;
    free_observation(observation);
    return NULL;
}

EXPORTED void free_occurrences(Occurrences *occurrences) {
    if (!occurrences) return;
    free(occurrences->keys);
    free(occurrences->first);
    free(occurrences->last);
    free(occurrences->places);
    free(occurrences);
}

/* Find where the n-grams of a view are; NULL if there is no memory. */
EXPORTED Occurrences *locate(const uint32_t *text, int64_t length, const Character *table, const View *view) {
    Reading reading;
    Found found = {.with_positions = true};
    Occurrences *occurrences = calloc(1, sizeof *occurrences);
    bool done = read_text(&reading, text, length, table) && occurrences && find_ngrams(&reading, view, 0, &found);
    if (done) {
        const Line *line = view->is_shape ? &reading.shapes : &reading.folded;
        *occurrences = (Occurrences){found.count, found.keys, found.first, found.last, 0, array(line->size, 4)};
        found = (Found){0};
        done = occurrences->places != NULL;
    }
    if (done && view->is_word) {
        /* only the characters of the words count: from numbers of words to positions of characters */
        int32_t count = words_in_part(&reading.folded, reading.words, reading.word_count, view->part, reading.chosen);
        for (int32_t i = 0; i < count; i++) {
            Word *word = &reading.chosen[i];
            int32_t length_of_word = word->end - word->begin;
            memcpy(occurrences->places + occurrences->size, reading.folded.places + word->begin,
                   (size_t)length_of_word * 4);
            word->begin = (int32_t)occurrences->size;
            word->end = word->begin + length_of_word;
            occurrences->size = word->end;
        }
        for (int64_t i = 0; i < occurrences->count; i++) {
            occurrences->first[i] = reading.chosen[occurrences->first[i]].begin;
            occurrences->last[i] = reading.chosen[occurrences->last[i] - 1].end;
        }
    } else if (done) {
        const Line *line = view->is_shape ? &reading.shapes : &reading.folded;
        occurrences->size = line->size;
        memcpy(occurrences->places, line->places, (size_t)line->size * 4);
    }
    free_reading(&reading);
    free_found(&found);
    if (done) return occurrences;
    free_occurrences(occurrences);
    return NULL;
}
