/* The watchdog: one thread per runtime, made at the first pawl_context_on_cancel() under a finite deadline, that calls
 * callbacks when their deadline passes. Everything else in pawl knows its deadline itself. */
#include "engine_internal.h"
#include <errno.h>
#include <stdlib.h>

struct watchdog {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    pawl_cancel_registration *first; /* few, so a plain list */
    pawl_cancel_registration *firing;
    bool stopping;
};

enum { WATCHED = 1 };

static pawl_cancel_registration *earliest(const struct watchdog *dog) {
    pawl_cancel_registration *best = dog->first;
    for (pawl_cancel_registration *r = dog->first; r; r = r->watch_next_)
        if (r->ctx_->deadline_ns < best->ctx_->deadline_ns)
            best = r;
    return best;
}

static void forget(struct watchdog *dog, pawl_cancel_registration *r) {
    if (r->watch_prev_)
        r->watch_prev_->watch_next_ = r->watch_next_;
    else
        dog->first = r->watch_next_;
    if (r->watch_next_)
        r->watch_next_->watch_prev_ = r->watch_prev_;
    r->watch_prev_ = r->watch_next_ = NULL;
    r->thread_ = 0;
}

static void fire(struct watchdog *dog, pawl_cancel_registration *r) {
    struct root *root = r->ctx_->root;
    forget(dog, r);
    dog->firing = r;     /* keeps the registration until its callback has run, */
    pawl_root_ref(root); /* and this the root, since the callback itself may end the registration */
    pthread_mutex_unlock(&dog->lock);
    pawl_root_run_due_callbacks(root);
    pawl_root_unpin(root);
    pthread_mutex_lock(&dog->lock);
    dog->firing = NULL;
    pthread_cond_broadcast(&dog->changed);
}

static void wait_until(struct watchdog *dog, uint64_t deadline_ns) {
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / PAWL_S(1)), .tv_nsec = (long)(deadline_ns % PAWL_S(1))};
    pthread_cond_timedwait(&dog->changed, &dog->lock, &until);
}

static void *watch(void *user) {
    pawl_runtime *runtime = user;
    struct watchdog *dog = runtime->watchdog;
    pthread_mutex_lock(&dog->lock);
    while (!dog->stopping) {
        pawl_cancel_registration *next = earliest(dog);
        if (!next)
            pthread_cond_wait(&dog->changed, &dog->lock);
        else if (next->ctx_->deadline_ns <= pawl_runtime_now(runtime))
            fire(dog, next);
        else
            wait_until(dog, next->ctx_->deadline_ns);
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

static struct watchdog *start(pawl_runtime *runtime) {
    struct watchdog *dog = calloc(1, sizeof *dog);
    if (!dog)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&dog->lock, NULL);
    pthread_cond_init(&dog->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    runtime->watchdog = dog;
    if (pawl_thread_start(&dog->thread, watch, runtime) == 0)
        return dog;
    runtime->watchdog = NULL;
    pthread_mutex_destroy(&dog->lock);
    pthread_cond_destroy(&dog->changed);
    free(dog);
    return NULL;
}

pawl_status pawl_watchdog_add(pawl_runtime *runtime, pawl_cancel_registration *r, pawl_error **err) {
    pthread_mutex_lock(&runtime->lock);
    bool closed = runtime->closed;
    struct watchdog *dog = runtime->watchdog || closed ? runtime->watchdog : start(runtime);
    pthread_mutex_unlock(&runtime->lock);
    if (!dog && closed)
        return pawl_error_set(err, PAWL_E_INVALID, "on_cancel: the runtime was shut down");
    if (!dog)
        return pawl_error_set(
            err, PAWL_E_UNSUPPORTED,
            "on_cancel: the watchdog thread for deadlines cannot be started; raise the process's thread limit");
    pthread_mutex_lock(&dog->lock);
    r->watch_next_ = dog->first;
    if (dog->first)
        dog->first->watch_prev_ = r;
    dog->first = r;
    r->thread_ = WATCHED;
    pthread_cond_broadcast(&dog->changed);
    pthread_mutex_unlock(&dog->lock);
    return PAWL_OK;
}

void pawl_watchdog_remove(pawl_runtime *runtime, pawl_cancel_registration *r) {
    pthread_mutex_lock(&runtime->lock);
    struct watchdog *dog = runtime->watchdog;
    pthread_mutex_unlock(&runtime->lock);
    if (!dog)
        return;
    pthread_mutex_lock(&dog->lock);
    if (r->thread_ == WATCHED)
        forget(dog, r);
    while (dog->firing == r && !pthread_equal(dog->thread, pthread_self()))
        pthread_cond_wait(&dog->changed, &dog->lock);
    pthread_mutex_unlock(&dog->lock);
}

void pawl_watchdog_stop(struct watchdog *dog) {
    if (!dog)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->stopping = true;
    pthread_cond_broadcast(&dog->changed);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
}

void pawl_watchdog_free(struct watchdog *dog) {
    if (!dog)
        return;
    pthread_mutex_destroy(&dog->lock);
    pthread_cond_destroy(&dog->changed);
    free(dog);
}
