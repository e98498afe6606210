/* Timers: a pairing heap threaded through the frames that wait, so that arming one needs no memory.
 * Source: M. Fredman, R. Sedgewick, D. Sleator, R. Tarjan, "The pairing heap", Algorithmica 1 (1986).
 * heap_prev points to the left sibling, or to the parent for a first child. */
#include "engine_internal.h"

static pawl_frame *meld(pawl_frame *a, pawl_frame *b) {
    if (!a || !b)
        return a ? a : b;
    if (b->wake_ns < a->wake_ns) {
        pawl_frame *swap = a;
        a = b;
        b = swap;
    }
    b->heap_next = a->heap_child;
    if (b->heap_next)
        b->heap_next->heap_prev = b;
    b->heap_prev = a;
    a->heap_child = b;
    return a;
}

/* First pass melds neighbours in pairs and stacks them; the second melds the stack. */
static pawl_frame *meld_siblings(pawl_frame *first) {
    pawl_frame *stack = NULL;
    while (first) {
        pawl_frame *a = first, *b = a->heap_next;
        first = b ? b->heap_next : NULL;
        a->heap_next = a->heap_prev = NULL;
        if (b)
            b->heap_next = b->heap_prev = NULL;
        a = meld(a, b);
        a->heap_next = stack;
        stack = a;
    }
    pawl_frame *heap = NULL;
    while (stack) {
        pawl_frame *next = stack->heap_next;
        stack->heap_next = NULL;
        heap = meld(heap, stack);
        stack = next;
    }
    return heap;
}

pawl_frame *pawl_timers_add(pawl_frame *heap, pawl_frame *frame) {
    frame->heap_child = frame->heap_next = frame->heap_prev = NULL;
    return meld(heap, frame);
}

pawl_frame *pawl_timers_remove(pawl_frame *heap, pawl_frame *frame) {
    pawl_frame *below = meld_siblings(frame->heap_child);
    frame->heap_child = NULL;
    if (frame == heap)
        return below;
    if (frame->heap_prev->heap_child == frame)
        frame->heap_prev->heap_child = frame->heap_next;
    else
        frame->heap_prev->heap_next = frame->heap_next;
    if (frame->heap_next)
        frame->heap_next->heap_prev = frame->heap_prev;
    frame->heap_next = frame->heap_prev = NULL;
    return meld(heap, below);
}
