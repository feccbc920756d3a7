/* Prints hashes of what the compiled core makes of texts, for comparing the core as built for two processors.
 *
 * observe_file TABLE TEXTS: the table of characters, and code points with a zero after each text.
 */

#include <stdio.h>
#include <string.h>

#include "../../../features/core/core.h"

enum { WIDTH = 7, LOGARITHMS = 256 };

static void *read_all(const char *path, size_t width, int64_t *count) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) exit(2);
    long size = ftell(file);
    void *content = array(size, 1);
    rewind(file);
    if (!content || fread(content, 1, (size_t)size, file) != (size_t)size) exit(2);
    fclose(file);
    *count = size / (int64_t)width;
    return content;
}

static void print_hash(const char *name, const void *content, int64_t size) {
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)content)[i]) * 1099511628211u;
    printf("%s %lld bytes %016llx\n", name, (long long)size, (unsigned long long)hash);
}

static void print_observation(const Observation *found, int64_t texts) {
    int64_t keys = found->key_starts[texts];
    print_hash("key starts", found->key_starts, 8 * (texts + 1));
    print_hash("keys", found->keys, 4 * keys);
    print_hash("times", found->times, 4 * keys);
    print_hash("letters", found->letters, 4 * found->letter_starts[texts]);
    print_hash("fingerprints", found->fingerprints, 8 * found->word_starts[texts]);
    print_hash("measures", found->measures, 8 * MEASURES * texts);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    int64_t characters, size, texts = 0;
    const Character *table = read_all(arguments[1], sizeof *table, &characters);
    uint32_t *codes = read_all(arguments[2], sizeof *codes, &size);
    int64_t *starts = array(size + 1, 8), written = 0;
    for (int64_t i = starts[0] = 0; i < size; i++) {
        if (codes[i])
            codes[written++] = codes[i];
        else
            starts[++texts] = written;
    }
    const View views[] = {{true, 1, 2, PAGE, false}, {false, 2, 5, PAGE, false}, {false, 3, 6, PAGE, true}};
    enum { VIEWS = sizeof views / sizeof *views };
    Observation *counted = observe(codes, starts, texts, table, views, VIEWS, NULL);
    if (!counted) return 3;
    print_observation(counted, texts);

    /* all n-grams of the first half of the texts are kept */
    int64_t blocks = (int64_t)VIEWS << (BUCKET_BITS - 5), kept_count = 0;
    uint64_t *keys = calloc((size_t)blocks, 8);
    for (int64_t i = 0; i < counted->key_starts[texts / 2]; i++)
        keys[counted->keys[i] >> 5] |= (uint64_t)1 << (counted->keys[i] & 31);
    for (int64_t block = 0; block < blocks; block++) {
        uint64_t bits = keys[block];
        keys[block] |= (uint64_t)kept_count << 32;
        for (; bits; bits &= bits - 1) kept_count++;
    }
    float *idf = array(kept_count + 1, 4), *weights = array(kept_count * WIDTH, 4), counts[LOGARITHMS];
    for (int64_t i = 0; i <= kept_count; i++) idf[i] = 1 + (float)(i % 1009) / 333;
    for (int64_t i = 0; i < kept_count * WIDTH; i++) weights[i] = (float)(i % 2003) / 777 - 1;
    for (int i = 0; i < LOGARITHMS; i++) counts[i] = 1 + (float)i / 3;
    Kept kept = {keys, blocks, idf, 1, counts};
    Observation *weighed = observe(codes, starts, texts, table, views, VIEWS, &kept);
    if (!weighed) return 3;
    print_observation(weighed, texts);
    double *mapped = array(texts * WIDTH, 8);
    const float zeros[WIDTH] = {0};
    LinearMap map = {weights, zeros, zeros, kept_count, 0, WIDTH, WIDTH};
    map_rows(&map, weighed->key_starts, texts, (const int32_t *)weighed->keys, weighed->times, zeros, mapped);
    print_hash("products", mapped, 8 * WIDTH * texts);
    return 0;
}
