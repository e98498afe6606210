/* The thread that exports, how it is asked to, and how it ends. A dead exporter holds up this thread alone. */
#include "batch_internal.h"
#include "engine_internal.h"
#include "export_internal.h"
#include "fd_internal.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GRACE_NS PAWL_S(1) /* for an exporter to come back once it was cancelled */

/* Any thread, also in a forked child, where it wakes the parent's for nothing. */
void pawl_batch_ring(void *user) {
    struct pawl_batch *batch = user;
    const uint64_t one = 1;
    if (batch->bell < 0)
        return;
    ssize_t ignored = write(batch->bell, &one, sizeof one);
    (void)ignored;
}

/* ---- the thread ---- */

static void sleep_until(struct pawl_batch *batch, uint64_t end_ns) {
    struct pollfd bell = {.fd = batch->bell, .events = POLLIN};
    uint64_t now = pawl_batch_now(), ns = now < end_ns ? end_ns - now : 0, ignored;
    int ms = ns / PAWL_MS(1) < 60000 ? (int)(ns / PAWL_MS(1)) + 1 : 60000;
    if (ns > 0 && poll(&bell, 1, ms) > 0) {
        ssize_t got = read(batch->bell, &ignored, sizeof ignored);
        (void)got;
    }
}

struct request {
    bool flush, stop;
    uint64_t flush_number;
};

static struct request look(struct pawl_batch *batch) {
    pthread_mutex_lock(&batch->lock);
    struct request request = {
        .flush = batch->flush_wanted > batch->flush_done, .stop = batch->stopping, .flush_number = batch->flush_wanted};
    pthread_mutex_unlock(&batch->lock);
    return request;
}

/* Takes the error. */
static void answer_flush(struct pawl_batch *batch, uint64_t number, pawl_status status, pawl_error *error) {
    pthread_mutex_lock(&batch->lock);
    batch->flush_done = number;
    batch->flush_status = status;
    pawl_error_unref(batch->flush_error);
    batch->flush_error = error;
    pthread_cond_broadcast(&batch->changed);
    pthread_mutex_unlock(&batch->lock);
}

static void drain(struct pawl_batch *batch, const struct request *request, bool due) {
    pawl_error *error = NULL;
    bool all = request->flush || request->stop || due;
    pthread_mutex_lock(&batch->work);
    pawl_status status = pawl_batch_drain(batch, all, PAWL_NEVER, &error);
    pthread_mutex_unlock(&batch->work);
    if (request->flush || request->stop)
        answer_flush(batch, request->flush_number, status, error);
    else
        pawl_error_unref(error);
}

/* True: there is something to do at once. */
static bool arm(struct pawl_batch *batch) {
    uint64_t waiting = pawl_span_rings_waiting(batch->rings), most = batch->setup.max_batch_size;
    pawl_span_rings_wake_at(batch->rings, waiting < most ? most - waiting : 0);
    return pawl_span_rings_waiting(batch->rings) >= most;
}

static bool has_ended(struct pawl_batch *batch, const struct request *request, bool *ret_left) {
    pthread_mutex_lock(&batch->lock);
    *ret_left = atomic_load(&batch->abandoned);
    bool ended = request->stop || *ret_left;
    batch->ended = ended;
    if (ended)
        pthread_cond_broadcast(&batch->changed);
    pthread_mutex_unlock(&batch->lock);
    return ended;
}

static void *work(void *user) {
    struct pawl_batch *batch = user;
    uint64_t last_ns = pawl_batch_now();
    struct request request;
    bool left;
    do {
        uint64_t due_ns = batch->setup.schedule_delay_ns > PAWL_NEVER - last_ns
                              ? PAWL_NEVER
                              : last_ns + batch->setup.schedule_delay_ns;
        if (!arm(batch))
            sleep_until(batch, due_ns);
        request = look(batch);
        uint64_t now = pawl_batch_now();
        drain(batch, &request, now >= due_ns);
        if (now >= due_ns || request.flush)
            last_ns = now;
    } while (!has_ended(batch, &request, &left));
    if (left)
        batch->setup.left(batch->setup.user);
    return NULL;
}

pawl_status pawl_batch_start(struct pawl_batch *batch, pawl_error **err) {
    batch->bell = pawl_fd_beyond_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (batch->bell < 0)
        return pawl_error_set(err, PAWL_E_UNSUPPORTED, "tracer: no descriptor for its thread: %s", strerror(errno));
    int failed = pawl_thread_start(&batch->thread, work, batch);
    if (failed)
        return pawl_error_set(err, PAWL_E_UNSUPPORTED, "tracer: no thread to export on: %s", strerror(failed));
    batch->has_thread = true;
    return PAWL_OK;
}

/* ---- asking it ---- */

static struct timespec until(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / PAWL_S(1)), .tv_nsec = (long)(ns % PAWL_S(1))};
}

static uint64_t after(uint64_t timeout_ns) {
    uint64_t now = pawl_batch_now(), most = PAWL_S(1000000000); /* what a time_t can surely hold */
    return now + (timeout_ns < most ? timeout_ns : most);
}

static pawl_status flush_here(struct pawl_batch *batch, uint64_t end_ns, pawl_error **err) {
    pthread_mutex_lock(&batch->work);
    pawl_status status = pawl_batch_drain(batch, true, end_ns, err);
    pthread_mutex_unlock(&batch->work);
    return status;
}

static pawl_status flush_there(struct pawl_batch *batch, uint64_t end_ns, pawl_error **err) {
    const struct timespec end = until(end_ns);
    pthread_mutex_lock(&batch->lock);
    uint64_t number = ++batch->flush_wanted;
    pawl_batch_ring(batch);
    int timed_out = 0;
    while (batch->flush_done < number && !batch->ended && !timed_out)
        timed_out = pthread_cond_timedwait(&batch->changed, &batch->lock, &end);
    pawl_status status = PAWL_E_TIMEOUT;
    if (batch->flush_done >= number) {
        status = batch->flush_status;
        if (err && status != PAWL_OK && batch->flush_error)
            *err = pawl_error_ref(batch->flush_error);
    }
    pthread_mutex_unlock(&batch->lock);
    return status;
}

pawl_status pawl_batch_flush(struct pawl_batch *batch, uint64_t timeout_ns, pawl_error **err) {
    uint64_t end_ns = after(timeout_ns);
    pawl_status status = batch->has_thread ? flush_there(batch, end_ns, err) : flush_here(batch, end_ns, err);
    if (status != PAWL_OK && err && !*err)
        pawl_error_set(err, status, "tracer: %s",
                       status == PAWL_E_TIMEOUT ? "spans still wait to be exported" : "an exporter failed");
    return status;
}

/* ---- its end ---- */

static void cancel_exporters(struct pawl_batch *batch) {
    for (size_t i = 0; i < batch->setup.exporter_count; i++)
        pawl_exporter_cancel(batch->exporters[i].exporter);
}

static bool wait_for_end(struct pawl_batch *batch, uint64_t end_ns) {
    const struct timespec end = until(end_ns);
    int timed_out = 0;
    while (!batch->ended && !timed_out)
        timed_out = pthread_cond_timedwait(&batch->changed, &batch->lock, &end);
    return batch->ended;
}

static bool stop_thread(struct pawl_batch *batch, uint64_t end_ns) {
    pthread_mutex_lock(&batch->lock);
    batch->stopping = true;
    pawl_batch_ring(batch);
    bool ended = wait_for_end(batch, end_ns);
    if (!ended) {
        cancel_exporters(batch);
        ended = wait_for_end(batch, after(GRACE_NS));
    }
    pthread_t thread = batch->thread;
    atomic_store(&batch->abandoned, !ended);
    pthread_mutex_unlock(&batch->lock); /* not ended: from here on the batch is its thread's */
    if (ended)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
    return ended;
}

bool pawl_batch_stop(struct pawl_batch *batch, uint64_t timeout_ns) {
    uint64_t end_ns = after(timeout_ns);
    atomic_store(&batch->stop_ns, end_ns);
    if (batch->has_thread)
        return stop_thread(batch, end_ns);
    pthread_mutex_lock(&batch->work);
    pawl_batch_drain(batch, true, end_ns, NULL);
    pthread_mutex_unlock(&batch->work);
    return true;
}
