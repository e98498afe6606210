/* The runtime: options, loops and who drives them, shutdown. */
#include "engine_internal.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define STACK_BYTES PAWL_MIB(1)
#define LOG_BYTES 512
#define EVENTS_PER_PUMP 65536

/* ---- small services ---- */

static bool is_forked(const pawl_runtime *runtime) {
    return runtime->alive[0] == 0;
}

uint64_t pawl_runtime_now(const pawl_runtime *runtime) {
    if (unlikely(runtime->hooks != NULL))
        return runtime->hooks->now(runtime->hooks->user);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * PAWL_S(1) + (uint64_t)now.tv_nsec;
}

uint64_t pawl_runtime_random(pawl_runtime *runtime) {
    uint64_t number = 0;
    if (unlikely(is_forked(runtime))) { /* the generator's state is the parent's, the lock may be anybody's */
        ssize_t got = getrandom(&number, sizeof number, 0);
        (void)got;
        return number;
    }
    pthread_mutex_lock(&runtime->lock);
    number = pawl_random_next(&runtime->random);
    pthread_mutex_unlock(&runtime->lock);
    return number;
}

int pawl_thread_start(pthread_t *thread, void *(*body)(void *user), void *user) {
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, &attributes, body, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed;
}

void pawl_runtime_log(pawl_runtime *runtime, pawl_log_level level, const char *format, ...) {
    if (!runtime->options.log || (uint64_t)level < runtime->options.log_level)
        return;
    char text[LOG_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    runtime->options.log(runtime->options.log_user, level, text);
}

const char *pawl_runtime_helper_path(const pawl_runtime *runtime) {
    return runtime->helper_path;
}

bool pawl_runtime_is_usable(const pawl_runtime *runtime, pawl_error **err) {
    if (unlikely(is_forked(runtime)))
        pawl_error_set(err, PAWL_E_INVALID,
                       "runtime: this process was forked from its owner; make a runtime after the fork");
    else if (unlikely(atomic_load(&runtime->closing)))
        pawl_error_set(err, PAWL_E_INVALID, "runtime: it was shut down; make a new one");
    else
        return true;
    return false;
}

/* ---- making ---- */

static pawl_status bad_option(pawl_error **err, const char *name, uint64_t value, uint64_t most) {
    return pawl_error_set(err, PAWL_E_INVALID, "runtime: %s is %llu, at most %llu is allowed", name,
                          (unsigned long long)value, (unsigned long long)most);
}

static pawl_status set_options(pawl_runtime_options *set, const pawl_runtime_options *given, pawl_error **err) {
    pawl_status status = pawl_options_copy(set, sizeof *set, given, "runtime", err);
    if (status != PAWL_OK)
        return status;
    if (set->loop_threads > LOOP_THREADS)
        return bad_option(err, "loop_threads", set->loop_threads, LOOP_THREADS);
    if (set->pool_threads > 4096)
        return bad_option(err, "pool_threads", set->pool_threads, 4096);
    set->log_level = set->log_level ? set->log_level : PAWL_LOG_WARN;
    set->loop_threads = set->loop_threads ? set->loop_threads : 1;
    set->pool_threads = set->pool_threads ? set->pool_threads : 256;
    set->pool_idle_ns = pawl_option(set->pool_idle_ns, PAWL_S(10));
    if (set->hooks && (!set->hooks->now || !set->hooks->advance))
        return pawl_error_set(err, PAWL_E_INVALID, "runtime: hooks.now and hooks.advance are required");
    return PAWL_OK;
}

static bool make_seed(pawl_runtime *runtime) {
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    runtime->alive = page;
    uint64_t seed = runtime->options.seed;
    bool random = seed != 0 || getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed;
    bool wiped = madvise(page, PAGE_BYTES, MADV_WIPEONFORK) == 0;
    runtime->alive[0] = 1;
    runtime->alive[1] = seed;
    pawl_random_seed(&runtime->random, seed);
    return random && wiped;
}

static void free_runtime(pawl_runtime *runtime) {
    for (size_t i = 0; i < runtime->loop_count; i++)
        pawl_loop_free(runtime->loops[i]);
    free(runtime->loops);
    pawl_pool_free(runtime->pool);
    pawl_watchdog_free(runtime->watchdog);
    pawl_http_free_multis(runtime);
    if (runtime->alive)
        munmap((void *)runtime->alive, PAGE_BYTES);
    pthread_mutex_destroy(&runtime->lock);
    pthread_cond_destroy(&runtime->changed);
    free(runtime->helper_path);
    free(runtime);
}

static pawl_status fill(pawl_runtime *runtime, const pawl_runtime_options *options, pawl_error **err) {
    pawl_status status = set_options(&runtime->options, options, err);
    if (status != PAWL_OK)
        return status;
    runtime->hooks = runtime->options.hooks;
    if (runtime->options.helper_path) {
        size_t bytes = strlen(runtime->options.helper_path) + 1;
        runtime->helper_path = malloc(bytes);
        if (!runtime->helper_path)
            return pawl_error_set(err, PAWL_E_NOMEM, "runtime: out of memory");
        memcpy(runtime->helper_path, runtime->options.helper_path, bytes);
    }
    runtime->pool = pawl_pool_new(runtime);
    if (!runtime->pool)
        return pawl_error_set(err, PAWL_E_NOMEM, "runtime: out of memory");
    if (!make_seed(runtime))
        return pawl_error_set(err, PAWL_E_UNSUPPORTED,
                              "runtime: needs random bytes and a page that a fork wipes (MADV_WIPEONFORK): %s",
                              strerror(errno));
    return PAWL_OK;
}

pawl_runtime *pawl_runtime_new(const pawl_runtime_options *options, pawl_error **err) {
    pawl_runtime *runtime = calloc(1, sizeof *runtime);
    if (!runtime) {
        pawl_error_set(err, PAWL_E_NOMEM, "runtime: out of memory");
        return NULL;
    }
    atomic_init(&runtime->refs, 1);
    atomic_init(&runtime->holds, 1);
    pthread_mutex_init(&runtime->lock, NULL);
    pthread_cond_init(&runtime->changed, NULL);
    if (fill(runtime, options, err) != PAWL_OK) {
        free_runtime(runtime);
        return NULL;
    }
    return runtime;
}

/* ---- counting ---- */

void pawl_runtime_hold(pawl_runtime *runtime) {
    atomic_fetch_add_explicit(&runtime->holds, 1, memory_order_relaxed);
}

void pawl_runtime_release(pawl_runtime *runtime) {
    if (atomic_fetch_sub_explicit(&runtime->holds, 1, memory_order_acq_rel) == 1)
        free_runtime(runtime);
}

pawl_runtime *pawl_runtime_ref(pawl_runtime *runtime) {
    if (runtime)
        atomic_fetch_add_explicit(&runtime->refs, 1, memory_order_relaxed);
    return runtime;
}

/* The last reference may go inside a callback, where waiting for the end would wait for itself: a thread of its own
 * does it then. */
static void *shut_down_elsewhere(void *user) {
    pawl_runtime_shutdown(user, NULL);
    pawl_runtime_release(user);
    return NULL;
}

static bool is_inside(void) {
    return pawl_driving || pawl_leaf_context || pawl_cancel_callbacks;
}

pawl_runtime *pawl_runtime_unref(pawl_runtime *runtime) {
    if (!runtime || atomic_fetch_sub_explicit(&runtime->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    pthread_t thread;
    if (is_forked(runtime))
        return NULL; /* its threads and descriptors belong to the parent */
    if (is_inside()) {
        if (pawl_thread_start(&thread, shut_down_elsewhere, runtime) == 0)
            pthread_detach(thread);
        return NULL; /* without a thread it stays as it is: lost memory is better than memory in use */
    }
    pawl_runtime_shutdown(runtime, NULL);
    pawl_runtime_release(runtime);
    return NULL;
}

/* ---- loops ---- */

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

static bool has_work(struct loop *loop) {
    return atomic_load_explicit(&loop->live_runs, memory_order_relaxed) > 0 || atomic_load(&loop->inbox);
}

/* Closing is looked at before each sleep: shutdown sets it, then posts, and a post ends or prevents the sleep. */
static void *drive_thread(void *user) {
    struct loop *loop = user;
    for (;;) {
        pawl_loop_turn(loop, EVENTS_PER_TURN);
        if (atomic_load(&loop->runtime->closing) && !has_work(loop))
            return NULL;
        if (!loop->ready_head)
            pawl_loop_sleep(loop);
    }
}

struct loop *pawl_runtime_thread_loop(pawl_runtime *runtime, pawl_error **err) {
    if (runtime->hooks)
        return pawl_runtime_embedded(runtime, err);
    pthread_mutex_lock(&runtime->lock);
    atomic_store(&runtime->started, 1);
    size_t index = runtime->next_thread++ % runtime->options.loop_threads;
    struct loop *loop = index < runtime->thread_count ? runtime->thread_loops[index] : make_loop(runtime);
    if (loop && index >= runtime->thread_count) {
        index = runtime->thread_count;
        loop->driver = DRIVER_THREAD;
        if (pawl_thread_start(&runtime->threads[index], drive_thread, loop) == 0) {
            runtime->thread_loops[runtime->thread_count++] = loop;
        } else { /* good for a caller */
            loop->next = runtime->idle;
            runtime->idle = loop;
            runtime->caller_loops++;
            loop = NULL;
        }
    }
    pthread_mutex_unlock(&runtime->lock);
    if (!loop)
        pawl_error_set(err, PAWL_E_UNSUPPORTED,
                       "runtime: a loop thread cannot be started; raise the thread or descriptor limit");
    return loop;
}

struct loop *pawl_runtime_embedded(pawl_runtime *runtime, pawl_error **err) {
    pthread_mutex_lock(&runtime->lock);
    atomic_store(&runtime->started, 1);
    if (!runtime->embedded) {
        runtime->embedded = make_loop(runtime);
        if (runtime->embedded) {
            runtime->embedded->driver = DRIVER_PUMP;
            atomic_store(&runtime->embedded->sleeping, 1); /* away until pumped: whoever posts must ring */
        }
    }
    struct loop *loop = runtime->embedded;
    pthread_mutex_unlock(&runtime->lock);
    if (!loop)
        pawl_error_set(err, PAWL_E_UNSUPPORTED,
                       "runtime: no descriptors for the embedded loop; raise the descriptor limit");
    return loop;
}

/* ---- shutdown ---- */

static struct loop *loop_at(pawl_runtime *runtime, size_t index) {
    pthread_mutex_lock(&runtime->lock);
    struct loop *loop = index < runtime->loop_count ? runtime->loops[index] : NULL;
    pthread_mutex_unlock(&runtime->lock);
    return loop;
}

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
    for (size_t i = 0; (loop = loop_at(runtime, i)); i++) {
        loop->shutdown_post.kind = POST_SHUTDOWN;
        pawl_loop_post(loop, &loop->shutdown_post);
        cancel_leaf(runtime, loop);
    }
}

static void close_loops(pawl_runtime *runtime) {
    struct loop *loop;
    for (size_t i = 0; (loop = loop_at(runtime, i)); i++)
        pawl_loop_close(loop);
}

static void drive_out(struct loop *loop) {
    loop->driver = DRIVER_THREAD;
    while (has_work(loop)) {
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
    for (size_t i = 0; i < runtime->observer_count; i++)
        if (runtime->observers[i].vtable->destroy)
            runtime->observers[i].vtable->destroy(runtime->observers[i].self);
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

bool pawl_runtime_post_run(struct loop *loop, struct post *post) {
    pawl_runtime *runtime = loop->runtime;
    pthread_mutex_lock(&runtime->lock); /* so that shutdown comes before, or sees it in the inbox */
    bool posted = !runtime->closed && pawl_loop_post(loop, post);
    pthread_mutex_unlock(&runtime->lock);
    return posted;
}

pawl_status pawl_runtime_shutdown(pawl_runtime *runtime, pawl_error **err) {
    if (is_forked(runtime))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "runtime: this process was forked from its owner, which must shut it down");
    if (is_inside())
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
    if (is_inside() || atomic_exchange(&runtime->pumping, 1))
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

/* ---- observers and figures ---- */

pawl_status pawl_runtime_add_observer(pawl_runtime *runtime, const pawl_observer_vtable *vtable, void *self,
                                      pawl_error **err) {
    if (!vtable)
        return pawl_error_set(err, PAWL_E_INVALID, "runtime: the observer's vtable is NULL");
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    pthread_mutex_lock(&runtime->lock);
    pawl_status status = PAWL_OK;
    if (atomic_load(&runtime->started))
        status = pawl_error_set(err, PAWL_E_INVALID, "runtime: observers are attached before the first run");
    else if (runtime->observer_count == OBSERVERS)
        status = pawl_error_set(err, PAWL_E_LIMIT, "runtime: %d observers are attached already", OBSERVERS);
    else
        runtime->observers[runtime->observer_count++] = (struct observer){.vtable = vtable, .self = self};
    pthread_mutex_unlock(&runtime->lock);
    return status;
}

void pawl_runtime_get_stats(pawl_runtime *runtime, pawl_runtime_stats *ret_stats) {
    pawl_runtime_stats stats = {.size = ret_stats->size};
    struct loop *loop;
    if (!is_forked(runtime)) {
        for (size_t i = 0; (loop = loop_at(runtime, i)); i++) {
            stats.live_runs += atomic_load_explicit(&loop->live_runs, memory_order_relaxed);
            stats.live_frames += atomic_load_explicit(&loop->live_frames, memory_order_relaxed);
        }
        stats.refused_completions = atomic_load(&runtime->refused_completions);
        pawl_pool_stats(runtime->pool, &stats);
    }
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats); /* an older caller knows less */
}
