/* The options of refine: defaults and bounds. */
#include "options_internal.h"
#include "refine_internal.h"

#define MOST_CONCURRENCY 4096u
#define MOST_HISTORY 256u
#define MOST_RECORDS 65536u
#define MOST_KNOWN (1u << 24)

static void set_default(uint64_t *option, uint64_t fallback) {
    *option = pawl_option(*option, fallback);
}

static void set_defaults(pawl_refine_options *o) {
    set_default(&o->max_rounds, 5);
    set_default(&o->max_attempts, PAWL_UNLIMITED);
    set_default(&o->max_elapsed_ns, PAWL_UNLIMITED);
    set_default(&o->max_concurrency, 8);
    set_default(&o->max_repeats, 2);
    set_default(&o->max_same_errors, 4);
    set_default(&o->history, 5);
    set_default(&o->history_bytes, PAWL_KIB(64));
    set_default(&o->max_records, 100);
    set_default(&o->max_known, 65536);
}

static pawl_status check_range(uint64_t value, uint64_t least, uint64_t most, const char *name, const char *option,
                               pawl_error **err) {
    if (value >= least && value <= most)
        return PAWL_OK;
    if (value < least)
        return pawl_error_set(err, PAWL_E_INVALID, "refine '%s': %s is 0; set at least 1, or leave it out", name,
                              option);
    return pawl_error_set(err, PAWL_E_INVALID, "refine '%s': %s is %llu; set at most %llu", name, option,
                          (unsigned long long)value, (unsigned long long)most);
}

static void check(const pawl_refine_options *o, const char *name, pawl_error **err) {
    const struct {
        uint64_t value, least, most;
        const char *option;
    } ranges[] = {{o->max_rounds, 1, UINT64_MAX, "max_rounds"},
                  {o->max_attempts, 1, UINT64_MAX, "max_attempts"},
                  {o->max_elapsed_ns, 1, UINT64_MAX, "max_elapsed_ns"},
                  {o->max_concurrency, 1, MOST_CONCURRENCY, "max_concurrency"},
                  {o->max_repeats, 1, UINT64_MAX, "max_repeats"},
                  {o->max_same_errors, 1, UINT64_MAX, "max_same_errors"},
                  {o->history, 0, MOST_HISTORY, "history"},
                  {o->max_records, 0, MOST_RECORDS, "max_records"},
                  {o->max_known, 1, MOST_KNOWN, "max_known"}};
    if (!o->judge) {
        pawl_error_set(err, PAWL_E_INVALID, "refine '%s': judge is required; pass a function that judges an outcome",
                       name);
        return;
    }
    if (!(o->max_cost >= 0)) {
        pawl_error_set(err, PAWL_E_INVALID, "refine '%s': max_cost is %g; set a positive budget, or leave it out", name,
                       o->max_cost);
        return;
    }
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (check_range(ranges[i].value, ranges[i].least, ranges[i].most, name, ranges[i].option, err) != PAWL_OK)
            return;
}

void pawl_refine_read_options(pawl_refine_options *set, const pawl_refine_options *given, const char *name,
                              pawl_error **err) {
    if (pawl_options_copy(set, sizeof *set, given, "refine", err) != PAWL_OK)
        return;
    set_defaults(set);
    check(set, name, err);
}
