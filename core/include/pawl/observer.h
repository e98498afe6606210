/** @file pawl/observer.h  @brief What core tells about each node while it runs; implemented by the observability layer,
 * or by you.
 *
 * The engine opens a span before a node starts and closes it when it ends. With no observer attached nothing here costs
 * anything. What a combinator knows about a child (step, attempt, branch) is an attribute of the child's own span.
 */
#ifndef PAWL_OBSERVER_H
#define PAWL_OBSERVER_H

#include <pawl/context.h>

PAWL_BEGIN_DECLS

#define PAWL_SPAN_ATTRIBUTES 16 /**< Bound of attributes of one span; what comes after is counted as dropped. */
#define PAWL_SPAN_EVENTS 4
#define PAWL_SPAN_TEXT 320 /**< Bytes for copied strings of one span; what does not fit is cut or dropped. */

typedef enum pawl_attribute_type {
    PAWL_ATTRIBUTE_STRING = 0,
    PAWL_ATTRIBUTE_INT,
    PAWL_ATTRIBUTE_DOUBLE,
    PAWL_ATTRIBUTE_BOOL
} pawl_attribute_type;

typedef struct pawl_attribute {
    const char *key; /**< Static string. */
    union {
        const char *string;
        int64_t integer;
        double number;
        bool boolean;
    } value;
    uint64_t type; /**< pawl_attribute_type. */
} pawl_attribute;

typedef struct pawl_span_event {
    const char *name; /**< Static string. */
    uint64_t time_ns;
} pawl_span_event;

/** One span; everything is borrowed and valid only during the observer's call. */
typedef struct pawl_span {
    const struct pawl_span *parent; /**< Open parent in this process, NULL for none. */
    const char *name;               /**< The node's. */
    const char *type;               /**< The primitive's type, "" for a span opened by hand. */
    uint64_t start_ns, end_ns;      /**< Monotonic; end_ns is 0 until it ended. */
    uint8_t trace_id[16];
    uint8_t span_id[8], parent_span_id[8];
    uint32_t status;         /**< pawl_status, when it ended. */
    uint32_t cancel_reason;  /**< pawl_cancel_reason, when cancelled. */
    const pawl_error *error; /**< Of a failed span; NULL when it was not described. */
    void *observer_data[2];  /**< One slot for each of the first two observers. */
    uint32_t attribute_count, event_count, dropped, text_used;
    pawl_attribute attributes[PAWL_SPAN_ATTRIBUTES];
    pawl_span_event events[PAWL_SPAN_EVENTS];
    char text[PAWL_SPAN_TEXT];
} pawl_span;

/** All slots optional; called on the thread that runs the node; must not block, must not call into the run. */
typedef struct pawl_observer_vtable {
    size_t size; /**< sizeof(pawl_observer_vtable). */
    void (*span_start)(void *self, const pawl_span *span);
    void (*span_end)(void *self, const pawl_span *span);
    void (*destroy)(void *self); /**< Once, when the runtime ends. */
} pawl_observer_vtable;

/**
 * Attaches an observer, before the first run of the runtime (PAWL_E_INVALID later); at most 8 (PAWL_E_LIMIT).
 * @param vtable  Borrowed, must outlive the runtime.
 * @param self    Handed to each call; given up with destroy.
 */
PAWL_API pawl_status pawl_runtime_add_observer(pawl_runtime *runtime, const pawl_observer_vtable *vtable, void *self,
                                               pawl_error **err);

/* ---- For nodes: attributes and events of the span that is open in ctx; nothing happens when none is. Only from the
 * leaf itself. ---- */

/** @return Whether somebody observes; skip the work of making attributes otherwise. */
PAWL_API bool pawl_context_is_observed(const pawl_context *ctx);
/** @param key Static string. @param text Copied. */
PAWL_API void pawl_context_set_string(pawl_context *ctx, const char *key, const char *text);
PAWL_API void pawl_context_set_int(pawl_context *ctx, const char *key, int64_t number);
PAWL_API void pawl_context_set_double(pawl_context *ctx, const char *key, double number);
PAWL_API void pawl_context_set_bool(pawl_context *ctx, const char *key, bool flag);
/** @param name Static string. */
PAWL_API void pawl_context_add_event(pawl_context *ctx, const char *name);

/**
 * Opens a span of one's own beneath the node's, e.g. for a phase of a leaf.
 * @param span  Caller's storage, untouched until pawl_span_close().
 * @param name  Borrowed until the span is closed.
 */
PAWL_API void pawl_span_open(pawl_context *ctx, pawl_span *span, const char *name);
PAWL_API void pawl_span_set_string(pawl_span *span, const char *key, const char *text);
PAWL_API void pawl_span_set_int(pawl_span *span, const char *key, int64_t number);
PAWL_API void pawl_span_set_double(pawl_span *span, const char *key, double number);
PAWL_API void pawl_span_set_bool(pawl_span *span, const char *key, bool flag);
/** @param error Borrowed, NULL allowed. */
PAWL_API void pawl_span_close(pawl_context *ctx, pawl_span *span, pawl_status status, const pawl_error *error);

PAWL_END_DECLS
#endif
