/* The records that are kept, and their JSON. */
#include "json_put_internal.h"
#include "refine_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8u

void pawl_refine_record_set(struct refine_record *record, const pawl_attempt *attempt, pawl_value *candidate,
                            pawl_value *result) {
    struct refine_record fresh = {
        .attempt = *attempt, .candidate = pawl_value_ref(candidate), .result = pawl_value_ref(result), .is_set = true};
    pawl_value_ref(fresh.attempt.verdict.output);
    pawl_refine_record_clear(record);
    *record = fresh;
}

void pawl_refine_record_clear(struct refine_record *record) {
    if (!record->is_set)
        return;
    pawl_value_unref(record->attempt.verdict.output);
    pawl_value_unref(record->candidate);
    pawl_value_unref(record->result);
    *record = (struct refine_record){0};
}

/* ---- the ring ---- */

void pawl_refine_records_free(struct refine_records *records) {
    for (size_t i = 0; i < records->count; i++)
        pawl_refine_record_clear(&records->items[i]);
    free(records->items);
}

struct refine_record *pawl_refine_records_at(const struct refine_records *records, size_t index) {
    return &records->items[(records->first + index) % records->count];
}

static bool make_room(struct refine_records *records) {
    if (records->count < records->capacity)
        return true;
    size_t capacity = records->capacity ? records->capacity * 2 : FIRST_CAPACITY;
    if (capacity > records->most)
        capacity = records->most;
    struct refine_record *items = realloc(records->items, capacity * sizeof *items);
    if (!items)
        return false;
    memset(items + records->capacity, 0, (capacity - records->capacity) * sizeof *items);
    records->items = items;
    records->capacity = capacity;
    return true;
}

static struct refine_record *next_place(struct refine_records *records) {
    if (records->count < records->most)
        return make_room(records) ? &records->items[records->count++] : NULL;
    struct refine_record *oldest = &records->items[records->first];
    records->first = (records->first + 1) % records->most;
    records->dropped++;
    return oldest;
}

static void forget_candidate(struct refine_record *record) {
    record->candidate = pawl_value_unref(record->candidate);
}

bool pawl_refine_records_add(struct refine_records *records, const pawl_attempt *attempt, pawl_value *candidate) {
    if (records->most == 0) {
        records->dropped++;
        return true;
    }
    struct refine_record *place = next_place(records);
    if (!place)
        return false;
    pawl_refine_record_set(place, attempt, records->history ? candidate : NULL, NULL);
    if (records->count > records->history)
        forget_candidate(pawl_refine_records_at(records, records->count - records->history - 1));
    return true;
}

/* ---- JSON ---- */

static bool put_number_or_null(cJSON *object, const char *key, bool is_number, double number) {
    return json_put(object, key, is_number ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

static bool put_text_or_null(cJSON *object, const char *key, const char *text) {
    return json_put(object, key, text[0] ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static bool put_hex(cJSON *object, const char *key, const uint8_t *bytes, size_t length) {
    char text[33] = "";
    for (size_t i = 0; i < length && i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_put(object, key, cJSON_CreateString(text));
}

static bool put_span(cJSON *object, const uint8_t span_id[8]) {
    static const uint8_t none[8];
    if (memcmp(span_id, none, sizeof none) == 0)
        return json_put(object, "span_id", cJSON_CreateNull());
    return put_hex(object, "span_id", span_id, sizeof none);
}

static bool put_stream(cJSON *object, const char *key, const pawl_stream_record *stream) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put_number(json, "bytes", stream->seen_bytes) &&
                json_put_number(json, "kept_bytes", stream->kept_bytes) &&
                json_put(json, "truncated", cJSON_CreateBool(stream->truncated != 0));
    if (made)
        return json_put(object, key, json);
    cJSON_Delete(json);
    return false;
}

static bool put_timings(cJSON *object, const pawl_attempt *attempt) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put_number(json, "queue_ns", attempt->verdict.queue_ns) &&
                json_put_number(json, "create_ns", attempt->verdict.create_ns) &&
                json_put_number(json, "run_ns", attempt->verdict.run_ns) &&
                json_put_number(json, "total_ns", attempt->total_ns);
    if (made)
        return json_put(object, "timings", json);
    cJSON_Delete(json);
    return false;
}

static bool put_check(cJSON *checks, const pawl_check *check) {
    cJSON *json = cJSON_CreateObject();
    bool made = json && json_put(json, "pass", cJSON_CreateBool(check->pass != 0)) &&
                json_put(json, "message", cJSON_CreateString(check->message));
    if (made && cJSON_AddItemToObject(checks, check->name, json))
        return true;
    cJSON_Delete(json);
    return false;
}

static bool put_checks(cJSON *object, const pawl_verdict *verdict) {
    cJSON *checks = cJSON_CreateObject();
    bool made = checks != NULL;
    for (uint64_t i = 0; made && i < verdict->check_count && i < PAWL_VERDICT_CHECKS; i++)
        made = put_check(checks, &verdict->checks[i]);
    if (made)
        return json_put(object, "checks", checks);
    cJSON_Delete(checks);
    return false;
}

static const char *outcome_word(const pawl_attempt *attempt) {
    if (attempt->duplicate_of)
        return "duplicate";
    if (attempt->was_cancelled)
        return "cancelled";
    return attempt->verdict.outcome[0] ? attempt->verdict.outcome : pawl_status_word((pawl_status)attempt->status);
}

static bool put_identity(cJSON *json, const pawl_attempt *a) {
    return json_put_number(json, "number", a->number) && json_put_number(json, "round", a->round) &&
           put_number_or_null(json, "parent", a->parent != 0, (double)a->parent) &&
           put_hex(json, "digest", a->digest, sizeof a->digest) &&
           put_number_or_null(json, "duplicate_of", a->duplicate_of != 0, (double)a->duplicate_of) &&
           put_text_or_null(json, "description", a->description);
}

static bool put_verdict(cJSON *json, const pawl_attempt *a) {
    const pawl_verdict *v = &a->verdict;
    return json_put(json, "status", cJSON_CreateString(pawl_status_word((pawl_status)a->status))) &&
           json_put(json, "outcome", cJSON_CreateString(outcome_word(a))) &&
           json_put(json, "pass", cJSON_CreateBool(v->pass != 0)) &&
           put_number_or_null(json, "score", isfinite(v->score), v->score) && put_checks(json, v) &&
           put_text_or_null(json, "signature", v->signature) &&
           put_number_or_null(json, "exit_status", v->exit_status >= 0, (double)v->exit_status);
}

static bool put_output(cJSON *json, const pawl_value *output) {
    if (!output)
        return json_put(json, "output", cJSON_CreateNull());
    const cJSON *form = pawl_value_json(output);
    return form && json_put(json, "output", cJSON_Duplicate(form, true));
}

cJSON *pawl_attempt_json(const pawl_attempt *attempt) {
    const pawl_verdict *v = &attempt->verdict;
    cJSON *json = cJSON_CreateObject();
    bool made = json && put_identity(json, attempt) && put_verdict(json, attempt) &&
                put_stream(json, "stdout", &v->out) && put_stream(json, "stderr", &v->err) &&
                put_timings(json, attempt) && json_put(json, "cost", cJSON_CreateNumber(v->cost)) &&
                json_put(json, "cache_hit", cJSON_CreateBool(v->cache_hit != 0)) &&
                put_hex(json, "trace_id", attempt->trace_id, sizeof attempt->trace_id) &&
                put_span(json, attempt->span_id) && put_output(json, v->output);
    if (made)
        return json;
    cJSON_Delete(json);
    return NULL;
}
