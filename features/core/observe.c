/* What Python asks of a text: counts of n-grams, words and layout; or where n-grams are. */

#include <string.h>

#include "core.h"

EXPORTED void free_observation(Observation *observation) {
    if (!observation) return;
    free(observation->keys);
    free(observation->times);
    free(observation->letters);
    free(observation->fingerprints);
    free(observation);
}

static void write_words(const Reading *reading, Observation *observation) {
    uint32_t *letters = observation->letters;
    observation->word_count = reading->word_count;
    for (int32_t i = 0; i < reading->word_count; i++) {
        Word word = reading->words[i];
        if (i) *letters++ = '\n';
        memcpy(letters, reading->folded.codes + word.begin, (size_t)(word.end - word.begin) * sizeof *letters);
        letters += word.end - word.begin;
        observation->fingerprints[i] = word.fingerprint;
    }
    observation->size = letters - observation->letters;
}

/* Count the n-grams of a text in several views, find its words and measure its layout; NULL if there is no memory.
 *
 * With `kept`, keys and times become the columns and values of the TF-IDF row.
 */
static Observation *observe(const uint32_t *text, int64_t length, const Character *table, const View *views,
                            int32_t view_count, const Kept *kept) {
    Reading reading;
    Found found = {0};
    uint32_t *spare = NULL;
    Observation *observation = calloc(1, sizeof *observation);
    bool done = read_text(&reading, text, length, table) && observation;
    for (int32_t i = 0; done && i < view_count; i++) done = find_ngrams(&reading, &views[i], (uint32_t)i, &found);
    if (done) {
        observation->times = array(found.count, 4);
        observation->letters = array(length, 4);
        observation->fingerprints = array(reading.word_count, 8);
        spare = array(found.count, 4);
        done = observation->times && observation->letters && observation->fingerprints && spare &&
               measure_layout(&reading, text, length, table, observation->measures);
    }
    if (done) {
        sort_keys(found.keys, spare, found.count, ((uint32_t)view_count << BUCKET_BITS) - 1);
        observation->count = count_runs(found.keys, spare, found.count, observation->times);
        observation->keys = found.keys;
        found.keys = NULL;
        if (kept)
            observation->count = weigh_row(kept, observation->count, observation->keys, observation->times,
                                           (int32_t *)observation->keys, observation->times);
        write_words(&reading, observation);
    }
    free_reading(&reading);
    free_found(&found);
    free(spare);
    if (done) return observation;
    free_observation(observation);
    return NULL;
}

/* Observe texts one after the other; false if there is no memory, and the rest is NULL. */
EXPORTED bool observe_all(const uint32_t *const *texts, const int64_t *lengths, int64_t count, const Character *table,
                          const View *views, int32_t view_count, const Kept *kept, Observation **found) {
    bool done = true;
    for (int64_t i = 0; i < count; i++) {
        found[i] = done ? observe(texts[i], lengths[i], table, views, view_count, kept) : NULL;
        done = found[i] != NULL;
    }
    return done;
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
