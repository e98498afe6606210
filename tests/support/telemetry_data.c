#include "telemetry_data.h"
#include <math.h>
#include <string.h>

#define START UINT64_C(1700000000000000000)
#define IDS                                                                                                            \
    .trace_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, .span_id = {0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 1, 2}

static const pawl_attribute hard[] = {
    {.key = "text", .value.string = "quote \" backslash \\ line\nbell\a end", .type = PAWL_ATTRIBUTE_STRING},
    {.key = "bad", .value.string = BAD_UTF8, .type = PAWL_ATTRIBUTE_STRING},
    {.key = "b\xff"
            "d key",
     .value.string = "",
     .type = PAWL_ATTRIBUTE_STRING},
    {.key = "null", .value.string = NULL, .type = PAWL_ATTRIBUTE_STRING},
    {.key = "least", .value.integer = INT64_MIN, .type = PAWL_ATTRIBUTE_INT},
    {.key = "most", .value.integer = INT64_MAX, .type = PAWL_ATTRIBUTE_INT},
    {.key = "zero", .value.integer = 0, .type = PAWL_ATTRIBUTE_INT},
    {.key = "nan", .value.number = NAN, .type = PAWL_ATTRIBUTE_DOUBLE},
    {.key = "infinity", .value.number = -INFINITY, .type = PAWL_ATTRIBUTE_DOUBLE},
    {.key = "third", .value.number = 1.0 / 3, .type = PAWL_ATTRIBUTE_DOUBLE},
    {.key = "no", .value.boolean = false, .type = PAWL_ATTRIBUTE_BOOL},
    {.key = "yes", .value.boolean = true, .type = PAWL_ATTRIBUTE_BOOL},
};
#define HARD (sizeof hard / sizeof *hard)

static const pawl_attribute few[] = {
    {.key = "exception.type", .value.string = "ValueError", .type = PAWL_ATTRIBUTE_STRING},
    {.key = "exception.message", .value.string = "invalid literal for int()", .type = PAWL_ATTRIBUTE_STRING},
};

const pawl_span_data *full_span(void) {
    static const pawl_event_data events[] = {{.name = "exception",
                                              .time_unix_ns = START + 5,
                                              .attributes = few,
                                              .attribute_count = 2,
                                              .dropped_attributes = 3},
                                             {.name = BAD_UTF8, .time_unix_ns = START + 6}};
    static const pawl_link_data links[] = {{IDS, .attributes = few, .attribute_count = 1, .dropped_attributes = 9},
                                           {IDS}};
    static const pawl_span_data span = {.name = "full " BAD_UTF8,
                                        .tracestate = "ot=th:8,vendor=x",
                                        .status_message = "it broke: " BAD_UTF8,
                                        .start_unix_ns = START,
                                        .end_unix_ns = START + 250000000,
                                        IDS,
                                        .parent_span_id = {9, 9, 9, 9, 9, 9, 9, 9},
                                        .kind = PAWL_SPAN_CLIENT,
                                        .flags = 0x303,
                                        .is_error = 1,
                                        .attribute_count = HARD,
                                        .event_count = 2,
                                        .link_count = 2,
                                        .dropped_attributes = 1,
                                        .dropped_events = 2,
                                        .dropped_links = UINT32_MAX,
                                        .attributes = hard,
                                        .events = events,
                                        .links = links};
    return &span;
}

pawl_span_data usual_span(uint32_t number) {
    static const pawl_attribute attributes[] = {
        {.key = "pawl.primitive.type", .value.string = "code_execution", .type = PAWL_ATTRIBUTE_STRING},
        {.key = "pawl.primitive.path", .value.string = "fix/again/run", .type = PAWL_ATTRIBUTE_STRING},
        {.key = "pawl.attempt", .value.integer = 2, .type = PAWL_ATTRIBUTE_INT},
        {.key = "gen_ai.operation.name", .value.string = "execute_tool", .type = PAWL_ATTRIBUTE_STRING},
        {.key = "gen_ai.tool.name", .value.string = "python", .type = PAWL_ATTRIBUTE_STRING},
        {.key = "pawl.execution.seconds", .value.number = 0.125, .type = PAWL_ATTRIBUTE_DOUBLE},
        {.key = "pawl.cached", .value.boolean = false, .type = PAWL_ATTRIBUTE_BOOL}};
    static const pawl_event_data event = {
        .name = "exception", .time_unix_ns = START + 100, .attributes = few, .attribute_count = 2};
    static const pawl_link_data link = {IDS};
    pawl_span_data span = {.name = "run",
                           .tracestate = "",
                           .status_message = "the program exited with 1",
                           .start_unix_ns = START + number * UINT64_C(1000000),
                           .end_unix_ns = START + number * UINT64_C(1000000) + 900000,
                           IDS,
                           .parent_span_id = {7, 7},
                           .kind = PAWL_SPAN_INTERNAL,
                           .flags = 0x103,
                           .is_error = 1,
                           .attribute_count = 7,
                           .event_count = 1,
                           .link_count = 1,
                           .attributes = attributes,
                           .events = &event,
                           .links = &link};
    memcpy(span.span_id, &number, sizeof number);
    return span;
}

const pawl_metric_data *all_metrics(size_t *ret_count) {
    static const double bounds[] = {0.5, 1, 2.5};
    static const uint64_t buckets[] = {1, 0, 300, 2}, growing[] = {1, 300, 0, 7};
    static const pawl_exemplar_data exemplar = {.value = 2, .time_unix_ns = START + 9, IDS};
    static const pawl_attribute series[] = {{.key = "outcome", .value.string = "ok", .type = PAWL_ATTRIBUTE_STRING},
                                            {.key = "path", .value.string = BAD_UTF8, .type = PAWL_ATTRIBUTE_STRING}};
#define TIMES .start_unix_ns = START, .time_unix_ns = START + 60
#define SERIES .attributes = series, .attribute_count = 2
#define EXEMPLAR .exemplars = &exemplar, .exemplar_count = 1
    static const pawl_point_data sums[] = {{SERIES, TIMES, .value = 42, EXEMPLAR}, {TIMES, .value = 0}};
    static const pawl_point_data gauges[] = {{SERIES, TIMES, .value = -1.25}, {TIMES, .value = NAN}};
    static const pawl_point_data explicit_one[] = {
        {SERIES, TIMES, .count = 303, .sum = 601.5, .min = 0.25, .max = 9, .bucket_counts = buckets, EXEMPLAR},
        {TIMES, .min = NAN, .max = NAN}};
    static const pawl_point_data exponential[] = {
        {SERIES, TIMES, .count = 620, .sum = 12, .min = -3, .max = 5, .zero_count = 4, .scale = -2,
         .positive = {.counts = growing, .count = 4, .offset = -7},
         .negative = {.counts = growing, .count = 4, .offset = 9}, EXEMPLAR},
        {TIMES, .count = 1, .sum = 0, .min = 0, .max = 0, .zero_count = 1, .scale = 20}};
    static const pawl_metric_data metrics[] = {
        {.name = "requests",
         .unit = "{request}",
         .description = "What came in " BAD_UTF8,
         .kind = PAWL_COUNTER,
         .is_integer = 1,
         .points = sums,
         .point_count = 2},
        {.name = "seconds",
         .unit = "s",
         .description = "",
         .kind = PAWL_COUNTER,
         .is_delta = 1,
         .points = sums,
         .point_count = 2},
        {.name = "live",
         .unit = "",
         .description = "",
         .kind = PAWL_UP_DOWN_COUNTER,
         .is_integer = 1,
         .points = sums,
         .point_count = 1},
        {.name = "level", .unit = "1", .description = "", .kind = PAWL_GAUGE, .points = gauges, .point_count = 2},
        {.name = "took",
         .unit = "s",
         .description = "",
         .kind = PAWL_HISTOGRAM,
         .bounds = bounds,
         .bound_count = 3,
         .points = explicit_one,
         .point_count = 2},
        {.name = "size",
         .unit = "By",
         .description = "",
         .kind = PAWL_EXPONENTIAL_HISTOGRAM,
         .is_delta = 1,
         .points = exponential,
         .point_count = 2},
    };
    *ret_count = sizeof metrics / sizeof *metrics;
    return metrics;
}

const pawl_log_data *all_logs(size_t *ret_count) {
    static const pawl_log_data logs[] = {
        {.text = "hello " BAD_UTF8,
         .time_unix_ns = START,
         .observed_unix_ns = START + 1,
         IDS,
         .attributes = hard,
         .attribute_count = HARD,
         .dropped_attributes = 2,
         .level = PAWL_LOG_WARN,
         .flags = 1},
        {.text = "", .time_unix_ns = START, .observed_unix_ns = START, .level = PAWL_LOG_DEBUG},
        {.text = NULL, .observed_unix_ns = START, .level = 77},
        {.text = "bad", .time_unix_ns = START, .observed_unix_ns = START, .level = PAWL_LOG_ERROR},
        {.text = "fine", .time_unix_ns = START, .observed_unix_ns = START, .level = PAWL_LOG_INFO},
    };
    *ret_count = sizeof logs / sizeof *logs;
    return logs;
}
