/* The exporting thread alone, with a queue that is a number. Nothing waits for time to pass but what must time out. */
#include "export_worker_internal.h"
#include "leaves.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FULL 10u

/* ---- a queue, and its one exporter ---- */

struct queue {
    struct pawl_export_worker worker;
    pawl_exporter *exporter;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    size_t waiting, exported, discarded, runs, largest, cancels, lefts;
    bool closed, ignores_cancel; /* closed: exporting waits until it is cancelled */
    pawl_status answer;
    uint64_t time_ns;
};

static bool is_full(void *user) {
    struct queue *q = user;
    pthread_mutex_lock(&q->lock);
    bool full = q->waiting >= FULL;
    pthread_mutex_unlock(&q->lock);
    return full;
}

/* Under the lock. */
static void export_some(struct queue *q, size_t count) {
    q->waiting -= count;
    q->runs++;
    q->largest = count > q->largest ? count : q->largest;
    q->time_ns = pawl_export_worker_time(&q->worker, PAWL_S(30));
    pthread_cond_broadcast(&q->changed);
    while (q->closed && (q->cancels == 0 || q->ignores_cancel))
        pthread_cond_wait(&q->changed, &q->lock);
    q->exported += count;
    pthread_cond_broadcast(&q->changed);
}

static pawl_status run(void *user, bool all, pawl_error **err) {
    struct queue *q = user;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&q->lock);
    while (status == PAWL_OK && q->waiting >= (all ? 1 : FULL)) {
        if (pawl_export_worker_time(&q->worker, PAWL_NEVER) == 0)
            status = PAWL_E_TIMEOUT;
        else {
            export_some(q, q->waiting < FULL ? q->waiting : FULL);
            status = q->answer;
            if (status != PAWL_OK && status != PAWL_E_FAILED) /* which it does not explain */
                pawl_error_set(err, status, "queue: no");
        }
    }
    pthread_mutex_unlock(&q->lock);
    return status;
}

static void discard(void *user) {
    struct queue *q = user;
    pthread_mutex_lock(&q->lock);
    q->discarded += q->waiting;
    q->waiting = 0;
    pthread_mutex_unlock(&q->lock);
}

static void cancel(void *user) {
    struct queue *q = user;
    pthread_mutex_lock(&q->lock);
    q->cancels++;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

/* The last that its thread does: frees what it used. */
static void left(void *user) {
    struct queue *q = user;
    pawl_export_worker_finish(&q->worker);
    pthread_mutex_lock(&q->lock);
    q->lefts++;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static void init_queue(struct queue *q) {
    static const pawl_exporter_vtable vtable = {.size = sizeof vtable, .name = "queue", .cancel = cancel};
    *q = (struct queue){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    q->exporter = pawl_exporter_new(&vtable, q, NULL);
    pawl_export_worker_init(&q->worker, &(struct pawl_export_job){.who = "queue",
                                                                  .user = q,
                                                                  .exporters = &q->exporter,
                                                                  .exporter_count = 1,
                                                                  .is_full = is_full,
                                                                  .run = run,
                                                                  .discard = discard,
                                                                  .left = left});
}

static void start_queue(struct queue *q, uint64_t delay_ns) {
    q->worker.job.delay_ns = delay_ns;
    assert_int_equal(pawl_export_worker_start(&q->worker, NULL), PAWL_OK);
}

static void stop_queue(struct queue *q) {
    assert_true(pawl_export_worker_stop(&q->worker, pawl_export_after(PAWL_S(30))));
}

static int open_queue(void **state) {
    struct queue *q = malloc(sizeof *q);
    assert_non_null(q);
    init_queue(q);
    q->worker.job.delay_ns = PAWL_MS(1);
    *state = q;
    return 0;
}

static int open_started_queue(void **state) {
    open_queue(state);
    start_queue(*state, PAWL_UNLIMITED);
    return 0;
}

static int close_queue(void **state) {
    struct queue *q = *state;
    stop_queue(q);
    pawl_export_worker_finish(&q->worker);
    pawl_exporter_unref(q->exporter);
    free(q);
    return 0;
}

/* Rings as a queue does: when it becomes full. */
static void put(struct queue *q, size_t count) {
    pthread_mutex_lock(&q->lock);
    bool fills = q->waiting < FULL && q->waiting + count >= FULL;
    q->waiting += count;
    pthread_mutex_unlock(&q->lock);
    if (fills)
        pawl_export_worker_ring(&q->worker);
}

static void set_closed(struct queue *q, bool closed) {
    pthread_mutex_lock(&q->lock);
    q->closed = closed;
    q->ignores_cancel = q->ignores_cancel && closed;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static void await(struct queue *q, const size_t *number, size_t value) {
    pthread_mutex_lock(&q->lock);
    while (*number < value)
        pthread_cond_wait(&q->changed, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

static pawl_status flush(struct queue *q, uint64_t timeout_ns, pawl_error **err) {
    return pawl_export_worker_flush(&q->worker, pawl_export_after(timeout_ns), err);
}

/* ---- when ---- */

static void a_full_batch_is_exported_at_once_and_the_rest_waits(void **state) {
    struct queue *q = *state;
    put(q, 2 * FULL + 3);
    await(q, &q->exported, 2 * FULL);
    assert_int_equal(q->largest, FULL);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(q->exported, 2 * FULL + 3);
}

static void all_is_exported_after_the_delay_again_and_again(void **state) {
    struct queue *q = *state;
    start_queue(q, PAWL_MS(1));
    for (size_t i = 1; i <= 3; i++) {
        put(q, 1);
        await(q, &q->exported, i);
    }
}

static void who_rings_for_nothing_exports_nothing(void **state) {
    struct queue *q = *state;
    put(q, 1);
    for (int i = 0; i < 100; i++)
        pawl_export_worker_ring(&q->worker);
    put(q, FULL);
    await(q, &q->exported, FULL);
    assert_int_equal(q->largest, FULL);
    stop_queue(q);
    assert_int_equal(q->exported, FULL + 1);
}

/* ---- flush ---- */

static void a_flush_tells_its_own_failure_and_no_earlier_one(void **state) {
    struct queue *q = *state;
    pawl_error *err = NULL;
    q->answer = PAWL_E_UNAVAILABLE;
    put(q, 3);
    assert_int_equal(flush(q, PAWL_S(30), &err), PAWL_E_UNAVAILABLE);
    expect_error(err, PAWL_E_UNAVAILABLE, "queue: no");
    put(q, FULL);
    await(q, &q->exported, FULL + 3);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    q->answer = PAWL_E_FAILED;
    put(q, 1);
    err = NULL;
    assert_int_equal(flush(q, PAWL_S(30), &err), PAWL_E_FAILED);
    expect_error(err, PAWL_E_FAILED, "queue: an exporter failed");
}

static void a_flush_keeps_to_its_time(void **state) {
    struct queue *q = *state;
    pawl_error *err = NULL;
    q->closed = true;
    put(q, 1);
    assert_int_equal(flush(q, PAWL_MS(2), &err), PAWL_E_TIMEOUT);
    expect_error(err, PAWL_E_TIMEOUT, "queue: the time is up");
    put(q, 1);
    assert_int_equal(flush(q, 0, NULL), PAWL_E_TIMEOUT);
    set_closed(q, false);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(q->exported, 2);
    assert_int_equal(q->time_ns, PAWL_S(30)); /* a flush's time is not the exporter's */
}

static void *flush_often(void *user) {
    for (int i = 0; i < 50; i++) {
        put(user, 1);
        if (flush(user, PAWL_S(30), NULL) != PAWL_OK)
            return user;
    }
    return NULL;
}

static void each_of_many_flushes_is_answered(void **state) {
    struct queue *q = *state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, flush_often, q), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(q->exported, 200);
}

/* ---- the end ---- */

static void the_end_exports_what_waits_and_then_nothing(void **state) {
    struct queue *q = *state;
    put(q, 2);
    stop_queue(q);
    assert_int_equal(q->exported, 2);
    put(q, 1);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    stop_queue(q); /* for the second time */
    assert_int_equal(q->exported, 2);
    assert_int_equal(q->cancels, 0);
}

static void without_time_for_the_end_all_is_discarded_and_nobody_cancelled(void **state) {
    struct queue *q = *state;
    put(q, 2);
    assert_true(pawl_export_worker_stop(&q->worker, pawl_export_after(0)));
    assert_int_equal(q->exported, 0);
    assert_int_equal(q->discarded, 2);
    assert_int_equal(q->cancels, 0);
}

static void the_end_cancels_an_export_that_hangs(void **state) {
    struct queue *q = *state;
    q->closed = true;
    put(q, FULL + 2);
    await(q, &q->runs, 1);
    assert_true(pawl_export_worker_stop(&q->worker, pawl_export_after(PAWL_MS(1))));
    assert_int_equal(q->cancels, 1);
    assert_int_equal(q->exported, FULL);
    assert_int_equal(q->discarded, 2);
}

/* Takes the second that it is given to come back. */
static void an_export_that_does_not_come_back_is_left_to_its_thread(void **state) {
    (void)state;
    static struct queue q; /* the thread may outlive the test by a moment */
    init_queue(&q);
    start_queue(&q, PAWL_UNLIMITED);
    q.closed = q.ignores_cancel = true;
    put(&q, FULL + 2);
    await(&q, &q.runs, 1);
    assert_false(pawl_export_worker_stop(&q.worker, pawl_export_after(PAWL_MS(1))));
    assert_true(pawl_export_worker_stop(&q.worker, pawl_export_after(PAWL_S(30)))); /* it is over */
    assert_int_equal(flush(&q, PAWL_MS(1), NULL), PAWL_E_TIMEOUT);
    assert_int_equal(q.lefts, 0);
    set_closed(&q, false);
    await(&q, &q.lefts, 1);
    assert_int_equal(q.runs, 1);
    assert_int_equal(q.discarded, 2);
    pawl_exporter_unref(q.exporter);
}

/* ---- what is prepared ---- */

static void a_prepared_flush_begins_when_it_is_asked_for(void **state) {
    struct queue *q = *state;
    pawl_export_worker_prepare_flush(&q->worker, pawl_export_after(PAWL_S(60)));
    put(q, FULL);
    await(q, &q->exported, FULL); /* which is done as ever, and is no answer */
    put(q, 1);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(q->exported, FULL + 1);
}

static void a_prepared_flush_begins_by_itself_and_is_not_made_twice(void **state) {
    struct queue *q = *state;
    put(q, 1);
    pawl_export_worker_prepare_flush(&q->worker, pawl_export_after(PAWL_MS(1)));
    await(q, &q->exported, 1);
    put(q, 1);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(q->exported, 1);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK); /* was not prepared */
    assert_int_equal(q->exported, 2);
}

static void *prepare_a_flush(void *user) {
    struct queue *q = user;
    pawl_export_worker_prepare_flush(&q->worker, pawl_export_now());
    return NULL;
}

static void a_flush_that_another_thread_has_prepared_is_not_ones_own(void **state) {
    struct queue *q = *state;
    pthread_t thread;
    put(q, 1);
    assert_int_equal(pthread_create(&thread, NULL, prepare_a_flush, q), 0);
    await(q, &q->exported, 1);
    put(q, 1);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(q->exported, 2);
    pthread_join(thread, NULL);
}

static void a_prepared_end_begins_when_it_is_asked_for(void **state) {
    struct queue *q = *state;
    pawl_export_worker_prepare_stop(&q->worker, pawl_export_after(PAWL_S(60)), pawl_export_after(PAWL_S(60)));
    put(q, FULL);
    await(q, &q->exported, FULL);
    put(q, 2);
    stop_queue(q);
    assert_int_equal(q->exported, FULL + 2);
}

static void a_prepared_end_begins_by_itself(void **state) {
    struct queue *q = *state;
    put(q, 2);
    pawl_export_worker_prepare_stop(&q->worker, pawl_export_after(PAWL_MS(1)), pawl_export_after(PAWL_S(60)));
    await(q, &q->exported, 2);
}

static void a_prepared_end_keeps_its_time(void **state) {
    struct queue *q = *state;
    q->closed = true;
    put(q, FULL + 2);
    await(q, &q->runs, 1);
    pawl_export_worker_prepare_stop(&q->worker, pawl_export_now(), pawl_export_now());
    assert_true(pawl_export_worker_stop(&q->worker, pawl_export_after(PAWL_S(600))));
    assert_int_equal(q->cancels, 1);
    assert_int_equal(q->discarded, 2);
}

static void without_a_thread_nothing_is_prepared(void **state) {
    struct queue *q = *state;
    put(q, 1);
    pawl_export_worker_prepare_flush(&q->worker, 0);
    assert_int_equal(flush(q, PAWL_S(2), NULL), PAWL_OK);
    put(q, 1);
    pawl_export_worker_prepare_stop(&q->worker, 0, 0);
    stop_queue(q);
    assert_int_equal(q->exported, 2);
}

/* ---- without a thread ---- */

static void without_a_thread_who_asks_exports(void **state) {
    struct queue *q = *state;
    put(q, FULL + 1);
    assert_int_equal(q->exported, 0);
    assert_int_equal(flush(q, PAWL_S(2), NULL), PAWL_OK);
    assert_int_equal(q->exported, FULL + 1);
    assert_in_range(q->time_ns, 1, PAWL_S(2)); /* here a flush's time is the exporter's */
    q->answer = PAWL_E_DENIED;
    put(q, 1);
    pawl_error *err = NULL;
    assert_int_equal(flush(q, PAWL_UNLIMITED, &err), PAWL_E_DENIED);
    expect_error(err, PAWL_E_DENIED, "queue: no");
    assert_int_equal(q->time_ns, PAWL_S(30));
    put(q, 1);
    assert_int_equal(flush(q, 0, NULL), PAWL_E_TIMEOUT);
    put(q, 2);
    assert_true(pawl_export_worker_stop(&q->worker, pawl_export_after(0)));
    assert_int_equal(q->discarded, 3);
    put(q, 1);
    assert_int_equal(flush(q, PAWL_S(30), NULL), PAWL_OK);
    assert_int_equal(q->exported, FULL + 2);
}

/* ---- a forked child ---- */

static void a_child_that_rings_wakes_nobody(void **state) {
    struct queue *q = *state;
    put(q, 3);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        put(q, FULL);
        _exit(q->waiting == FULL + 3 && q->runs == 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(q->runs, 0);
    stop_queue(q);
    assert_int_equal(q->exported, 3);
}

#define with_thread(test) cmocka_unit_test_setup_teardown(test, open_started_queue, close_queue)
#define without_thread(test) cmocka_unit_test_setup_teardown(test, open_queue, close_queue)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_thread(a_full_batch_is_exported_at_once_and_the_rest_waits),
        without_thread(all_is_exported_after_the_delay_again_and_again),
        with_thread(who_rings_for_nothing_exports_nothing),
        with_thread(a_flush_tells_its_own_failure_and_no_earlier_one),
        with_thread(a_flush_keeps_to_its_time),
        with_thread(each_of_many_flushes_is_answered),
        with_thread(the_end_exports_what_waits_and_then_nothing),
        with_thread(without_time_for_the_end_all_is_discarded_and_nobody_cancelled),
        with_thread(the_end_cancels_an_export_that_hangs),
        cmocka_unit_test(an_export_that_does_not_come_back_is_left_to_its_thread),
        with_thread(a_prepared_flush_begins_when_it_is_asked_for),
        with_thread(a_prepared_flush_begins_by_itself_and_is_not_made_twice),
        with_thread(a_flush_that_another_thread_has_prepared_is_not_ones_own),
        with_thread(a_prepared_end_begins_when_it_is_asked_for),
        with_thread(a_prepared_end_begins_by_itself),
        with_thread(a_prepared_end_keeps_its_time),
        without_thread(without_a_thread_nothing_is_prepared),
        without_thread(without_a_thread_who_asks_exports),
        with_thread(a_child_that_rings_wakes_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
