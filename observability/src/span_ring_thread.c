/* Which ring belongs to which thread. A thread has one of each tracer it ended a span of; when it ends, they are free
 * for another. The rings of a tracer live until the last thread that has one has let go of it. */
#include "span_ring_internal.h"

_Thread_local struct pawl_span_ring_here pawl_span_ring_here __attribute__((tls_model("initial-exec")));
static _Thread_local struct pawl_span_ring *mine; /* of all tracers */

static pthread_key_t key;
static bool has_key;

static void leave(struct pawl_span_ring **at) {
    struct pawl_span_ring *ring = *at;
    struct pawl_span_rings *rings = ring->rings;
    *at = ring->next_of_thread;
    if (pawl_span_ring_here.ring == ring)
        pawl_span_ring_here = (struct pawl_span_ring_here){0};
    atomic_store_explicit(&ring->in_use, false, memory_order_release);
    pawl_span_rings_unref(rings);
}

static void leave_all(void *list) {
    struct pawl_span_ring **first = list;
    while (*first)
        leave(first);
}

static void make_key(void) {
    has_key = pthread_key_create(&key, leave_all) == 0;
}

/* The library may be unloaded before its threads end. */
__attribute__((destructor)) static void drop_key(void) {
    if (has_key)
        pthread_key_delete(key);
}

void pawl_span_rings_leave_closed(void) {
    for (struct pawl_span_ring **at = &mine; *at;)
        if (atomic_load(&(*at)->rings->closed))
            leave(at);
        else
            at = &(*at)->next_of_thread;
}

static struct pawl_span_ring *find(struct pawl_span_rings *rings) {
    for (struct pawl_span_ring *ring = mine; ring; ring = ring->next_of_thread)
        if (ring->rings == rings)
            return ring;
    return NULL;
}

static struct pawl_span_ring *join(struct pawl_span_rings *rings) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    pawl_span_rings_leave_closed();
    if (!has_key || pthread_setspecific(key, &mine) != 0)
        return NULL;
    struct pawl_span_ring *ring = pawl_span_rings_adopt(rings);
    if (!ring)
        return NULL;
    ring->next_of_thread = mine;
    mine = ring;
    return ring;
}

struct pawl_span_ring *pawl_span_rings_look(struct pawl_span_rings *rings) {
    struct pawl_span_ring *ring = find(rings);
    if (!ring)
        ring = join(rings);
    if (ring)
        pawl_span_ring_here = (struct pawl_span_ring_here){.serial = rings->serial, .ring = ring};
    return ring;
}
