/* The pool: threads for blocking leaves and for loops that their caller left behind. On demand, bounded, gone when
 * idle. */
#include "engine_internal.h"
#include <stdlib.h>

struct worker {
    pthread_t thread;
    struct pool *pool;
    struct worker *next;
};

struct pool {
    pawl_runtime *runtime;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct post *first, *last; /* waiting jobs and loops; they live in their frames, so nothing is bounded here */
    size_t queued, threads, idle;
    size_t lent;          /* of the threads: they wait for runs of their own */
    struct worker *ended; /* to be joined */
    struct worker *alive;
    bool stopping;
};

struct pool *pawl_pool_new(pawl_runtime *runtime) {
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->runtime = runtime;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pool;
}

static struct post *take(struct pool *pool) {
    struct post *task = pool->first;
    pool->first = task->next;
    if (!pool->first)
        pool->last = NULL;
    pool->queued--;
    return task;
}

static void drive_to_end(struct loop *loop) {
    loop->driver = DRIVER_THREAD;
    while (atomic_load_explicit(&loop->live_runs, memory_order_relaxed) > 0) {
        pawl_loop_turn(loop, EVENTS_PER_TURN);
        if (atomic_load_explicit(&loop->live_runs, memory_order_relaxed) > 0 && !loop->ready_head)
            pawl_loop_sleep(loop);
    }
    pawl_runtime_give_back(loop);
}

static void run_task(struct post *task) {
    if (task->kind == POST_JOB)
        pawl_job_run((struct job *)(void *)task);
    else if (task->kind == POST_DETACHABLE)
        pawl_abandonable_run(task);
    else
        drive_to_end((struct loop *)(void *)((char *)task - offsetof(struct loop, adopt_post)));
}

/* Waits for work; false when idle for too long or stopping. Under the lock. */
static bool wait_for_work(struct pool *pool) {
    uint64_t now = pawl_runtime_now(pool->runtime), idle = pool->runtime->options.pool_idle_ns;
    uint64_t until = idle > PAWL_NEVER - now ? PAWL_NEVER : now + idle;
    struct timespec deadline = {.tv_sec = (time_t)(until / PAWL_S(1)), .tv_nsec = (long)(until % PAWL_S(1))};
    int timed_out = 0;
    pool->idle++;
    while (!pool->first && !pool->stopping && !timed_out)
        timed_out = pthread_cond_timedwait(&pool->work, &pool->lock, &deadline);
    pool->idle--;
    return pool->first != NULL;
}

static void unlink_alive(struct pool *pool, struct worker *worker) {
    for (struct worker **at = &pool->alive; *at; at = &(*at)->next)
        if (*at == worker) {
            *at = worker->next;
            return;
        }
}

static void join_ended(struct pool *pool) {
    while (pool->ended) {
        struct worker *worker = pool->ended;
        pool->ended = worker->next;
        pthread_join(worker->thread, NULL); /* it only has to return */
        free(worker);
    }
}

static _Thread_local struct pool *pool_of_thread;

static void *work(void *user) {
    struct worker *worker = user;
    struct pool *pool = worker->pool;
    pool_of_thread = pool;
    pthread_mutex_lock(&pool->lock);
    while (pool->first || wait_for_work(pool)) {
        struct post *task = take(pool);
        pthread_mutex_unlock(&pool->lock);
        run_task(task);
        pthread_mutex_lock(&pool->lock);
    }
    pool->threads--;
    join_ended(pool); /* so that at most one ended thread waits to be joined */
    unlink_alive(pool, worker);
    worker->next = pool->ended;
    pool->ended = worker;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool start_worker(struct pool *pool) {
    join_ended(pool);
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return false;
    worker->pool = pool;
    if (pawl_thread_start(&worker->thread, work, worker) != 0) {
        free(worker);
        return false;
    }
    worker->next = pool->alive;
    pool->alive = worker;
    pool->threads++;
    return true;
}

static bool is_full(const struct pool *pool) {
    return pool->threads - pool->lent >= pool->runtime->options.pool_threads;
}

static pawl_status enqueue(struct pool *pool, struct post *task) {
    pthread_mutex_lock(&pool->lock);
    bool served = pool->idle > pool->queued || is_full(pool) || start_worker(pool) || pool->threads > 0;
    if (served) {
        task->next = NULL;
        if (pool->last)
            pool->last->next = task;
        else
            pool->first = task;
        pool->last = task;
        pool->queued++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return served ? PAWL_OK : PAWL_E_UNAVAILABLE;
}

pawl_status pawl_pool_enqueue(pawl_runtime *runtime, struct post *task) {
    return enqueue(runtime->pool, task);
}

pawl_status pawl_pool_adopt(pawl_runtime *runtime, struct loop *loop) {
    loop->adopt_post.kind = POST_ADOPT;
    return enqueue(runtime->pool, &loop->adopt_post);
}

static struct post *before(struct pool *pool, const struct post *task) {
    struct post *at = pool->first;
    while (at && at->next != task)
        at = at->next;
    return at;
}

bool pawl_pool_withdraw(pawl_runtime *runtime, struct job *job) {
    struct pool *pool = runtime->pool;
    pthread_mutex_lock(&pool->lock);
    bool first = pool->first == &job->post;
    struct post *previous = first ? NULL : before(pool, &job->post);
    if (first) {
        take(pool);
    } else if (previous) {
        previous->next = job->post.next;
        if (pool->last == &job->post)
            pool->last = previous;
        pool->queued--;
    }
    pthread_mutex_unlock(&pool->lock);
    return first || previous;
}

void pawl_pool_lend_thread(void) {
    struct pool *pool = pool_of_thread;
    if (likely(!pool))
        return;
    pthread_mutex_lock(&pool->lock);
    pool->lent++;
    if (pool->queued > pool->idle && !is_full(pool))
        start_worker(pool); /* without one the work waits for this thread */
    pthread_mutex_unlock(&pool->lock);
}

void pawl_pool_take_thread_back(void) {
    struct pool *pool = pool_of_thread;
    if (likely(!pool))
        return;
    pthread_mutex_lock(&pool->lock);
    pool->lent--;
    pthread_mutex_unlock(&pool->lock);
}

void pawl_pool_stats(struct pool *pool, pawl_runtime_stats *stats) {
    pthread_mutex_lock(&pool->lock);
    stats->pool_threads = pool->threads;
    stats->pool_queued = pool->queued;
    pthread_mutex_unlock(&pool->lock);
}

void pawl_pool_stop(struct pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    while (pool->threads > 0)
        pthread_cond_wait(&pool->work, &pool->lock);
    join_ended(pool);
    pthread_mutex_unlock(&pool->lock);
}

void pawl_pool_free(struct pool *pool) {
    if (!pool)
        return;
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    free(pool);
}
