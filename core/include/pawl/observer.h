/** @file pawl/observer.h  @brief What core tells about each node while it runs; implemented by the observability layer,
 * or by you.
 *
 * The engine opens a span before a node starts and closes it when it ends. With no observer attached nothing here costs
 * anything. What a combinator knows about a child (step, attempt, branch) is an attribute of the child's own span.
 * Measurements and log records go the same way: whoever makes them does not know who listens.
 */
#ifndef PAWL_OBSERVER_H
#define PAWL_OBSERVER_H

#include <pawl/context.h>
#include <pawl/telemetry.h>

PAWL_BEGIN_DECLS

#define PAWL_SPAN_ATTRIBUTES                                                                                           \
    1024 /**< Bound of attributes, of events and of links of one span; what comes after is                             \
              counted as dropped. */
#define PAWL_SPAN_STRING                                                                                               \
    PAWL_MIB(1) /**< Longest string of a span in bytes; a longer one is cut. All strings of a span                     \
                     together: 4 MiB, then attributes are dropped. */

typedef struct pawl_span_event {
    const char *name;
    uint64_t time_ns; /**< Monotonic. */
    const pawl_attribute *attributes;
    uint64_t attribute_count;
} pawl_span_event;

/** Another span that has to do with this one and is not its parent. */
typedef struct pawl_span_link {
    uint8_t trace_id[16], span_id[8];
    const pawl_attribute *attributes;
    uint64_t attribute_count;
} pawl_span_link;

/** The numbers are OTLP's. */
typedef enum pawl_span_kind {
    PAWL_SPAN_INTERNAL = 1,
    PAWL_SPAN_SERVER,
    PAWL_SPAN_CLIENT,
    PAWL_SPAN_PRODUCER,
    PAWL_SPAN_CONSUMER
} pawl_span_kind;

/** One span; everything is borrowed and valid only during the observer's call. Read only, but through the functions
 * below. */
typedef struct pawl_span {
    const struct pawl_span *parent;    /**< Open parent in this process, NULL for none. */
    pawl_context *ctx;                 /**< Of its node, for ids and tags. */
    const char *name;                  /**< The node's. */
    const char *type;                  /**< The primitive's type, "" for a span opened by hand or told. */
    const struct pawl_primitive *node; /**< The primitive; NULL for a span opened by hand or told. */
    uint64_t start_ns;                 /**< Monotonic. */
    uint8_t trace_id[16];
    uint8_t span_id[8], parent_span_id[8];
    uint32_t trace_flags;       /**< W3C: bit 0 sampled, bit 1 random. */
    uint32_t parent_is_remote;  /**< Not 0: parent_span_id came from another process. */
    uint32_t observers;         /**< Bit set of those that are told of it; the engine's. */
    uint32_t kind;              /**< pawl_span_kind. */
    uint64_t end_ns;            /**< Monotonic; 0 until it ended. */
    pawl_attribute *attributes; /**< NULL while there is none. */
    pawl_span_event *events;    /**< The same. */
    uint32_t attribute_room, event_room;
    const pawl_error *error; /**< Of a failed span; NULL when it was not described. */
    pawl_span_link *links;
    struct pawl_span_text *more; /**< Strings that did not fit text. */
    uint32_t status;             /**< pawl_status, when it ended. */
    uint32_t cancel_reason;      /**< pawl_cancel_reason, when cancelled. */
    uint32_t attribute_count, event_count, link_count, link_room;
    uint32_t dropped_attributes, dropped_events, dropped_links, text_used;
    uint32_t described; /**< Not 0: it failed, or something was set on it; else attributes[0] is all there may be, whose
                             key is static. The engine's. */
    uint32_t is_instant; /**< Not 0: an inline leaf that its parent runs alone, see skips_instants. */
    pawl_attribute attribute_slots[16];
    pawl_span_event event_slots[3];
    char text[320];
} pawl_span;

/* ---- Sampling: asked once a trace, before the first span of this process's part of it ---- */

typedef enum pawl_sample {
    PAWL_SAMPLE_DROP = 0, /**< This observer is told nothing of the trace. */
    PAWL_SAMPLE_RECORD,   /**< It is told; the trace does not count as sampled. */
    PAWL_SAMPLE_KEEP,     /**< It is told, and the sampled flag is set for whoever comes after. */
} pawl_sample;

/** What a sampler may decide by. Borrowed, valid only during the call. */
typedef struct pawl_sampling {
    size_t size;
    const char *name, *type; /**< Of the pipeline that is about to run. */
    uint8_t trace_id[16];
    uint8_t parent_span_id[8];
    uint32_t has_parent;    /**< Not 0: a parent in another process, whose flags follow. */
    uint32_t trace_flags;   /**< W3C: bit 0 sampled, bit 1 random. */
    const char *tracestate; /**< "" for none. */
} pawl_sampling;

/** All slots are optional; called on the thread that does the work, several at once; must not block, must not call into
 * the run. */
typedef struct pawl_observer_vtable {
    size_t size; /**< sizeof(pawl_observer_vtable). */
    void (*span_start)(void *self, const pawl_span *span);
    void (*span_end)(void *self, const pawl_span *span);
    void (*destroy)(void *self); /**< Once, when the runtime ends. May block for a bounded time. */
    /**
     * Decides about a trace. NULL: told of every trace, without a say in the sampled flag. With several samplers the
     * flag is set when one keeps the trace.
     * @param ret_tracestate  May be set to a new tracestate, made with malloc() and taken; of several the last counts.
     */
    pawl_sample (*sample)(void *self, const pawl_sampling *question, char **ret_tracestate);
    /** @param ctx NULL outside a run; its open span is pawl_context_span_of(). @param attributes Borrowed. */
    void (*measure)(void *self, pawl_context *ctx, const pawl_instrument *instrument, double value,
                    const pawl_attribute *attributes, size_t attribute_count);
    void (*log)(void *self, const pawl_log_record *record);
    /** Hands on what is waiting, for at most timeout_ns. May block; called by pawl_runtime_flush() alone. */
    pawl_status (*flush)(void *self, uint64_t timeout_ns, pawl_error **err);
    /** Not 0: span_start is not called for an inline leaf that another node runs alone (a step, an attempt; not one of
     * several side by side), which is over before anybody could look at what is open. Its span_end is. */
    uint64_t skips_instants;
} pawl_observer_vtable;

/**
 * Attaches an observer, before the first run of the runtime (PAWL_E_INVALID later); at most 8 (PAWL_E_LIMIT). Starts of
 * spans are told in the order in which observers were attached, ends in the reverse order: what the last one sets on a
 * span is seen by all.
 * @param vtable  Copied.
 * @param self    Handed to each call; given up with destroy. On failure it stays the caller's.
 */
PAWL_API pawl_status pawl_runtime_add_observer(pawl_runtime *runtime, const pawl_observer_vtable *vtable, void *self,
                                               pawl_error **err);

/**
 * Asks every observer in turn to hand on what is waiting.
 * @param timeout_ns  For all of them together.
 * @return PAWL_OK, PAWL_E_TIMEOUT when the time was up, or the first failure. Blocks; not inside an inline leaf or a
 * callback (PAWL_E_INVALID).
 */
PAWL_API pawl_status pawl_runtime_flush(pawl_runtime *runtime, uint64_t timeout_ns, pawl_error **err);

/* ---- For nodes: the span that is open in ctx; nothing happens when none is. Only from the leaf itself. Keys and names
 * must live until the span ends (static strings do); texts are copied. A key that is set again is replaced; an
 * attribute without a key is dropped and counted; NULL or "" for a name becomes "unnamed", an unknown kind internal.
 * ---- */

/** @return Whether somebody observes; skip the work of making attributes otherwise. */
PAWL_API bool pawl_context_is_observed(const pawl_context *ctx);
/**
 * Whether nodes may put content (programs, their output, prompts) on spans. Off by default: content is large and may be
 * private. Any thread; counts for spans that are described later.
 */
PAWL_API void pawl_runtime_set_content(pawl_runtime *runtime, bool recorded);
/** @return Whether a span is open in ctx and content may be put on it. */
PAWL_API bool pawl_context_records_content(const pawl_context *ctx);
/** @return The span that is open in ctx, borrowed; NULL for none. */
PAWL_API pawl_span *pawl_context_span_of(const pawl_context *ctx);
PAWL_API void pawl_context_set_string(pawl_context *ctx, const char *key, const char *text);
PAWL_API void pawl_context_set_int(pawl_context *ctx, const char *key, int64_t number);
PAWL_API void pawl_context_set_double(pawl_context *ctx, const char *key, double number);
PAWL_API void pawl_context_set_bool(pawl_context *ctx, const char *key, bool flag);
PAWL_API void pawl_context_add_event(pawl_context *ctx, const char *name);

/**
 * Opens a span of one's own beneath the node's, e.g. for a phase of a leaf.
 * @param span  Caller's storage, untouched until pawl_span_close(), which must follow.
 * @param name  Borrowed until the span is closed.
 */
PAWL_API void pawl_span_open(pawl_context *ctx, pawl_span *span, const char *name);
PAWL_API void pawl_span_set_string(pawl_span *span, const char *key, const char *text);
PAWL_API void pawl_span_set_int(pawl_span *span, const char *key, int64_t number);
PAWL_API void pawl_span_set_double(pawl_span *span, const char *key, double number);
PAWL_API void pawl_span_set_bool(pawl_span *span, const char *key, bool flag);
PAWL_API void pawl_span_set_kind(pawl_span *span, pawl_span_kind kind);
/** @param time_ns Monotonic; 0: now. @param attributes Copied; NULL for none. */
PAWL_API void pawl_span_add_event(pawl_span *span, const char *name, uint64_t time_ns, const pawl_attribute *attributes,
                                  size_t attribute_count);
/** One to an id of zeroes is dropped and counted. */
PAWL_API void pawl_span_add_link(pawl_span *span, const uint8_t trace_id[16], const uint8_t span_id[8],
                                 const pawl_attribute *attributes, size_t attribute_count);
/** @param error Borrowed, NULL allowed. */
PAWL_API void pawl_span_close(pawl_context *ctx, pawl_span *span, pawl_status status, const pawl_error *error);

/**
 * Prepares a span that was measured elsewhere (in a sandbox, by another tool), to be filled in and told. Its trace,
 * flags and observers are those of ctx; its parent is the span open there until parent_span_id is set.
 * @param span  Caller's storage; its ids, times, status and ctx may be set directly.
 */
PAWL_API void pawl_span_init(pawl_context *ctx, pawl_span *span, const char *name);
/** Tells the observers of a span that began and ended elsewhere, and releases what it holds. An id of zeroes is
 * replaced, an end before the start becomes the start. Once per pawl_span_init(). */
PAWL_API void pawl_span_tell(pawl_context *ctx, pawl_span *span);

PAWL_END_DECLS
#endif
