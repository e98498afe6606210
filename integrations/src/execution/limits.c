/* Limits of a run: what is asked, what is default, what is refused. */
#include "options_internal.h"
#include <pawl/integrations/execution.h>
#include <pawl/integrations/local.h>
#include "sandbox_internal.h"

static const size_t offsets[] = {
    offsetof(pawl_execution_limits, wall_ns),       offsetof(pawl_execution_limits, cpu_ns),
    offsetof(pawl_execution_limits, memory_bytes),  offsetof(pawl_execution_limits, file_bytes),
    offsetof(pawl_execution_limits, processes),     offsetof(pawl_execution_limits, open_files),
    offsetof(pawl_execution_limits, output_bytes),  offsetof(pawl_execution_limits, output_total_bytes),
    offsetof(pawl_execution_limits, work_bytes),    offsetof(pawl_execution_limits, work_files),
    offsetof(pawl_execution_limits, collect_bytes),
};
/* Nobody reads padding as an option when these structs grow. */
#define WORDS(type) (sizeof(type) / sizeof(uint64_t))
_Static_assert(WORDS(pawl_execution_limits) == 1 + PAWL_LIMIT_COUNT_, "padding in a public struct");
_Static_assert(WORDS(pawl_execution_handlers) == 5, "padding in a public struct");
_Static_assert(WORDS(pawl_execution_request) == 19, "padding in a public struct");
_Static_assert(WORDS(pawl_sandbox_options) == 2, "padding in a public struct");
_Static_assert(WORDS(pawl_local_options) == 7, "padding in a public struct");
_Static_assert(WORDS(pawl_code_execution_options) == 11, "padding in a public struct");

_Static_assert(sizeof offsets / sizeof offsets[0] == PAWL_LIMIT_COUNT_, "a field for each");

static const uint64_t defaults[PAWL_LIMIT_COUNT_] = {
    [PAWL_LIMIT_WALL] = PAWL_S(30),       [PAWL_LIMIT_CPU] = PAWL_UNLIMITED,
    [PAWL_LIMIT_MEMORY] = PAWL_MIB(2048), [PAWL_LIMIT_FILE] = PAWL_MIB(64),
    [PAWL_LIMIT_PROCESSES] = 64,          [PAWL_LIMIT_OPEN_FILES] = 256,
    [PAWL_LIMIT_OUTPUT] = PAWL_MIB(1),    [PAWL_LIMIT_OUTPUT_TOTAL] = PAWL_MIB(64),
    [PAWL_LIMIT_WORK] = PAWL_MIB(256),    [PAWL_LIMIT_WORK_FILES] = 16384,
    [PAWL_LIMIT_COLLECT] = PAWL_MIB(16),
};

/* Held in this process's memory, or by the kernel in sizes that must not wrap. 0: no bound. */
static const uint64_t bounds[PAWL_LIMIT_COUNT_] = {
    [PAWL_LIMIT_OUTPUT] = PAWL_MIB(1024),
    [PAWL_LIMIT_WORK] = PAWL_MIB(1u << 20),
    [PAWL_LIMIT_WORK_FILES] = 1u << 30,
    [PAWL_LIMIT_COLLECT] = PAWL_MIB(1024),
};

uint64_t *pawl_limits_at(pawl_execution_limits *limits, pawl_limit which) {
    return (uint64_t *)(void *)((char *)limits + offsets[which]);
}

static uint64_t pick(uint64_t asked, uint64_t fallback, uint64_t standard) {
    return pawl_option(asked, pawl_option(fallback, standard));
}

pawl_status pawl_limits_copy(const pawl_execution_limits *given, const char *who, pawl_execution_limits *ret_limits,
                             pawl_error **err) {
    if (given && given->size < sizeof given->size)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: limits.size is %zu; set it to sizeof(pawl_execution_limits)",
                              who, given->size);
    pawl_status status = pawl_options_copy(ret_limits, sizeof *ret_limits, given, who, err);
    ret_limits->size = sizeof *ret_limits;
    return status;
}

pawl_status pawl_limits_resolve(const pawl_execution_limits *asked, const pawl_execution_limits *fallback,
                                const char *who, pawl_execution_limits *ret_limits, pawl_error **err) {
    pawl_execution_limits first = {.size = 0}, second = {.size = 0};
    pawl_status status = pawl_limits_copy(asked, who, &first, err);
    if (status == PAWL_OK)
        status = pawl_limits_copy(fallback, who, &second, err);
    if (status != PAWL_OK)
        return status;
    *ret_limits = (pawl_execution_limits){.size = sizeof *ret_limits};
    for (pawl_limit i = 0; i < PAWL_LIMIT_COUNT_; i++) {
        uint64_t value = pick(*pawl_limits_at(&first, i), *pawl_limits_at(&second, i), defaults[i]);
        if (bounds[i] && value > bounds[i])
            return pawl_error_set(err, PAWL_E_INVALID, "%s: limit %s is %s, %llu at most; lower it", who,
                                  pawl_limit_name(i), value == PAWL_UNLIMITED ? "unlimited" : "too large",
                                  (unsigned long long)bounds[i]);
        *pawl_limits_at(ret_limits, i) = value;
    }
    return PAWL_OK;
}
