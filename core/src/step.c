/* The step interface's readers: what a combinator sees of its frame and its event. */
#include "engine_internal.h"

pawl_event_kind(pawl_event_kind_of)(const pawl_event *event) {
    return (pawl_event_kind)event->kind;
}

size_t pawl_event_lane(const pawl_event *event) {
    return event->kind == PAWL_EVENT_CHILD_DONE ? event->lane : 0;
}

pawl_outcome *(pawl_event_outcome)(pawl_event *event) {
    return event->kind == PAWL_EVENT_CHILD_DONE ? &event->outcome : NULL;
}

void *(pawl_frame_memory)(pawl_frame *frame) {
    return frame + 1;
}

pawl_value *(pawl_frame_input)(pawl_frame *frame) {
    return frame->input;
}

pawl_context *(pawl_frame_context)(pawl_frame *frame) {
    return frame->ctx;
}

const pawl_primitive *(pawl_frame_node)(pawl_frame *frame) {
    return frame->node;
}

uint64_t pawl_frame_now(pawl_frame *frame) {
    return pawl_loop_read_clock(frame->run->loop);
}

void pawl_waker_init(pawl_waker *waker, pawl_frame *frame) {
    *waker = (pawl_waker){.kind_ = POST_WAKER, .frame_ = frame};
}

void pawl_waker_wake(pawl_waker *waker) {
    pawl_loop_post(waker->frame_->run->loop, (struct post *)(void *)waker);
}

void pawl_frame_set_int(pawl_frame *frame, const char *key, int64_t number) {
    if (frame->observed)
        pawl_span_set_int(frame->own.span, key, number);
}

void pawl_frame_set_string(pawl_frame *frame, const char *key, const char *text) {
    if (frame->observed)
        pawl_span_set_string(frame->own.span, key, text);
}
