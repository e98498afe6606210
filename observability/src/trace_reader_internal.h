/** @file trace_reader_internal.h  @brief Reads trace files: OTLP/JSON, one ExportTraceServiceRequest a line, as a file
 * exporter writes them.
 *
 * The text is somebody else's (a sandboxed program's, a foreign exporter's), so everything is bounded and nothing is
 * trusted: a line or a span that is wrong is told and left out, and the rest is read. Spans are handed out one by one,
 * so that no more than one line is in memory beside the text.
 *
 * Source: OTLP 1.11.0, "JSON Protobuf Encoding", and the file exporter's specification: names in lowerCamelCase, ids in
 * hexadecimal of any case, 64-bit integers as strings or numbers (exact to 2^53 then: numbers are doubles), enums as
 * numbers, unknown members ignored.
 */
#ifndef PAWL_TRACE_READER_INTERNAL_H
#define PAWL_TRACE_READER_INTERNAL_H

#include <cjson/cJSON.h>
#include <pawl/error.h>

/** Zero means the default. */
struct pawl_trace_limits {
    uint64_t max_bytes;      /**< What is behind them is not read. Default 1 GiB. */
    uint64_t max_line_bytes; /**< A longer line is bad. Default 64 MiB, the most an OTLP request may have. */
    uint64_t max_spans;      /**< Further ones are only counted. Default 1,000,000. */
    uint64_t max_depth;      /**< Of nested arrays and objects in one line. Default 256, at most 1,000. */
};

enum pawl_otlp_type {
    PAWL_OTLP_EMPTY = 0,
    PAWL_OTLP_STRING,
    PAWL_OTLP_BOOL,
    PAWL_OTLP_INT,
    PAWL_OTLP_DOUBLE,
    PAWL_OTLP_BYTES, /**< string holds base64, unchecked. */
    PAWL_OTLP_ARRAY, /**< items: each an AnyValue for pawl_otlp_any(). */
    PAWL_OTLP_MAP,   /**< items: each a KeyValue for pawl_otlp_attribute(). */
};

/** One AnyValue; borrows from the JSON. */
struct pawl_otlp_any {
    enum pawl_otlp_type type;
    bool boolean;
    int64_t integer;
    double number;
    const char *string;
    const cJSON *items; /**< Array or NULL. */
};

struct pawl_otlp_status {
    uint32_t code; /**< 0 unset, 1 ok, 2 error. */
    const char *message;
};

/** One span; valid during the call that hands it out. Lists are JSON arrays, NULL for none; strings are never NULL. */
struct pawl_trace_span {
    uint64_t line;  /**< From 1. */
    uint64_t group; /**< The same number as of the span before: the same resource and scope. */
    uint8_t trace_id[16], span_id[8], parent_span_id[8]; /**< The parent's is zero for a root. */
    const char *name, *trace_state, *scope_name, *scope_version;
    uint64_t start_ns, end_ns; /**< Since 1970; end_ns is 0 when none was said. */
    uint32_t kind, flags, dropped_attributes, dropped_events, dropped_links;
    struct pawl_otlp_status status;
    const cJSON *attributes, *events, *links, *resource_attributes, *scope_attributes;
};

struct pawl_trace_event {
    const char *name;
    uint64_t time_ns;
    const cJSON *attributes;
    uint32_t dropped_attributes;
};

struct pawl_trace_link {
    uint8_t trace_id[16], span_id[8];
    const cJSON *attributes;
    uint32_t dropped_attributes;
};

struct pawl_trace_sink {
    void *user;
    /** Required. False stops the reading, which is no error. */
    bool (*span)(void *user, const struct pawl_trace_span *span);
    /** Optional; for each bad line and each bad span of a good line. @param what What is wrong. Borrowed. */
    void (*fault)(void *user, uint64_t line, const char *what);
};

/** What was found. */
struct pawl_trace_reading {
    uint64_t lines;       /**< That hold anything. */
    uint64_t spans;       /**< Handed out. */
    uint64_t bad_lines;   /**< No JSON, no object, too long. */
    uint64_t bad_spans;   /**< Without valid ids, times or name. */
    uint64_t over_limit;  /**< Good spans beyond max_spans. */
    uint64_t other_lines; /**< Without spans: metrics, logs. */
    uint64_t unread;      /**< Bytes behind max_bytes. */
    bool cut_off;         /**< The last line has no line feed and is no JSON: its writer is in the middle of it. */
};

/**
 * Reads a trace file's text.
 * @param text         length bytes; borrowed. NULL with length 0 is an empty file.
 * @param limits       NULL for the defaults.
 * @param ret_reading  Always set, also on failure.
 * @return PAWL_OK also for bad lines; PAWL_E_INVALID for max_depth over 1,000; PAWL_E_NOMEM.
 */
pawl_status pawl_trace_read(const char *text, size_t length, const struct pawl_trace_limits *limits,
                            const struct pawl_trace_sink *sink, struct pawl_trace_reading *ret_reading,
                            pawl_error **err);

/** The first item or the next one of a list that may be NULL or no array. */
static inline const cJSON *pawl_otlp_first(const cJSON *list) {
    return list && cJSON_IsArray(list) ? list->child : NULL;
}

/** @return False for a KeyValue that is none; its value may be empty. */
bool pawl_otlp_attribute(const cJSON *item, const char **ret_key, struct pawl_otlp_any *ret_value);
/** Reads an AnyValue; anything that is none reads as empty. */
struct pawl_otlp_any pawl_otlp_any(const cJSON *value);
/** @return False for a span event or link that is none. */
bool pawl_otlp_event(const cJSON *item, struct pawl_trace_event *ret_event);
bool pawl_otlp_link(const cJSON *item, struct pawl_trace_link *ret_link);

/* ---- Members, for trace_reader.c ---- */

const cJSON *pawl_otlp_get(const cJSON *object, const char *name);
/** @return Borrowed text of a member, "" when it is absent or no string. */
const char *pawl_otlp_text(const cJSON *object, const char *name);
/** Reads an unsigned member, a number or a decimal string; 0 when absent. @return False when it is neither or out of
 * range. */
bool pawl_otlp_uint(const cJSON *object, const char *name, uint64_t most, uint64_t *ret_number);
/** Reads an id of exactly 2 * bytes hexadecimal digits. @return False when it is none or all zero. */
bool pawl_otlp_read_id(const cJSON *object, const char *name, uint8_t *ret_id, size_t bytes);

#endif
