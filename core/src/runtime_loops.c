/* The runtime's loops and who drives them: pawl_run()'s callers, threads of the runtime, the host. */
#include "engine_internal.h"
#include <stdlib.h>

#define EVENTS_PER_PUMP 65536

/* ---- leased by pawl_run() ---- */

/* Under the lock. */
static struct loop *make_loop(pawl_runtime *runtime) {
    if (runtime->loop_count == runtime->loop_capacity) {
        size_t capacity = runtime->loop_capacity ? runtime->loop_capacity * 2 : 8;
        struct loop **more = capacity <= LOOPS ? realloc(runtime->loops, capacity * sizeof *more) : NULL;
        if (!more)
            return NULL;
        runtime->loops = more;
        runtime->loop_capacity = capacity;
    }
    struct loop *loop = pawl_loop_new(runtime, pawl_random_next(&runtime->random));
    if (loop)
        runtime->loops[runtime->loop_count++] = loop;
    return loop;
}

struct loop *pawl_runtime_loop_at(pawl_runtime *runtime, size_t index) {
    pthread_mutex_lock(&runtime->lock);
    struct loop *loop = index < runtime->loop_count ? runtime->loops[index] : NULL;
    pthread_mutex_unlock(&runtime->lock);
    return loop;
}

static struct loop *lease_slowly(pawl_runtime *runtime, pawl_error **err) {
    pthread_mutex_lock(&runtime->lock);
    atomic_store(&runtime->started, 1);
    bool closed = runtime->closed;
    struct loop *loop = closed ? NULL : runtime->idle;
    if (loop) {
        runtime->idle = loop->next;
    } else if (!closed) {
        loop = make_loop(runtime);
        runtime->caller_loops += loop != NULL;
    }
    pthread_mutex_unlock(&runtime->lock);
    if (!loop && pawl_runtime_is_usable(runtime, err))
        pawl_error_set(err, PAWL_E_UNSUPPORTED,
                       "runtime: no memory or descriptors for one more loop; raise the descriptor limit");
    return loop;
}

static size_t lease_slot(void) {
    uintptr_t self = (uintptr_t)pthread_self();
    return (self >> 12 ^ self >> 20) % LEASE_SLOTS;
}

struct loop *pawl_runtime_lease(pawl_runtime *runtime, pawl_error **err) {
    if (unlikely(!pawl_runtime_is_usable(runtime, err)))
        return NULL;
    struct loop *loop = atomic_exchange(&runtime->leased[lease_slot()], NULL);
    if (unlikely(!loop)) {
        loop = lease_slowly(runtime, err);
        if (!loop)
            return NULL;
    }
    if (unlikely(!pawl_runtime_is_usable(runtime, err))) { /* shutdown looked at the slot before we took it */
        pawl_runtime_give_back(loop);
        return NULL;
    }
    loop->driver = DRIVER_CALLER;
    return loop;
}

static void put_back(pawl_runtime *runtime, struct loop *loop) {
    struct loop *none = NULL;
    bool stored = atomic_compare_exchange_strong(&runtime->leased[lease_slot()], &none, loop);
    if (stored && !atomic_load(&runtime->closing))
        return;
    pthread_mutex_lock(&runtime->lock);
    if (!stored) {
        loop->next = runtime->idle;
        runtime->idle = loop;
    }
    pthread_cond_broadcast(&runtime->changed);
    pthread_mutex_unlock(&runtime->lock);
}

void pawl_runtime_give_back(struct loop *loop) {
    pawl_runtime *runtime = loop->runtime;
    if (unlikely(atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL))
        pawl_loop_drain(loop); /* cancels that came late: whom they are about waits to be let go */
    bool left_behind = atomic_load_explicit(&loop->live_runs, memory_order_relaxed) > 0;
    if (unlikely(left_behind) && !runtime->hooks && pawl_pool_adopt(runtime, loop) == PAWL_OK)
        return; /* somebody else's flight goes on there */
    put_back(runtime, loop);
}

/* ---- driven by threads of the runtime ---- */

/* Closing is looked at before each sleep: shutdown sets it, then posts, and a post ends or prevents the sleep. */
static void *drive_thread(void *user) {
    struct loop *loop = user;
    for (;;) {
        pawl_loop_turn(loop, EVENTS_PER_TURN);
        if (atomic_load(&loop->runtime->closing) && !pawl_loop_has_work(loop))
            return NULL;
        if (!loop->ready_head)
            pawl_loop_sleep(loop);
    }
}

/* Under the lock. */
static struct loop *start_loop_thread(pawl_runtime *runtime) {
    struct loop *loop = make_loop(runtime);
    if (!loop)
        return NULL;
    loop->driver = DRIVER_THREAD;
    if (pawl_thread_start(&runtime->threads[runtime->thread_count], drive_thread, loop) == 0)
        return runtime->thread_loops[runtime->thread_count++] = loop;
    loop->next = runtime->idle; /* good for a caller */
    runtime->idle = loop;
    runtime->caller_loops++;
    return NULL;
}

struct loop *pawl_runtime_thread_loop(pawl_runtime *runtime, pawl_error **err) {
    if (runtime->hooks)
        return pawl_runtime_embedded(runtime, err);
    pthread_mutex_lock(&runtime->lock);
    atomic_store(&runtime->started, 1);
    size_t index = runtime->next_thread++ % runtime->options.loop_threads;
    struct loop *loop = index < runtime->thread_count ? runtime->thread_loops[index]
                        : runtime->closed             ? NULL
                                                      : start_loop_thread(runtime);
    pthread_mutex_unlock(&runtime->lock);
    if (!loop && pawl_runtime_is_usable(runtime, err))
        pawl_error_set(err, PAWL_E_UNSUPPORTED,
                       "runtime: a loop thread cannot be started; raise the thread or descriptor limit");
    return loop;
}

struct loop *pawl_runtime_embedded(pawl_runtime *runtime, pawl_error **err) {
    pthread_mutex_lock(&runtime->lock);
    atomic_store(&runtime->started, 1);
    if (!runtime->embedded && !runtime->closed) {
        runtime->embedded = make_loop(runtime);
        if (runtime->embedded) {
            runtime->embedded->driver = DRIVER_PUMP;
            atomic_store(&runtime->embedded->sleeping, 1); /* away until pumped: whoever posts must ring */
        }
    }
    struct loop *loop = runtime->embedded;
    pthread_mutex_unlock(&runtime->lock);
    if (!loop && pawl_runtime_is_usable(runtime, err))
        pawl_error_set(err, PAWL_E_UNSUPPORTED,
                       "runtime: no descriptors for the embedded loop; raise the descriptor limit");
    return loop;
}

bool pawl_runtime_post_run(struct loop *loop, struct post *post) {
    pawl_runtime *runtime = loop->runtime;
    pthread_mutex_lock(&runtime->lock); /* so that shutdown comes before, or sees it in the inbox */
    bool posted = !runtime->closed && pawl_loop_post(loop, post);
    pthread_mutex_unlock(&runtime->lock);
    return posted;
}

/* ---- the embedded loop ---- */

int pawl_runtime_fd(pawl_runtime *runtime) {
    struct loop *loop = runtime && pawl_runtime_is_usable(runtime, NULL) ? pawl_runtime_embedded(runtime, NULL) : NULL;
    return loop ? loop->poll_fd : -1;
}

uint64_t pawl_runtime_next_timeout(pawl_runtime *runtime) {
    struct loop *loop = runtime && pawl_runtime_is_usable(runtime, NULL) ? pawl_runtime_embedded(runtime, NULL) : NULL;
    if (!loop)
        return PAWL_NEVER;
    if (loop->ready_head || atomic_load(&loop->inbox))
        return 0;
    uint64_t timer = pawl_loop_next_timer(loop);
    if (timer == PAWL_NEVER)
        return PAWL_NEVER;
    uint64_t now = pawl_runtime_now(runtime);
    return timer > now ? timer - now : 0;
}

static void end_pump(pawl_runtime *runtime) {
    atomic_store(&runtime->pumping, 0);
    if (likely(!atomic_load(&runtime->closing)))
        return;
    pthread_mutex_lock(&runtime->lock);
    pthread_cond_broadcast(&runtime->changed); /* take_embedded() */
    pthread_mutex_unlock(&runtime->lock);
}

pawl_status pawl_runtime_pump(pawl_runtime *runtime, pawl_error **err) {
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    struct loop *loop = pawl_runtime_embedded(runtime, err);
    if (!loop)
        return PAWL_E_UNSUPPORTED;
    if (pawl_is_inside() || atomic_exchange(&runtime->pumping, 1))
        return pawl_error_set(err, PAWL_E_INVALID, "pump: it is not re-entrant, and one thread drives it at a time");
    pawl_runtime_hold(runtime); /* a callback may give the last reference back */
    atomic_store(&loop->sleeping, 0);
    pawl_loop_empty_bell(loop);
    pawl_loop_turn(loop, EVENTS_PER_PUMP);
    atomic_store(&loop->sleeping, 1);
    if (loop->ready_head || atomic_load(&loop->inbox))
        pawl_loop_wake(loop); /* more came: the descriptor says so */
    end_pump(runtime);
    pawl_runtime_release(runtime);
    return PAWL_OK;
}
