/* OTLP/JSON, one value at a time: what another's encoder may have written. */
#include "trace_reader_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_TO_63 9223372036854775808.0
#define TWO_TO_64 18446744073709551616.0

/* Names of JSON members are exact; of several the first counts. */
const cJSON *pawl_otlp_get(const cJSON *object, const char *name) {
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *pawl_otlp_text(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(pawl_otlp_get(object, name));
    return text ? text : "";
}

/* ---- numbers ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool unsigned_of(const cJSON *json, uint64_t *ret_number) {
    if (cJSON_IsNumber(json)) {
        double number = json->valuedouble;
        if (!(number >= 0) || number >= TWO_TO_64 || number != floor(number))
            return false;
        *ret_number = (uint64_t)number;
        return true;
    }
    const char *text = cJSON_GetStringValue(json);
    char *end = NULL;
    if (!text || !is_digit(*text))
        return false;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool signed_of(const cJSON *json, int64_t *ret_number) {
    if (cJSON_IsNumber(json)) {
        double number = json->valuedouble;
        if (!(number >= -TWO_TO_63) || number >= TWO_TO_63 || number != floor(number))
            return false;
        *ret_number = (int64_t)number;
        return true;
    }
    const char *text = cJSON_GetStringValue(json);
    char *end = NULL;
    if (!text || !is_digit(text[*text == '-']))
        return false;
    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* proto3 JSON writes what JSON lacks as words. */
static bool double_of(const cJSON *json, double *ret_number) {
    const char *text = cJSON_GetStringValue(json);
    if (cJSON_IsNumber(json))
        *ret_number = json->valuedouble;
    else if (text && strcmp(text, "NaN") == 0)
        *ret_number = NAN;
    else if (text && strcmp(text, "Infinity") == 0)
        *ret_number = INFINITY;
    else if (text && strcmp(text, "-Infinity") == 0)
        *ret_number = -INFINITY;
    else
        return false;
    return true;
}

bool pawl_otlp_uint(const cJSON *object, const char *name, uint64_t most, uint64_t *ret_number) {
    const cJSON *json = pawl_otlp_get(object, name);
    *ret_number = 0;
    return !json || cJSON_IsNull(json) || (unsigned_of(json, ret_number) && *ret_number <= most);
}

/* A count that is wrong is no reason to lose the span. */
static uint32_t count_of(const cJSON *object, const char *name) {
    uint64_t number;
    return pawl_otlp_uint(object, name, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

/* ---- ids ---- */

static int digit_of(char c) {
    char lower = (char)(c | 0x20);
    if (is_digit(c))
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool pawl_otlp_read_id(const cJSON *object, const char *name, uint8_t *ret_id, size_t bytes) {
    const char *text = pawl_otlp_text(object, name);
    uint8_t any = 0;
    if (strlen(text) != bytes * 2)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        int high = digit_of(text[i * 2]), low = digit_of(text[i * 2 + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_id[i] = (uint8_t)(high * 16 + low);
        any |= ret_id[i];
    }
    return any != 0;
}

/* ---- values ---- */

struct pawl_otlp_any pawl_otlp_any(const cJSON *value) {
    struct pawl_otlp_any any = {.type = PAWL_OTLP_EMPTY, .string = ""};
    const cJSON *arm;
    if ((arm = pawl_otlp_get(value, "stringValue")) && cJSON_IsString(arm)) {
        any.type = PAWL_OTLP_STRING;
        any.string = arm->valuestring;
    } else if ((arm = pawl_otlp_get(value, "boolValue")) && cJSON_IsBool(arm)) {
        any.type = PAWL_OTLP_BOOL;
        any.boolean = cJSON_IsTrue(arm);
    } else if (signed_of(pawl_otlp_get(value, "intValue"), &any.integer)) {
        any.type = PAWL_OTLP_INT;
    } else if (double_of(pawl_otlp_get(value, "doubleValue"), &any.number)) {
        any.type = PAWL_OTLP_DOUBLE;
    } else if ((arm = pawl_otlp_get(value, "bytesValue")) && cJSON_IsString(arm)) {
        any.type = PAWL_OTLP_BYTES;
        any.string = arm->valuestring;
    } else if ((arm = pawl_otlp_get(value, "arrayValue"))) {
        any.type = PAWL_OTLP_ARRAY;
        any.items = pawl_otlp_get(arm, "values");
    } else if ((arm = pawl_otlp_get(value, "kvlistValue"))) {
        any.type = PAWL_OTLP_MAP;
        any.items = pawl_otlp_get(arm, "values");
    }
    return any;
}

bool pawl_otlp_attribute(const cJSON *item, const char **ret_key, struct pawl_otlp_any *ret_value) {
    *ret_key = pawl_otlp_text(item, "key");
    *ret_value = pawl_otlp_any(pawl_otlp_get(item, "value"));
    return **ret_key != '\0';
}

bool pawl_otlp_event(const cJSON *item, struct pawl_trace_event *ret_event) {
    *ret_event = (struct pawl_trace_event){.name = pawl_otlp_text(item, "name"),
                                           .attributes = pawl_otlp_get(item, "attributes"),
                                           .dropped_attributes = count_of(item, "droppedAttributesCount")};
    return *ret_event->name && pawl_otlp_uint(item, "timeUnixNano", UINT64_MAX, &ret_event->time_ns);
}

bool pawl_otlp_link(const cJSON *item, struct pawl_trace_link *ret_link) {
    *ret_link = (struct pawl_trace_link){.attributes = pawl_otlp_get(item, "attributes"),
                                         .dropped_attributes = count_of(item, "droppedAttributesCount")};
    return pawl_otlp_read_id(item, "traceId", ret_link->trace_id, 16) &&
           pawl_otlp_read_id(item, "spanId", ret_link->span_id, 8);
}
