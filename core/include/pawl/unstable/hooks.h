/** @file pawl/unstable/hooks.h  @brief Unstable. Takes time, randomness and the order of events into a test's own
 * hands.
 *
 * With hooks a runtime has no pool and no threads: blocking leaves run in the driving thread, and pawl_context_sleep()
 * moves the clock instead of sleeping.
 */
#ifndef PAWL_UNSTABLE_HOOKS_H
#define PAWL_UNSTABLE_HOOKS_H

#include <pawl/runtime.h>

PAWL_BEGIN_DECLS

typedef struct pawl_runtime_hooks {
    size_t size; /**< sizeof(pawl_runtime_hooks). */
    void *user;
    /** Required. Now, never going back. */
    uint64_t (*now)(void *user);
    /** Required. Moves the clock to until_ns at the earliest; PAWL_NEVER: nothing is due. @return false when nothing
     * can ever happen: the loop then waits for other threads in real time. */
    bool (*advance)(void *user, uint64_t until_ns);
    /** Optional. Called before each event is delivered to a frame: the place to cancel, to move the clock, to complete
     * an op. */
    void (*boundary)(void *user);
    /** Optional. Which of count ready events comes next (0 is the oldest). */
    size_t (*pick)(void *user, size_t count);
} pawl_runtime_hooks;

PAWL_END_DECLS
#endif
