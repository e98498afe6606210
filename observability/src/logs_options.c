/* What a log processor may be told. */
#include "logs_internal.h"
#include "options_internal.h"

static pawl_status check_bounds(pawl_logs_options *o, pawl_error **err) {
    const struct pawl_option_bound all[] = {
        {"level", &o->level, PAWL_LOG_DEBUG, 0, PAWL_LOG_ERROR},
        {"format", &o->format, PAWL_LOG_TEXT, PAWL_LOG_TEXT, PAWL_LOG_JSON},
        {"max_queue_size", &o->max_queue_size, 2048, 1, 1000000},
        {"max_queue_bytes", &o->max_queue_bytes, PAWL_MIB(8), 1, UINT64_MAX},
        {"schedule_delay_ns", &o->schedule_delay_ns, PAWL_S(1), 0, UINT64_MAX},
        {"export_timeout_ns", &o->export_timeout_ns, PAWL_S(30), 1, UINT64_MAX},
        {"shutdown_timeout_ns", &o->shutdown_timeout_ns, PAWL_S(5), 1, PAWL_MIN(60)},
        {"attribute_count_limit", &o->attribute_count_limit, 128, 0, PAWL_SPAN_ATTRIBUTES},
        {"attribute_value_length_limit", &o->attribute_value_length_limit, PAWL_UNLIMITED, 0, UINT64_MAX},
    };
    if (pawl_options_bound(all, sizeof all / sizeof *all, "logs", err) != PAWL_OK)
        return PAWL_E_INVALID;
    uint64_t fallback = o->max_queue_size < 512 ? o->max_queue_size : 512;
    const struct pawl_option_bound batch = {"max_batch_size", &o->max_batch_size, fallback, 1, o->max_queue_size};
    return pawl_options_bound(&batch, 1, "logs", err);
}

pawl_status pawl_logs_check(pawl_logs_options *o, pawl_error **err) {
    if (o->exporter_count > PAWL_LOGS_EXPORTERS || (o->exporter_count > 0 && !o->exporters) ||
        (o->exporter_count == 0 && !o->write))
        return pawl_error_set(err, PAWL_E_INVALID, "logs: give 1 to %u exporters, or write", PAWL_LOGS_EXPORTERS);
    for (uint64_t i = 0; i < o->exporter_count; i++)
        if (!o->exporters[i])
            return pawl_error_set(err, PAWL_E_INVALID, "logs: exporter %llu is NULL", (unsigned long long)i);
    return check_bounds(o, err);
}
