/* What the generator is told, and what the loop gives in the end. */
#include "json_put_internal.h"
#include "refine_internal.h"

static const char *const stop_words[] = {"",          "accepted",        "rounds",        "attempts",       "elapsed",
                                         "budget",    "stalled_program", "stalled_error", "generator_done", "deadline",
                                         "cancelled", "failed"};

const char *pawl_refine_stop_word(enum refine_stop stop) {
    return stop_words[stop];
}

static bool put_value(cJSON *object, const char *key, const pawl_value *value) {
    if (!value)
        return json_put(object, key, cJSON_CreateNull());
    const cJSON *json = pawl_value_json(value);
    return json && json_put(object, key, cJSON_Duplicate(json, true));
}

static bool append(cJSON *array, cJSON *item) {
    if (item && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* About as many bytes as its text would have; stops counting at most. */
static uint64_t json_bytes(const cJSON *json, uint64_t most) {
    uint64_t bytes = 0;
    for (; json && bytes <= most; json = json->next) {
        bytes += 8;
        for (const char *c = json->valuestring; c && *c && bytes <= most; c++)
            bytes++;
        for (const char *c = json->string; c && *c && bytes <= most; c++)
            bytes++;
        if (json->child)
            bytes += json_bytes(json->child, most);
    }
    return bytes;
}

static uint64_t value_bytes(const pawl_value *value, uint64_t most) {
    const cJSON *json = pawl_value_json(value);
    if (!json)
        return most + 1;
    cJSON alone = *json;
    alone.next = NULL;
    return json_bytes(&alone, most);
}

/* ---- the generator's input ---- */

/* How many of the newest records may bring their candidates along. */
static size_t count_whole(const struct refine_run *run, size_t shown) {
    const struct refine_records *records = &run->records;
    uint64_t left = run->options->history_bytes;
    for (size_t i = 0; i < shown; i++) {
        uint64_t bytes = value_bytes(pawl_refine_records_at(records, records->count - 1 - i)->candidate, left);
        if (bytes > left)
            return i;
        left -= bytes;
    }
    return shown;
}

static cJSON *record_json(const struct refine_record *record, bool whole) {
    cJSON *json = pawl_attempt_json(&record->attempt);
    if (json && put_value(json, "candidate", whole ? record->candidate : NULL))
        return json;
    cJSON_Delete(json);
    return NULL;
}

static cJSON *history(const struct refine_run *run) {
    const struct refine_records *records = &run->records;
    size_t shown = records->history < records->count ? records->history : records->count;
    size_t whole = count_whole(run, shown);
    cJSON *array = cJSON_CreateArray();
    for (size_t i = shown; array && i > 0; i--)
        if (!append(array, record_json(pawl_refine_records_at(records, records->count - i), i <= whole))) {
            cJSON_Delete(array);
            return NULL;
        }
    return array;
}

pawl_value *pawl_refine_input(struct refine_run *run, pawl_value *input) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && put_value(json, "input", input) && json_put_number(json, "round", (double)run->round) &&
                json_put(json, "attempts", history(run)) &&
                json_put(json, "feedback", run->feedback ? cJSON_CreateString(run->feedback) : cJSON_CreateNull()) &&
                put_value(json, "best", run->best.candidate);
    if (made)
        return pawl_value_take(json);
    cJSON_Delete(json);
    return NULL;
}

/* ---- the report ---- */

static bool put_records(cJSON *json, const struct refine_run *run) {
    const struct refine_records *records = &run->records;
    size_t most = (size_t)run->options->max_records;
    size_t shown = records->count < most ? records->count : most;
    cJSON *array = cJSON_CreateArray();
    bool made = array != NULL;
    for (size_t i = shown; made && i > 0; i--)
        made = append(array, pawl_attempt_json(&pawl_refine_records_at(records, records->count - i)->attempt));
    if (!made) {
        cJSON_Delete(array);
        return false;
    }
    return json_put(json, "attempts", array) &&
           json_put_number(json, "attempts_dropped", (double)(records->dropped + records->count - shown));
}

static bool put_counts(cJSON *json, const struct refine_run *run, uint64_t now_ns) {
    return json_put_number(json, "rounds", (double)run->round) &&
           json_put_number(json, "executions", (double)run->executions) &&
           json_put_number(json, "duplicates", (double)run->duplicates) && json_put_number(json, "cost", run->cost) &&
           json_put_number(json, "elapsed_ns", (double)(now_ns - run->started_ns));
}

pawl_value *pawl_refine_report(const struct refine_run *run, uint64_t now_ns) {
    const struct refine_record *best = &run->best;
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put(json, "success", cJSON_CreateBool(run->stop == REFINE_ACCEPTED)) &&
                json_put(json, "stop_reason", cJSON_CreateString(pawl_refine_stop_word(run->stop))) &&
                put_value(json, "candidate", best->candidate) &&
                json_put(json, "attempt", best->is_set ? pawl_attempt_json(&best->attempt) : cJSON_CreateNull()) &&
                put_counts(json, run, now_ns) && put_records(json, run);
    if (made)
        return pawl_value_take(json);
    cJSON_Delete(json);
    return NULL;
}
