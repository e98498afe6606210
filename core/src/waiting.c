/* Frames that wait: what they wait for and what wakes them. */
#include "engine_internal.h"

static void link_waiting(pawl_frame *frame) {
    struct run *run = frame->run;
    frame->waiting = true;
    frame->waiting_prev = NULL;
    frame->waiting_next = run->waiting;
    if (run->waiting)
        run->waiting->waiting_prev = frame;
    run->waiting = frame;
}

static void unlink_waiting(pawl_frame *frame) {
    frame->waiting = false;
    if (frame->waiting_prev)
        frame->waiting_prev->waiting_next = frame->waiting_next;
    else
        frame->run->waiting = frame->waiting_next;
    if (frame->waiting_next)
        frame->waiting_next->waiting_prev = frame->waiting_prev;
}

void pawl_waiting_end(struct loop *loop, pawl_frame *frame) {
    pawl_loop_drop_ready(loop, frame);
    if (frame->waiting)
        unlink_waiting(frame);
    if (frame->timed) {
        loop->timers = pawl_timers_remove(loop->timers, frame);
        frame->timed = false;
    }
}

void pawl_waiting_arm(struct loop *loop, pawl_frame *frame) {
    if (frame->wake_ns == PAWL_NEVER || frame->queued)
        return;
    loop->timers = pawl_timers_add(loop->timers, frame);
    frame->timed = true;
}

void pawl_waiting_start(struct loop *loop, pawl_frame *frame) {
    bool watched = frame->state != FRAME_CHILDREN || pawl_takes_cancel_above_children(frame);
    if (watched) {
        link_waiting(frame);
        bool hears = pawl_waiting_hears_of_the_end(frame);
        uint64_t deadline = hears ? frame->ctx->deadline_ns : PAWL_NEVER;
        frame->until_deadline = deadline < frame->wake_ns;
        if (frame->until_deadline)
            frame->wake_ns = deadline;
        pawl_waiting_arm(loop, frame);
        if (hears && unlikely(pawl_scope_over(frame->ctx, loop->now_ns) != PAWL_CANCEL_NONE))
            frame->pending |= PENDING_OVER;
    }
    if (frame->pending)
        pawl_loop_push_ready(loop, frame);
}

void pawl_waiting_signal(pawl_frame *frame, uint8_t pending) {
    frame->pending |= pending;
    pawl_loop_push_ready(frame->run->loop, frame);
}

void pawl_waiting_cancel(struct run *run) {
    for (pawl_frame *frame = run->waiting; frame; frame = frame->waiting_next)
        if (pawl_waiting_hears_of_the_end(frame) && pawl_scope_reason(frame->ctx) != PAWL_CANCEL_NONE)
            pawl_waiting_signal(frame, PENDING_OVER);
}
