/* The words of outcomes, limits, enforcement and collected files. */
#include <pawl/integrations/sandbox.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const char *const outcomes[] = {
    "ok",          "check_failed", "nonzero_exit",      "exception",       "signalled",    "wall_timeout",
    "cpu_limit",   "memory_limit", "output_limit",      "process_limit",   "denied",       "compile_error",
    "spawn_error", "sandbox_lost", "sandbox_not_ready", "transport_error", "rate_limited", "quota",
    "cancelled",   "internal",
};
_Static_assert(COUNT(outcomes) == PAWL_EXECUTION_OUTCOME_COUNT_, "a word for each");

static const char *const limits[] = {
    "timeout",    "cpu",        "memory_bytes",  "file_bytes",
    "processes",  "open_files", "output_bytes",  "output_total_bytes",
    "work_bytes", "work_files", "collect_bytes",
};
_Static_assert(COUNT(limits) == PAWL_LIMIT_COUNT_, "a name for each");

static const char *const enforcements[] = {"no", "per_process", "yes", "unlimited", "interpreter"};
static const char *const kinds[] = {"file", "absent", "too_large", "symlink", "folder", "other", "unreadable"};

static const char *word(const char *const *list, size_t count, unsigned index) {
    return index < count ? list[index] : "unknown";
}

const char *pawl_execution_outcome_word(pawl_execution_outcome outcome) {
    return word(outcomes, COUNT(outcomes), (unsigned)outcome);
}

pawl_execution_outcome pawl_execution_outcome_of(const char *text) {
    for (unsigned i = 0; text && i < COUNT(outcomes); i++)
        if (strcmp(outcomes[i], text) == 0)
            return (pawl_execution_outcome)i;
    return PAWL_EXECUTION_OUTCOME_COUNT_;
}

const char *pawl_limit_name(pawl_limit limit) {
    return word(limits, COUNT(limits), (unsigned)limit);
}

const char *pawl_enforcement_word(pawl_enforcement enforcement) {
    return word(enforcements, COUNT(enforcements), (unsigned)enforcement);
}

const char *pawl_collected_kind_word(pawl_collected_kind kind) {
    return word(kinds, COUNT(kinds), (unsigned)kind);
}
