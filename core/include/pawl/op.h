/** @file pawl/op.h  @brief Asynchronous leaves: work that is started here and completed from anywhere. */
#ifndef PAWL_OP_H
#define PAWL_OP_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/** Handle of one started operation: two words, copied freely, valid to complete once. A late or second completion is
 * refused and counted, also long after the run has ended; the runtime must still exist. */
typedef struct pawl_op {
    void *slot;
    uint64_t generation;
} pawl_op;

/** What an asynchronous leaf does. */
typedef struct pawl_async_vtable {
    size_t size; /**< sizeof(pawl_async_vtable). */
    /**
     * Required. On the loop's thread, must not block. Exactly one pawl_op_complete() must follow, from any thread, also
     * from inside this call; there is no other way to fail.
     * @param ctx, in      Borrowed until the op is completed.
     * @param ret_op_data  Set to what cancel and destroy need; NULL at first.
     */
    void (*start)(void *user, pawl_op op, pawl_context *ctx, pawl_value *in, void **ret_op_data);
    /** Optional. Asks the work to end soon; on the loop's thread, at most once, possibly beside a completion. The op is
     * still to be completed. */
    void (*cancel)(void *user, pawl_op op, void *op_data, pawl_cancel_reason reason);
    /** Optional. Releases op_data, on the loop's thread, after completion and after any cancel call. Not called for
     * NULL. */
    void (*destroy)(void *user, void *op_data);
} pawl_async_vtable;

/**
 * Ends an operation. Any thread.
 * @param value  Taken (also when refused); NULL with PAWL_OK passes the input on.
 * @param error  Taken (also when refused); for failures; NULL gives a plain message.
 * @return Whether it was accepted: false for a late, double or forged completion.
 */
PAWL_API bool pawl_op_complete(pawl_op op, pawl_status status, pawl_value *value, pawl_error *error);

PAWL_END_DECLS
#endif
