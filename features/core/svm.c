/* Linear SVMs, one for each category against the rest, of sparse rows.
 *
 * Source: C.-J. Hsieh, K.-W. Chang, C.-J. Lin, S. S. Keerthi and S. Sundararajan, "A dual coordinate descent method for
 * large-scale linear SVM", ICML 2008, with squared hinge loss, and shrinking as in LIBLINEAR. All categories take the
 * rows in the same order, so that each row, and the weights of its columns, come from memory once for all.
 */

#include <math.h>
#include <string.h>

#include "core.h"

enum { AHEAD = 12, LANES = 4 };

/* Add a multiple of numbers, four at a time, as many machines can. */
static inline void add_scaled(float *restrict sums, const float *restrict numbers, float value, int32_t count) {
    for (int32_t k = 0; k < count; k += LANES)
        for (int32_t lane = 0; lane < LANES; lane++) sums[k + lane] += value * numbers[k + lane];
}

/* Where the descent is. */
typedef struct {
    const double *costs;
    float *alphas; /* of each row and category, also below */
    uint8_t *resting; /* rows whose alpha most likely stays 0 */
    double *largest, *smallest, *bound; /* of each category: projected gradients of this pass; from where a row rests */
    bool *done;
    int64_t *resting_count;
} Course;

/* SplitMix: see `mix64` */
static uint64_t draw(uint64_t *state, uint64_t below) {
    *state += 0x9E3779B97F4A7C15;
    return mix64(*state) % below;
}

/* Change the alphas of a row, of given margins and squared length; writes how much each weight changes by value.
 *
 * Returns whether any does; the row is `live` if it does not rest for all categories.
 */
static bool step(const Course *course, int64_t row, int32_t target, double square, const float *margins,
                 int32_t categories, float *changes, bool *live) {
    double diagonal = 0.5 / course->costs[row], curvature = square + diagonal;
    bool is_any = false;
    *live = false;
    for (int32_t k = 0; k < categories; k++) {
        int64_t place = row * categories + k;
        changes[k] = 0;
        if (course->done[k] || course->resting[place]) continue;
        double sign = target == k ? 1 : -1, alpha = course->alphas[place];
        double gradient = sign * (double)margins[k] - 1 + diagonal * alpha, projected = gradient;
        if (alpha == 0) {
            if (gradient > course->bound[k]) {
                course->resting[place] = true;
                course->resting_count[k]++;
                continue;
            }
            projected = gradient < 0 ? gradient : 0;
        }
        *live = true;
        if (projected > course->largest[k]) course->largest[k] = projected;
        if (projected < course->smallest[k]) course->smallest[k] = projected;
        if (fabs(projected) < 1e-12) continue;
        double moved = alpha - gradient / curvature;
        course->alphas[place] = moved > 0 ? (float)moved : 0;
        changes[k] = (float)(((double)course->alphas[place] - alpha) * sign);
        is_any = true;
    }
    return is_any;
}

/* After a pass: end categories that are within the tolerance, once no row rests; returns whether any goes on. */
static bool end_pass(const Course *course, int64_t rows, int32_t categories, double tolerance, bool *woken) {
    bool goes_on = false;
    *woken = false;
    for (int32_t k = 0; k < categories; k++) {
        if (course->done[k]) continue;
        bool is_near = course->largest[k] - course->smallest[k] <= tolerance;
        course->bound[k] = !is_near && course->largest[k] > 0 ? course->largest[k] : INFINITY;
        if (is_near && !course->resting_count[k]) {
            course->done[k] = true;
            continue;
        }
        if (is_near) {
            for (int64_t row = 0; row < rows; row++) course->resting[row * categories + k] = false;
            course->resting_count[k] = 0;
            *woken = true;
        }
        course->largest[k] = -INFINITY;
        course->smallest[k] = INFINITY;
        goes_on = true;
    }
    return goes_on;
}

static void run(Course *course, const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                const int32_t *targets, int32_t categories, double tolerance, int32_t passes, uint64_t seed,
                float *weights, float *constants, const double *squares, int64_t *order, float *margins,
                float *changes) {
    int32_t stride = (categories + LANES - 1) / LANES * LANES;
    int64_t live_rows = rows;
    for (int64_t i = 0; i < rows; i++) order[i] = i;
    for (int32_t pass = 0; pass < passes; pass++) {
        for (int64_t i = 0; i < live_rows; i++) {
            int64_t other = i + (int64_t)draw(&seed, (uint64_t)(live_rows - i)), row = order[other];
            order[other] = order[i];
            order[i] = row;
        }
        int64_t kept = 0;
        for (int64_t i = 0; i < live_rows; i++) {
            int64_t row = order[i], end = starts[row + 1];
            memcpy(margins, constants, (size_t)stride * sizeof *margins);
            for (int64_t j = starts[row]; j < end; j++) {
                if (j + AHEAD < end) PREFETCH(weights + (int64_t)columns[j + AHEAD] * stride);
                const float *own = weights + (int64_t)columns[j] * stride;
                add_scaled(margins, own, values[j], stride);
            }
            bool live;
            if (step(course, row, targets[row], squares[row], margins, categories, changes, &live)) {
                for (int64_t j = starts[row]; j < end; j++) {
                    float *own = weights + (int64_t)columns[j] * stride;
                    add_scaled(own, changes, values[j], stride);
                }
                add_scaled(constants, changes, 1, stride);
            }
            /* rows that rest come after the others */
            if (live) {
                order[i] = order[kept];
                order[kept++] = row;
            }
        }
        bool woken;
        live_rows = kept;
        if (!end_pass(course, rows, categories, tolerance, &woken)) break;
        if (woken) live_rows = rows;
    }
}

/* Fit the SVMs: `weights` (of each column) and `constants`, zeros at first, for all categories beside each other.
 *
 * `costs` are those of the rows. A row whose target is no category counts against all. False if there is no memory.
 */
EXPORTED bool fit_svms(const int64_t *starts, int64_t rows, const int32_t *columns, const float *values,
                       const int32_t *targets, const double *costs, int32_t categories, double tolerance,
                       int32_t passes, uint64_t seed, float *weights, float *constants) {
    int64_t cells = rows * categories;
    Course course = {costs, calloc((size_t)cells + 1, sizeof(float)), calloc((size_t)cells + 1, 1), NULL, NULL, NULL,
                     calloc((size_t)categories + 1, sizeof(bool)), calloc((size_t)categories + 1, sizeof(int64_t))};
    double *bounds = array(3 * (int64_t)categories, sizeof *bounds), *squares = array(rows, sizeof *squares);
    int64_t *order = array(rows, sizeof *order);
    float *margins = calloc(2 * ((size_t)categories + LANES), sizeof *margins);
    bool is_room = course.alphas && course.resting && course.done && course.resting_count && bounds && squares &&
                   order && margins;
    if (is_room) {
        course.largest = bounds;
        course.smallest = bounds + categories;
        course.bound = bounds + 2 * (int64_t)categories;
        for (int32_t k = 0; k < categories; k++) {
            course.largest[k] = -INFINITY;
            course.smallest[k] = course.bound[k] = INFINITY;
        }
        for (int64_t row = 0; row < rows; row++) {
            squares[row] = 1; /* of the constant */
            for (int64_t j = starts[row]; j < starts[row + 1]; j++) squares[row] += (double)values[j] * values[j];
        }
        run(&course, starts, rows, columns, values, targets, categories, tolerance, passes, seed, weights, constants,
            squares, order, margins, margins + categories + LANES);
    }
    free(course.alphas);
    free(course.resting);
    free(course.done);
    free(course.resting_count);
    free(bounds);
    free(squares);
    free(order);
    free(margins);
    return is_room;
}
