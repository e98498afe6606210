/** @file pawl/primitives/sequential.h  @brief Steps one after the other: the output of each is the input of the next.
 */
#ifndef PAWL_PRIMITIVES_SEQUENTIAL_H
#define PAWL_PRIMITIVES_SEQUENTIAL_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/** `pawl_sequential("fix", generate, run, validate)`; see pawl_sequential_new(). C only; in C++:
 * `pawl_primitive *const steps[] = {generate, run, validate, PAWL_END};` and `pawl_sequential_new("fix", steps)`. */
#define pawl_sequential(name, ...) pawl_sequential_new(name, PAWL_CHILDREN(__VA_ARGS__))

/**
 * Runs its steps in order and stops at the first that fails.
 * @param name      Copied; appears in spans, metrics and errors.
 * @param children  Each taken over; ends with PAWL_END; at least one. A child made by pawl_then() is flattened: its
 * steps become steps of this node. A sequential with a name of its own stays a node, so that traces show it.
 * @return New reference, never NULL: a failed primitive when there is no step, a step is NULL or failed, or without
 * memory.
 *
 * A run returns the failing step's error unchanged. Cancellation and deadline are looked at between steps. No
 * allocation. Each step's span has the attributes pawl.step (from 0). Threads: create, run and release on any thread;
 * several may run it at once.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_sequential_new(const char *name, pawl_primitive *const *children);

/** a, then b, as a nameless sequence that the sequence around it takes apart; run on its own it is a node named "then".
 * Both taken over. */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_then(pawl_primitive *a, pawl_primitive *b);

PAWL_END_DECLS
#endif
