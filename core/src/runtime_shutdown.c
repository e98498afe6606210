/* Shutdown: every live run is cancelled and ends, wherever its driver is; then the threads do. */
#include "engine_internal.h"

/* A loop whose driver is in a leaf will look at its inbox only afterwards: the leaf's run is cancelled from here. */
static void cancel_leaf(pawl_runtime *runtime, struct loop *loop) {
    pthread_mutex_lock(&runtime->lock);
    struct root *root = atomic_exchange(&loop->leaf_root, NULL);
    if (root)
        pawl_root_ref(root);
    pthread_mutex_unlock(&runtime->lock);
    if (!root)
        return;
    pawl_scope_cancel(&root->scope, PAWL_CANCEL_SHUTDOWN, "the runtime is shut down", NULL);
    pawl_root_unpin(root);
}

void pawl_runtime_leave_leaf(struct loop *loop, struct root *root) {
    struct root *entered = root;
    if (likely(atomic_compare_exchange_strong(&loop->leaf_root, &entered, NULL)))
        return;
    pthread_mutex_lock(&loop->runtime->lock); /* cancel_leaf() has it: not before that holds the root */
    pthread_mutex_unlock(&loop->runtime->lock);
}

static void post_shutdown(pawl_runtime *runtime) {
    struct loop *loop;
    for (size_t i = 0; (loop = pawl_runtime_loop_at(runtime, i)); i++) {
        loop->shutdown_post.kind = POST_SHUTDOWN;
        pawl_loop_post(loop, &loop->shutdown_post);
        cancel_leaf(runtime, loop);
    }
}

static void close_loops(pawl_runtime *runtime) {
    struct loop *loop;
    for (size_t i = 0; (loop = pawl_runtime_loop_at(runtime, i)); i++)
        pawl_loop_close(loop);
}

static void drive_out(struct loop *loop) {
    loop->driver = DRIVER_THREAD;
    while (pawl_loop_has_work(loop)) {
        pawl_loop_turn(loop, EVENTS_PER_TURN);
        if (atomic_load_explicit(&loop->live_runs, memory_order_relaxed) > 0 && !loop->ready_head)
            pawl_loop_sleep(loop);
    }
}

static size_t collect_idle(pawl_runtime *runtime) {
    for (size_t i = 0; i < LEASE_SLOTS; i++) {
        struct loop *loop = atomic_exchange(&runtime->leased[i], NULL);
        if (loop) {
            loop->next = runtime->idle;
            runtime->idle = loop;
        }
    }
    size_t count = 0;
    for (struct loop *loop = runtime->idle; loop; loop = loop->next)
        count++;
    return count;
}

/* Waits until every leased loop is back, then ends what was left on them. */
static void wait_for_callers(pawl_runtime *runtime) {
    pthread_mutex_lock(&runtime->lock);
    while (collect_idle(runtime) < runtime->caller_loops)
        pthread_cond_wait(&runtime->changed, &runtime->lock);
    struct loop *idle = runtime->idle;
    pthread_mutex_unlock(&runtime->lock);
    for (struct loop *loop = idle; loop; loop = loop->next)
        drive_out(loop);
}

static void destroy_observers(pawl_runtime *runtime) {
    atomic_store(&runtime->span_starts.count, 0);
    atomic_store(&runtime->instant_starts.count, 0);
    atomic_store(&runtime->span_ends.count, 0);
    for (size_t i = 0; i < runtime->observer_count; i++)
        if (runtime->observers[i].vtable.destroy)
            runtime->observers[i].vtable.destroy(runtime->observers[i].self);
    runtime->observer_count = 0;
}

/* False: somebody else did it, or has done it by the time this returns. */
static bool begin_closing(pawl_runtime *runtime) {
    pthread_mutex_lock(&runtime->lock);
    bool first = !runtime->closed;
    runtime->closed = true;
    atomic_store(&runtime->closing, 1);
    while (!first && !runtime->ended)
        pthread_cond_wait(&runtime->changed, &runtime->lock);
    pthread_mutex_unlock(&runtime->lock);
    return first;
}

static void end_closing(pawl_runtime *runtime) {
    pthread_mutex_lock(&runtime->lock);
    runtime->ended = true;
    pthread_cond_broadcast(&runtime->changed);
    pthread_mutex_unlock(&runtime->lock);
}

/* From here on this thread drives the embedded loop; a pump that runs now ends first. */
static void take_embedded(pawl_runtime *runtime) {
    pthread_mutex_lock(&runtime->lock);
    while (atomic_exchange(&runtime->pumping, 1))
        pthread_cond_wait(&runtime->changed, &runtime->lock);
    struct loop *loop = runtime->embedded;
    pthread_mutex_unlock(&runtime->lock);
    if (loop)
        drive_out(loop);
}

pawl_status pawl_runtime_shutdown(pawl_runtime *runtime, pawl_error **err) {
    if (!runtime)
        return pawl_error_set(err, PAWL_E_INVALID, "runtime: it is NULL; pass what pawl_runtime_new() gave");
    if (pawl_runtime_is_forked(runtime))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "runtime: this process was forked from its owner, which must shut it down");
    if (pawl_is_inside())
        return pawl_error_set(err, PAWL_E_INVALID, "runtime: shutdown inside a leaf or callback would wait for itself");
    if (!begin_closing(runtime))
        return PAWL_OK;
    post_shutdown(runtime);
    for (size_t i = 0; i < runtime->thread_count; i++) {
        pawl_loop_wake(runtime->thread_loops[i]);
        pthread_join(runtime->threads[i], NULL);
    }
    take_embedded(runtime);
    wait_for_callers(runtime);
    close_loops(runtime);
    pawl_pool_stop(runtime->pool);
    pawl_watchdog_stop(runtime->watchdog);
    destroy_observers(runtime);
    end_closing(runtime);
    return PAWL_OK;
}
