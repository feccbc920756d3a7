/* Finding keywords: phrases whose parts follow each other, as they are written, misread, or with a space added. */

#include <string.h>

#include "core.h"

/* A part of keywords that begins at a word: over how many words, and with how many wrong letters. */
typedef struct {
    int32_t part, width, wrong;
    bool is_exact;
} Step;

typedef struct {
    int64_t count, room;
    Step *steps;
    int32_t *starts; /* of the steps of each word */
} Steps;

/* Put a step in the place of the one over the same part, or behind those from `first` on; false without memory. */
static bool put_step(Steps *steps, int64_t first, Step step) {
    for (int64_t i = first; i < steps->count; i++) {
        if (steps->steps[i].part != step.part) continue;
        steps->steps[i] = step;
        return true;
    }
    if (steps->count == steps->room) {
        int64_t room = 2 * steps->room + 64;
        Step *more = realloc(steps->steps, (size_t)room * sizeof *more);
        if (!more) return false;
        steps->steps = more;
        steps->room = room;
    }
    steps->steps[steps->count++] = step;
    return true;
}

/* Put a step for each part that a word is. */
static bool put_parts(const Keywords *keywords, int32_t number, int32_t width, Steps *steps, int64_t first) {
    bool done = true;
    for (int32_t i = keywords->word_starts[number]; done && i < keywords->word_starts[number + 1]; i++)
        done = put_step(steps, first, (Step){keywords->word_parts[i], width, 0, true});
    return done;
}

/* Find the number of the word that two successive words are together, if it is one that may be broken; else -1. */
static int32_t find_broken(const Vocabulary *vocabulary, const uint32_t *letters, int64_t size, int64_t begin,
                           uint32_t *joined) {
    int64_t length = 0;
    int gaps = 0;
    for (int64_t i = begin; i < size && length <= vocabulary->longest; i++) {
        if (letters[i] == '\n' && gaps++) break;
        if (letters[i] != '\n') joined[length++] = letters[i];
    }
    if (length > vocabulary->longest) return -1;
    int32_t number = find_number(&vocabulary->table, hash_word(joined, length));
    return number >= 0 && vocabulary->kinds[number] & BREAKABLE ? number : -1;
}

/* Write the steps from each word of a document; false if there is no memory. `joined` has room for the longest word. */
static bool find_steps(const Keywords *keywords, const Documents *documents, int64_t document, const FoundWords *found,
                       uint32_t *joined, Steps *steps) {
    const Vocabulary *vocabulary = &keywords->vocabulary;
    const uint32_t *letters = documents->letters + documents->letter_starts[document];
    int64_t size = documents->letter_starts[document + 1] - documents->letter_starts[document];
    int64_t count = documents->word_starts[document + 1] - documents->word_starts[document], next = 0, begin = 0;
    bool done = true;
    steps->count = 0;
    for (int32_t place = 0; place < count; place++) {
        int64_t first = steps->count;
        steps->starts[place] = (int32_t)first;
        for (; done && next < found->count && found->words[next].place == place; next++) {
            FoundWord word = found->words[next];
            if (word.index >= 0) {
                int32_t part = keywords->misread_parts[keywords->misread_starts[word.index] + word.entry];
                done = put_step(steps, first, (Step){part, 1, word.index, false});
                continue;
            }
            done = put_parts(keywords, word.entry, 1, steps, first);
            int32_t broken = vocabulary->kinds[word.entry] & PREFIX && place + 1 < count
                                 ? find_broken(vocabulary, letters, size, begin, joined)
                                 : -1;
            if (done && broken >= 0) done = put_parts(keywords, broken, 2, steps, first);
        }
        while (begin < size && letters[begin] != '\n') begin++;
        begin++;
    }
    steps->starts[count] = steps->starts[count + 1] = (int32_t)steps->count;
    return done && steps->count <= INT32_MAX;
}

static const Step *step_over(const Steps *steps, int32_t place, int32_t part) {
    for (int32_t i = steps->starts[place]; i < steps->starts[place + 1]; i++)
        if (steps->steps[i].part == part) return &steps->steps[i];
    return NULL;
}

static bool put_hit(Hits *found, Hit hit) {
    if (found->count == found->room) {
        int64_t room = 2 * found->room + 64;
        Hit *hits = realloc(found->hits, (size_t)room * sizeof *hits);
        if (!hits) return false;
        found->hits = hits;
        found->room = room;
    }
    found->hits[found->count++] = hit;
    return true;
}

/* Put the hit of a phrase among those from `first` on, which begin at the same word, in the order of the phrases; of
 * two the exact one counts, and of two exact ones the last.
 */
static bool put_phrase(Hits *found, int64_t first, Hit hit) {
    int64_t at = found->count;
    for (; at > first && found->hits[at - 1].keyword >= hit.keyword; at--) {
        if (found->hits[at - 1].keyword > hit.keyword) continue;
        if (hit.is_exact) found->hits[at - 1] = hit;
        return true;
    }
    if (!put_hit(found, hit)) return false;
    memmove(found->hits + at + 1, found->hits + at, (size_t)(found->count - 1 - at) * sizeof hit);
    found->hits[at] = hit;
    return true;
}

/* Find the phrases that begin at a word. */
static bool find_phrases(const Keywords *keywords, const Steps *steps, int32_t document, int32_t start, Hits *found) {
    int64_t first = found->count;
    bool done = true;
    for (int32_t i = steps->starts[start]; i < steps->starts[start + 1]; i++) {
        Step step = steps->steps[i];
        for (int32_t j = keywords->spelling_starts[step.part]; j < keywords->spelling_starts[step.part + 1]; j++) {
            Spelling spelling = keywords->spellings[j];
            const Step *next = &step;
            Hit hit = {document, spelling.phrase, start, start + step.width, step.is_exact};
            int32_t wrong = step.wrong;
            for (int32_t rest = spelling.begin; next && rest < spelling.end; rest++) {
                next = step_over(steps, hit.end, keywords->rests[rest]);
                if (!next) break;
                hit.end += next->width;
                wrong += next->wrong;
                hit.is_exact = hit.is_exact && next->is_exact;
            }
            if (next && wrong <= keywords->tolerances[spelling.phrase]) done = done && put_phrase(found, first, hit);
        }
    }
    return done;
}

EXPORTED void free_hits(Hits *hits) {
    if (!hits) return;
    free(hits->hits);
    free(hits);
}

/* Find the keywords of documents, in the order of documents, words and phrases; NULL if there is no memory. */
EXPORTED Hits *find_keywords(const Keywords *keywords, const Documents *documents) {
    FoundWords words = {0};
    Steps steps = {0};
    Hits phrases = {0}, *hits = calloc(1, sizeof *hits);
    uint32_t *joined = array(keywords->vocabulary.longest + 1, 4);
    bool done = hits && joined;
    for (int32_t document = 0; done && document < documents->count; document++) {
        int64_t count = documents->word_starts[document + 1] - documents->word_starts[document];
        int32_t *starts = realloc(steps.starts, (size_t)(count + 2) * 4);
        if (starts) steps.starts = starts;
        phrases.count = 0;
        done = starts && find_words_of(&keywords->vocabulary, documents, document, &words) &&
               find_steps(keywords, documents, document, &words, joined, &steps);
        for (int32_t start = 0; done && start < count; start++)
            done = find_phrases(keywords, &steps, document, start, &phrases);
        for (int64_t i = 0; i < phrases.count; i++) {
            Hit hit = phrases.hits[i];
            int32_t phrase = hit.keyword;
            for (hit.keyword = keywords->owner_starts[phrase]; done && hit.keyword < keywords->owner_starts[phrase + 1];
                 hit.keyword++)
                done = put_hit(hits, hit);
        }
    }
    free(words.words);
    free(steps.steps);
    free(steps.starts);
    free(phrases.hits);
    free(joined);
    if (done) return hits;
    free_hits(hits);
    return NULL;
}
