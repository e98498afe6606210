/* The runtime: small services, options, life, figures. Its loops are in runtime_loops.c, its end in
 * runtime_shutdown.c. */
#include "engine_internal.h"
#include "redact_internal.h"
#include <pawl/http.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define STACK_BYTES PAWL_MIB(1)

/* ---- small services ---- */

uint64_t pawl_runtime_random(pawl_runtime *runtime) {
    uint64_t number = 0;
    if (unlikely(
            pawl_runtime_is_forked(runtime))) { /* the generator's state is the parent's, the lock may be anybody's */
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

const char *pawl_runtime_helper_path(const pawl_runtime *runtime) {
    return runtime ? runtime->helper_path : NULL;
}

bool pawl_runtime_is_usable(const pawl_runtime *runtime, pawl_error **err) {
    if (unlikely(!runtime))
        pawl_error_set(err, PAWL_E_INVALID, "runtime: it is NULL; pass what pawl_runtime_new() gave");
    else if (unlikely(pawl_runtime_is_forked(runtime)))
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
    value = value == PAWL_ZERO ? 0 : value;
    return pawl_error_set(err, PAWL_E_INVALID, "runtime: %s is %llu, between 1 and %llu are allowed", name,
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
    set->log_level = pawl_option(set->log_level, PAWL_LOG_WARN);
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
    pawl_runtime_free_attachments(runtime);
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
    pawl_redactor_free(runtime->redactor);
    free(runtime);
}

static pawl_status fill(pawl_runtime *runtime, const pawl_runtime_options *options, pawl_error **err) {
    pawl_status status = set_options(&runtime->options, options, err);
    if (status != PAWL_OK)
        return status;
    runtime->hooks = runtime->options.hooks;
    pawl_clock_init(&runtime->clock, &pawl_machine_clock, !runtime->hooks && !runtime->options.no_tsc);
    atomic_init(&runtime->wall_offset_ns, pawl_wall_offset_now(runtime->hooks != NULL));
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
    atomic_init(&runtime->propagation, PAWL_PROPAGATE_TRACE);
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

pawl_runtime *pawl_runtime_unref(pawl_runtime *runtime) {
    if (!runtime || atomic_fetch_sub_explicit(&runtime->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    pthread_t thread;
    if (pawl_runtime_is_forked(runtime))
        return NULL; /* its threads and descriptors belong to the parent */
    if (pawl_is_inside()) {
        if (pawl_thread_start(&thread, shut_down_elsewhere, runtime) == 0)
            pthread_detach(thread);
        return NULL; /* without a thread it stays as it is: lost memory is better than memory in use */
    }
    pawl_runtime_shutdown(runtime, NULL);
    pawl_runtime_release(runtime);
    return NULL;
}

/* ---- observers and figures ---- */

void pawl_runtime_set_propagation(pawl_runtime *runtime, uint32_t what) {
    if (runtime)
        atomic_store(&runtime->propagation, what);
}

static void insert_call(struct span_calls *calls, size_t at, struct span_call call) {
    if (!call.fn)
        return;
    memmove(calls->items + at + 1, calls->items + at, (calls->count - at) * sizeof call);
    calls->items[at] = call;
    calls->count++;
}

static void attach(pawl_runtime *runtime, const pawl_observer_vtable *vtable, void *self) {
    uint32_t bit = 1u << runtime->observer_count;
    const struct span_call start = {.fn = vtable->span_start, .self = self, .bit = bit};
    insert_call(&runtime->span_starts, runtime->span_starts.count, start);
    if (!vtable->skips_instants)
        insert_call(&runtime->instant_starts, runtime->instant_starts.count, start);
    /* The first: ends are told in the reverse order. */
    insert_call(&runtime->span_ends, 0, (struct span_call){.fn = vtable->span_end, .self = self, .bit = bit});
    runtime->samplers |= vtable->sample != NULL;
    runtime->measurers |= vtable->measure != NULL;
    runtime->loggers |= vtable->log != NULL;
    runtime->observers[runtime->observer_count++] = (struct observer){.vtable = *vtable, .self = self};
}

pawl_status pawl_runtime_add_observer(pawl_runtime *runtime, const pawl_observer_vtable *vtable, void *self,
                                      pawl_error **err) {
    pawl_observer_vtable copy;
    if (!vtable)
        return pawl_error_set(err, PAWL_E_INVALID, "runtime: the observer's vtable is NULL");
    if (pawl_options_copy(&copy, sizeof copy, vtable, "runtime: the observer's vtable", err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    pthread_mutex_lock(&runtime->lock);
    pawl_status status = PAWL_OK;
    if (atomic_load(&runtime->started))
        status = pawl_error_set(err, PAWL_E_INVALID, "runtime: observers are attached before the first run");
    else if (runtime->observer_count == OBSERVERS)
        status = pawl_error_set(err, PAWL_E_LIMIT, "runtime: %d observers are attached already", OBSERVERS);
    else
        attach(runtime, &copy, self);
    pthread_mutex_unlock(&runtime->lock);
    return status;
}

void pawl_runtime_get_stats(pawl_runtime *runtime, pawl_runtime_stats *ret_stats) {
    if (!ret_stats)
        return;
    pawl_runtime_stats stats = {.size = ret_stats->size};
    struct loop *loop;
    if (runtime && !pawl_runtime_is_forked(runtime)) {
        for (size_t i = 0; (loop = pawl_runtime_loop_at(runtime, i)); i++) {
            stats.live_runs += atomic_load_explicit(&loop->live_runs, memory_order_relaxed);
            stats.live_frames += atomic_load_explicit(&loop->live_frames, memory_order_relaxed);
        }
        stats.refused_completions = atomic_load(&runtime->refused_completions);
        stats.abandoned = atomic_load(&runtime->abandoned);
        pawl_pool_stats(runtime->pool, &stats);
    }
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats); /* an older caller knows less */
}
