/* The generator's answer: which candidates are in it. */
#include "refine_internal.h"
#include <math.h>

#define MOST_CANDIDATES 65536

void pawl_refine_answer_clear(struct refine_answer *answer) {
    pawl_value_unref(answer->value);
    *answer = (struct refine_answer){0};
}

static size_t count_items(const cJSON *array) {
    size_t count = 0;
    for (const cJSON *item = array->child; item; item = item->next)
        count++;
    return count;
}

static double positive_number(const pawl_value *value, const char *key) {
    double number = pawl_value_get_number(value, key, 0);
    return isfinite(number) && number > 0 ? number : 0;
}

static void read_object(struct refine_run *run, struct refine_answer *answer) {
    const cJSON *candidates = pawl_value_get(answer->value, "candidates");
    bool done = pawl_value_get_bool(answer->value, "done", false);
    if (!cJSON_IsArray(candidates)) {
        answer->done = done;
        answer->count = done ? 0 : 1;
        return;
    }
    answer->next = candidates->child;
    answer->count = count_items(candidates);
    answer->done = done || answer->count == 0;
    double parent = positive_number(answer->value, "parent");
    if (parent >= 1 && parent <= (double)run->numbers)
        answer->parent = (uint64_t)parent;
    run->cost += positive_number(answer->value, "cost");
}

bool pawl_refine_answer_read(struct refine_run *run, pawl_value *value, pawl_error **err) {
    struct refine_answer *answer = &run->answer;
    pawl_refine_answer_clear(answer);
    answer->value = value;
    answer->parent = run->best.is_set ? run->best.attempt.number : 0;
    if (pawl_value_is_list(value)) {
        answer->count = pawl_value_count(value);
        answer->done = answer->count == 0;
    } else if (cJSON_IsNull(pawl_value_json(value))) {
        answer->done = true;
    } else {
        read_object(run, answer);
    }
    if (answer->count <= MOST_CANDIDATES)
        return true;
    pawl_error_set(err, PAWL_E_LIMIT, "the generator gave %zu candidates in one answer; give at most %d", answer->count,
                   MOST_CANDIDATES);
    return false;
}

pawl_value *pawl_refine_answer_next(struct refine_answer *answer) {
    size_t index = answer->index++;
    if (answer->next) {
        const cJSON *item = answer->next;
        answer->next = item->next;
        return pawl_value_take(cJSON_Duplicate(item, true));
    }
    if (pawl_value_is_list(answer->value))
        return pawl_value_ref(pawl_value_item(answer->value, index));
    return pawl_value_ref(answer->value);
}
