/* An exporter of spans and logs that can be held up: what it is given waits at a gate. Counts in real time, on any
 * thread. */
#ifndef GATE_H
#define GATE_H

#include <pawl/observability/export.h>
#include <pthread.h>

/* Its fields may be set before the exporter is used, and read when it is not at work. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed, ignores_cancel, cancelled, destroyed; /* closed: a call waits until it is opened or cancelled */
    size_t calls, inside, most_inside;                 /* calls: begun ones */
    size_t items, largest;                             /* with a name or text, that passed; most in one call */
    char last[64];                                     /* the last one's name or text */
    pawl_status answer;                                /* of calls; a failure says "gate: no" */
};

struct gate open_gate(void);
/* New reference; the gate must outlive it. The test fails without one. */
pawl_exporter *gate_exporter(struct gate *gate);
void set_closed(struct gate *gate, bool closed);
void wait_for_calls(struct gate *gate, size_t calls);
void wait_for_items(struct gate *gate, size_t items);
void wait_for_its_end(struct gate *gate);

#endif
