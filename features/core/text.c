/* Reading a text: folded, split at white space, marked by the parts of the page, and its words. */

#include <string.h>

#include "core.h"

enum {
    TOP_LINES = 10,
    HEAD_LINES = 5,
    LONGEST_LINE = 100, /* characters per line that the first lines of a page have on average at most */
    TAIL_CHARACTERS = 300,
    MEAN_LINE = 150, /* mean characters per line above which line breaks end paragraphs, not lines of a page */
    LONGEST_LABEL = 26 /* characters of a label before its colon */
};

/* Position of the first character from `start` on that the table does not know yet, or -1. */
EXPORTED int64_t find_unknown(const uint32_t *text, int64_t length, int64_t start, const Character *table) {
    for (int64_t i = start; i < length; i++)
        if (!table[text[i]].kinds) return i;
    return -1;
}

static void free_line(Line *line) {
    free(line->codes);
    free(line->places);
    free(line->room);
    free(line->parts);
}

static bool allocate_line(Line *line, int64_t length) {
    int64_t size = length + 2;
    *line = (Line){.codes = array(size, 4), .places = array(size, 4), .room = array(size, 4), .parts = array(size, 1)};
    return line->codes && line->places && line->room && line->parts;
}

static void put(Line *line, uint32_t code, int32_t place) {
    line->codes[line->size] = code;
    line->places[line->size++] = place;
}

/* The folded text: a run of white space is one line break if it contains one, else one space. */
static void read_folded(Line *line, const uint32_t *text, int32_t length, const Character *table) {
    put(line, '\n', -1);
    for (int32_t i = 0; i < length; i++) {
        Character character = table[text[i]];
        if (!(character.kinds & SPACE)) {
            put(line, character.folded, i);
            continue;
        }
        if (!is_gap(line->codes[line->size - 1])) put(line, ' ', -1);
        if (text[i] == '\n') line->codes[line->size - 1] = '\n';
    }
    if (is_gap(line->codes[line->size - 1])) line->size--;
    put(line, '\n', -1);
}

/* A letter for the kind of each character, with runs cut to two; white space is a kind like others in its line. */
static void read_shapes(Line *line, const uint32_t *text, int32_t length, const Character *table) {
    uint8_t last = '\n', last_but_one = 0;
    put(line, '\n', -1);
    for (int32_t i = 0; i < length; i++) {
        uint8_t shape = table[text[i]].shape;
        bool is_break = shape == '\n', is_third = shape == last && shape == last_but_one;
        if (is_break ? line->codes[line->size - 1] != '\n' : !is_third) put(line, shape, is_break ? -1 : i);
        last_but_one = last;
        last = shape;
    }
    if (line->codes[line->size - 1] != '\n') put(line, '\n', -1);
}

static void measure_room(Line *line) {
    int32_t gap = line->size - 1;
    line->room[gap] = 1;
    for (int32_t i = gap - 1; i >= 0; i--) {
        line->room[i] = gap - i + 1;
        if (is_gap(line->codes[i])) gap = i;
    }
}

/* parts of a page */

/* Mark the characters before a colon, on its line. */
static void mark_labels(Line *line) {
    int32_t line_begin = 1, after_colon = 1;
    for (int32_t i = 1; i < line->size - 1; i++) {
        if (line->codes[i] == '\n') line_begin = i + 1;
        if (line->codes[i] != ':') continue;
        int32_t first = i - LONGEST_LABEL;
        if (first < line_begin) first = line_begin;
        if (first < after_colon) first = after_colon;
        if (is_gap(line->codes[first - 1])) first--;
        for (int32_t j = first; j <= i; j++) line->parts[j] |= LABELS;
        after_colon = i + 1;
    }
}

/* Mark the parts that each character is in; white space is in those of the next piece of the line. */
static void mark_parts(Line *line, bool has_lines) {
    int32_t last_gap = line->size - 1, lines = -1;
    bool opened_line = false;
    uint8_t parts = PAGE;
    for (int32_t i = 0; i < last_gap; i++) {
        if (is_gap(line->codes[i])) {
            bool opens_line = line->codes[i] == '\n';
            lines += opens_line;
            parts = PAGE;
            if (lines < TOP_LINES && i < TOP_LINES * LONGEST_LINE) parts |= TOP;
            if (lines < HEAD_LINES && i < HEAD_LINES * LONGEST_LINE) parts |= HEAD;
            if (last_gap - (i + 1) <= TAIL_CHARACTERS) parts |= TAIL;
            if (has_lines && (opens_line || opened_line)) parts |= STARTS;
            opened_line = opens_line;
        }
        line->parts[i] = parts;
    }
    line->parts[last_gap] = parts;
    mark_labels(line);
}

/* words */

/* Hash of a word, never 0: a polynomial of its characters, mixed over all 64 bits.
 *
 * Source: Karp and Rabin 1987, https://doi.org/10.1147/rd.312.0249
 */
uint64_t hash_word(const uint32_t *letters, int64_t length) {
    uint64_t hash = 0, power = 1;
    for (int64_t i = 0; i < length; i++, power *= 0xD6E8FEB86659FD93) hash += (letters[i] + (uint64_t)1) * power;
    hash = mix64(hash);
    return hash ? hash : 1;
}

/* Find the runs of letters and digits; `words` has room for one in two characters. */
static int32_t split_line(const Line *line, const uint32_t *text, const Character *table, Word *words) {
    int32_t count = 0;
    uint32_t power = 0;
    bool inside = false;
    for (int32_t i = 0; i < line->size; i++) {
        bool is_letter = line->places[i] >= 0 && table[text[line->places[i]]].kinds & LETTER;
        if (is_letter && !inside) {
            words[count++] = (Word){.begin = i};
            power = 1;
        }
        if (is_letter) {
            words[count - 1].hash += (line->codes[i] + 1) * power;
            words[count - 1].end = i + 1;
            power *= HASH_BASE;
        }
        inside = is_letter;
    }
    for (int32_t i = 0; i < count; i++)
        words[i].fingerprint = hash_word(line->codes + words[i].begin, words[i].end - words[i].begin);
    return count;
}

/* Return whether a text has the lines of a page: not if it is white space only, or if its lines are very long. */
static bool has_lines(const uint32_t *text, int32_t length, const Character *table) {
    int64_t breaks = 0, doubled = 0;
    bool is_blank = true, was_break = false;
    for (int32_t i = 0; i < length; i++) {
        bool is_break = text[i] == '\n';
        breaks += is_break;
        doubled += is_break && was_break;
        was_break = is_break && !was_break;
        is_blank &= (table[text[i]].kinds & BLANK) != 0;
    }
    int64_t lines = breaks + 1 - doubled;
    return !is_blank && length <= MEAN_LINE * (lines > 1 ? lines : 1);
}

void free_reading(Reading *reading) {
    free_line(&reading->folded);
    free_line(&reading->shapes);
    free(reading->words);
    free(reading->chosen);
}

/* Read a text; false if there is no memory, or it is too long. What it allocates is freed by `free_reading`. */
bool read_text(Reading *reading, const uint32_t *text, int64_t length, const Character *table) {
    memset(reading, 0, sizeof *reading);
    reading->words = array(length / 2 + 2, sizeof(Word));
    reading->chosen = array(length / 2 + 2, sizeof(Word));
    if (length > INT32_MAX - 2 || !reading->words || !reading->chosen || !allocate_line(&reading->folded, length) ||
        !allocate_line(&reading->shapes, length))
        return false;
    read_folded(&reading->folded, text, (int32_t)length, table);
    read_shapes(&reading->shapes, text, (int32_t)length, table);
    measure_room(&reading->folded);
    measure_room(&reading->shapes);
    reading->has_lines = has_lines(text, (int32_t)length, table);
    mark_parts(&reading->folded, reading->has_lines);
    memset(reading->shapes.parts, PAGE, (size_t)reading->shapes.size);
    reading->word_count = split_line(&reading->folded, text, table, reading->words);
    return true;
}
