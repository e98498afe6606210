/*
 * Numbers of the input: seconds become nanoseconds, huge ones no limit; each is bounded by what the node's options set.
 */
#include "input_limits_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sandbox_internal.h"

/* Seconds that still fit: 584 years. More is no limit. */
#define SECONDS_MAX 18446744073.0
/* The largest whole number that a double holds exactly. */
#define WHOLE_MAX 9007199254740992.0

static bool is_seconds(pawl_limit limit) {
    return limit == PAWL_LIMIT_WALL || limit == PAWL_LIMIT_CPU;
}

/* 0 in JSON is really zero. */
static uint64_t explicit(uint64_t value) {
    return value == 0 ? PAWL_ZERO : value;
}

static pawl_status read_number(const char *node, const char *field, const cJSON *item, pawl_limit limit,
                               uint64_t *ret_value, pawl_error **err) {
    double value = item->valuedouble;
    if (!cJSON_IsNumber(item) || !(value >= 0))
        return pawl_error_set(err, PAWL_E_INVALID, "code execution '%s': %s is %s; give %s from 0 up", node, field,
                              cJSON_IsNumber(item) ? "negative" : "no number",
                              is_seconds(limit) ? "seconds" : "a whole number");
    if (!is_seconds(limit) && value <= WHOLE_MAX && value != floor(value))
        return pawl_error_set(err, PAWL_E_INVALID, "code execution '%s': %s is %g; give a whole number", node, field,
                              value);
    if (is_seconds(limit))
        *ret_value = value >= SECONDS_MAX ? PAWL_UNLIMITED : explicit((uint64_t)(value * 1e9));
    else
        *ret_value = value > WHOLE_MAX ? PAWL_UNLIMITED : explicit((uint64_t)value);
    return PAWL_OK;
}

static uint64_t plain(uint64_t value) {
    return value == PAWL_ZERO ? 0 : value;
}

/* Options that are set bound the input. */
static pawl_status check_bound(const struct pawl_input_defaults *defaults, const char *field, pawl_limit limit,
                               uint64_t asked, pawl_error **err) {
    pawl_execution_limits bounds = defaults->limits;
    uint64_t bound = *pawl_limits_at(&bounds, limit);
    if (bound == 0 || plain(asked) <= plain(bound))
        return PAWL_OK;
    double unit = is_seconds(limit) ? 1e9 : 1;
    return pawl_error_set(err, PAWL_E_LIMIT,
                          "code execution '%s': %s is over %.15g, which the node's options allow; ask for less, or "
                          "raise limits in the options",
                          defaults->node, field, (double)plain(bound) / unit);
}

static pawl_status read_limit(const struct pawl_input_defaults *defaults, const char *field, const cJSON *item,
                              pawl_limit limit, pawl_execution_limits *limits, pawl_error **err) {
    uint64_t *value = pawl_limits_at(limits, limit);
    pawl_status status = read_number(defaults->node, field, item, limit, value, err);
    return status == PAWL_OK ? check_bound(defaults, field, limit, *value, err) : status;
}

static pawl_limit limit_of(const char *name) {
    pawl_limit limit = PAWL_LIMIT_CPU; /* the first is not here, but the field timeout */
    while (limit < PAWL_LIMIT_COUNT_ && strcmp(pawl_limit_name(limit), name) != 0)
        limit++;
    return limit;
}

static pawl_status read_all(const struct pawl_input_defaults *defaults, const cJSON *json,
                            pawl_execution_limits *limits, pawl_error **err) {
    const cJSON *item;
    if (json && !cJSON_IsObject(json))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "code execution '%s': limits is no object; give one such as {\"cpu\": 2}",
                              defaults->node);
    cJSON_ArrayForEach(item, json) {
        char field[96] = "limits.";
        pawl_limit limit = limit_of(item->string);
        strncat(field, item->string, sizeof field - sizeof "limits.");
        if (limit == PAWL_LIMIT_COUNT_)
            return pawl_error_set(err, PAWL_E_INVALID,
                                  "code execution '%s': %s is not known; use cpu, memory_bytes, file_bytes, processes, "
                                  "open_files, output_bytes, output_total_bytes, work_bytes, work_files, collect_bytes "
                                  "(the wall limit is the field timeout)",
                                  defaults->node, field);
        pawl_status status = cJSON_IsNull(item) ? PAWL_OK : read_limit(defaults, field, item, limit, limits, err);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

/* What neither input nor node says stays 0: the provider's default. */
static void merge(const struct pawl_input_defaults *defaults, pawl_execution_limits *limits) {
    pawl_execution_limits fallback = defaults->limits;
    for (pawl_limit i = 0; i < PAWL_LIMIT_COUNT_; i++)
        if (*pawl_limits_at(limits, i) == 0)
            *pawl_limits_at(limits, i) = *pawl_limits_at(&fallback, i);
}

pawl_status pawl_input_read_limits(const struct pawl_input_defaults *defaults, const cJSON *timeout,
                                   const cJSON *limits, pawl_execution_limits *ret_limits, pawl_error **err) {
    char who[320];
    pawl_execution_limits resolved;
    *ret_limits = (pawl_execution_limits){.size = sizeof *ret_limits, .wall_ns = defaults->timeout_ns};
    pawl_status status = read_all(defaults, limits, ret_limits, err);
    if (status == PAWL_OK && timeout)
        status = read_limit(defaults, "timeout", timeout, PAWL_LIMIT_WALL, ret_limits, err);
    if (status != PAWL_OK)
        return status;
    merge(defaults, ret_limits);
    snprintf(who, sizeof who, "code execution '%s'", defaults->node);
    return pawl_limits_resolve(ret_limits, NULL, who, &resolved, err);
}
