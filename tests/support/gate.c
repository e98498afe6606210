#include "gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

struct gate open_gate(void) {
    return (struct gate){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

/* Under the lock. */
static void wait_at(struct gate *gate) {
    gate->calls++;
    gate->inside++;
    gate->most_inside = gate->inside > gate->most_inside ? gate->inside : gate->most_inside;
    pthread_cond_broadcast(&gate->changed);
    while (gate->closed && !gate->cancelled)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->inside--;
}

static void count_item(struct gate *gate, const char *text) {
    gate->items += text[0] != '\0';
    (void)snprintf(gate->last, sizeof gate->last, "%s", text);
}

/* Unlocks. */
static pawl_status end_call(struct gate *gate, size_t count, pawl_error **err) {
    pawl_status answer = gate->answer;
    gate->largest = count > gate->largest ? count : gate->largest;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
    return answer == PAWL_OK ? answer : pawl_error_set(err, answer, "gate: no");
}

static pawl_status pass_spans(void *self, const pawl_resource *resource, const pawl_span_data *spans, size_t count,
                              uint64_t timeout_ns, pawl_error **err) {
    struct gate *gate = self;
    (void)resource, (void)timeout_ns;
    pthread_mutex_lock(&gate->lock);
    wait_at(gate);
    for (size_t i = 0; i < count; i++)
        count_item(gate, spans[i].name);
    return end_call(gate, count, err);
}

static pawl_status pass_logs(void *self, const pawl_resource *resource, const pawl_log_data *logs, size_t count,
                             uint64_t timeout_ns, pawl_error **err) {
    struct gate *gate = self;
    (void)resource, (void)timeout_ns;
    pthread_mutex_lock(&gate->lock);
    wait_at(gate);
    for (size_t i = 0; i < count; i++)
        count_item(gate, logs[i].text);
    return end_call(gate, count, err);
}

static void cancel(void *self) {
    struct gate *gate = self;
    pthread_mutex_lock(&gate->lock);
    gate->cancelled = !gate->ignores_cancel;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void destroy(void *self) {
    struct gate *gate = self;
    pthread_mutex_lock(&gate->lock);
    gate->destroyed = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

pawl_exporter *gate_exporter(struct gate *gate) {
    static const pawl_exporter_vtable vtable = {.size = sizeof vtable,
                                                .name = "gate",
                                                .spans = pass_spans,
                                                .logs = pass_logs,
                                                .cancel = cancel,
                                                .destroy = destroy};
    pawl_exporter *exporter = pawl_exporter_new(&vtable, gate, NULL);
    assert_non_null(exporter);
    return exporter;
}

void set_closed(struct gate *gate, bool closed) {
    pthread_mutex_lock(&gate->lock);
    gate->closed = closed;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void wait_for_calls(struct gate *gate, size_t calls) {
    pthread_mutex_lock(&gate->lock);
    while (gate->calls < calls)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

void wait_for_items(struct gate *gate, size_t items) {
    pthread_mutex_lock(&gate->lock);
    while (gate->items < items)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

void wait_for_its_end(struct gate *gate) {
    pthread_mutex_lock(&gate->lock);
    while (!gate->destroyed)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}
