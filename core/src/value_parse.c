/* Values from text of outside: bounds first, then the strict check, then cJSON. */
#include "json_scan_internal.h"
#include "options_internal.h"
#include "value_internal.h"

#include <math.h>

_Static_assert(sizeof(pawl_parse_limits) == sizeof(size_t) + 2 * sizeof(uint64_t), "padding in a public struct");
_Static_assert(PAWL_JSON_DEPTH == PAWL_VALUE_DEPTH, "a text may nest as deep as a value");

#define DEFAULT_BYTES PAWL_MIB(64)
#define DEFAULT_DEPTH 128u

static pawl_status read_limits(const pawl_parse_limits *given, pawl_parse_limits *ret_limits, pawl_error **err) {
    pawl_status status = pawl_options_copy(ret_limits, sizeof *ret_limits, given, "parse limits", err);
    if (status != PAWL_OK)
        return status;
    ret_limits->max_bytes = pawl_option(ret_limits->max_bytes, DEFAULT_BYTES);
    ret_limits->max_depth = pawl_option(ret_limits->max_depth, DEFAULT_DEPTH);
    if (ret_limits->max_depth > PAWL_VALUE_DEPTH)
        return pawl_error_set(err, PAWL_E_INVALID, "parse limits: max_depth is %llu; at most %u is possible",
                              (unsigned long long)ret_limits->max_depth, PAWL_VALUE_DEPTH);
    return PAWL_OK;
}

/* Recursion: at most as deep as the text was allowed to nest. */
static bool all_finite(const cJSON *json) {
    if (cJSON_IsNumber(json))
        return isfinite(json->valuedouble);
    for (const cJSON *child = json->child; child; child = child->next)
        if (!all_finite(child))
            return false;
    return true;
}

pawl_status pawl_value_parse(const char *text, size_t length, const pawl_parse_limits *limits, pawl_value **ret_value,
                             pawl_error **err) {
    pawl_parse_limits bounds = {0};
    pawl_status status = read_limits(limits, &bounds, err);
    if (status != PAWL_OK)
        return status;
    if (!text || !ret_value)
        return pawl_error_set(err, PAWL_E_INVALID, "JSON: %s is NULL", text ? "ret_value" : "the text");
    if (length > bounds.max_bytes)
        return pawl_error_set(err, PAWL_E_LIMIT, "JSON: %zu bytes are over max_bytes, which is %llu", length,
                              (unsigned long long)bounds.max_bytes);

    struct pawl_json_scan scan = pawl_json_scan(text, length, (size_t)bounds.max_depth);
    if (scan.status != PAWL_OK)
        return pawl_error_set(err, scan.status, "JSON, byte %zu: %s", scan.offset, scan.what);
    cJSON *json = cJSON_ParseWithLength(text + scan.start, length - scan.start);
    if (!json) /* the text was right */
        return pawl_error_set(err, PAWL_E_NOMEM, "JSON: no memory for a document of %zu bytes", length);
    if (scan.has_exponent && !all_finite(json)) {
        cJSON_Delete(json);
        return pawl_error_set(err, PAWL_E_LIMIT, "JSON: a number is beyond the range of a double (about 1.8e308)");
    }
    pawl_value *value = pawl_value_take_measured(json, scan.depth);
    if (!value)
        return pawl_error_set(err, PAWL_E_NOMEM, "JSON: no memory for a document of %zu bytes", length);
    *ret_value = value;
    return PAWL_OK;
}
