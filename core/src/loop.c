/* A loop: an inbox that any thread may post to, a queue of ready frames, timers, and the memory of past runs kept for
 * the next ones. Who drives it decides where it sleeps: pawl_run()'s caller, a thread of the runtime, or the host
 * through pump. */
#include "engine_internal.h"
#include "fd_internal.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCKS_KEPT_BYTES (4u << 20) /* per size class: beyond that a block goes back to malloc */
#define WATCHES_AT_ONCE 64

struct loop *pawl_loop_new(pawl_runtime *runtime, uint64_t seed) {
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->runtime = runtime;
    pawl_random_seed(&loop->random, seed);
    loop->last_span_id = pawl_random_next(&loop->random);
    loop->wake_fd = pawl_fd_beyond_standard(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    loop->poll_fd = pawl_fd_beyond_standard(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event watch = {.events = EPOLLIN, .data.ptr = NULL};
    if (loop->wake_fd < 0 || loop->poll_fd < 0 || epoll_ctl(loop->poll_fd, EPOLL_CTL_ADD, loop->wake_fd, &watch) != 0) {
        pawl_loop_free(loop);
        return NULL;
    }
    return loop;
}

void pawl_loop_free(struct loop *loop) {
    if (!loop)
        return;
    pawl_http_loop_free(loop->http);
    for (size_t i = 0; i < BLOCK_CLASSES; i++)
        while (loop->blocks[i]) {
            struct block *block = loop->blocks[i];
            loop->blocks[i] = block->next;
            free(block);
        }
    while (loop->free_ops) {
        struct op_slot *slot = loop->free_ops;
        loop->free_ops = slot->next;
        free(slot);
    }
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->poll_fd >= 0)
        close(loop->poll_fd);
    free(loop);
}

/* ---- memory ---- */

static size_t block_class(size_t bytes) {
    size_t class = 0;
    while (class < BLOCK_CLASSES && ((size_t)BLOCK_SMALLEST << class) < bytes)
        class ++;
    return class; /* BLOCK_CLASSES: too big to keep */
}

void *pawl_loop_take_block(struct loop *loop, size_t bytes) {
    size_t class = block_class(bytes);
    if (class == BLOCK_CLASSES)
        return aligned_alloc(FRAME_ALIGN, (bytes + FRAME_ALIGN - 1) & ~(size_t)(FRAME_ALIGN - 1));
    struct block *block = loop ? loop->blocks[class] : NULL;
    if (!block)
        return malloc((size_t)BLOCK_SMALLEST << class);
    loop->blocks[class] = block->next;
    loop->block_counts[class]--;
    return block;
}

void pawl_loop_give_block(struct loop *loop, void *memory, size_t bytes) {
    size_t class = block_class(bytes);
    if (class == BLOCK_CLASSES ||
        ((size_t)loop->block_counts[class] + 1) * (BLOCK_SMALLEST << class) > BLOCKS_KEPT_BYTES) {
        free(memory);
        return;
    }
#ifdef __SANITIZE_ADDRESS__
    free(memory); /* so that a use after the end is seen */
    (void)class;
#else
    struct block *block = memory;
    block->next = loop->blocks[class];
    loop->blocks[class] = block;
    loop->block_counts[class]++;
#endif
}

bool pawl_loop_reserve_ops(struct loop *loop, size_t count) {
    while (loop->ops_made < loop->ops_reserved + count) {
        struct op_slot *slot = calloc(1, sizeof *slot);
        if (!slot)
            return false;
        slot->loop = loop;
        slot->next = loop->free_ops;
        loop->free_ops = slot;
        loop->ops_made++;
    }
    loop->ops_reserved += count;
    return true;
}

/* ---- ready queue ---- */

void pawl_loop_push_ready(struct loop *loop, pawl_frame *frame) {
    if (frame->queued)
        return;
    if (frame->timed) { /* the same links; a step that waits on arms it anew */
        loop->timers = pawl_timers_remove(loop->timers, frame);
        frame->timed = false;
    }
    frame->queued = true;
    frame->ready_next = NULL;
    frame->ready_prev = loop->ready_tail;
    if (loop->ready_tail)
        loop->ready_tail->ready_next = frame;
    else
        loop->ready_head = frame;
    loop->ready_tail = frame;
    loop->ready_count++;
}

void pawl_loop_drop_ready(struct loop *loop, pawl_frame *frame) {
    if (!frame->queued)
        return;
    frame->queued = false;
    if (frame->ready_prev)
        frame->ready_prev->ready_next = frame->ready_next;
    else
        loop->ready_head = frame->ready_next;
    if (frame->ready_next)
        frame->ready_next->ready_prev = frame->ready_prev;
    else
        loop->ready_tail = frame->ready_prev;
    loop->ready_count--;
}

static pawl_frame *next_ready(struct loop *loop) {
    pawl_frame *frame = loop->ready_head;
    const pawl_runtime_hooks *hooks = loop->runtime->hooks;
    if (hooks && hooks->pick && loop->ready_count > 1)
        for (size_t i = hooks->pick(hooks->user, loop->ready_count); i > 0 && frame->ready_next; i--)
            frame = frame->ready_next;
    return frame;
}

/* ---- inbox ---- */

void pawl_loop_wake(struct loop *loop) {
    if (atomic_exchange(&loop->sleeping, 0)) {
        uint64_t one = 1;
        ssize_t wrote = write(loop->wake_fd, &one, sizeof one);
        (void)wrote; /* a full counter is as loud */
    }
}

static struct post closed; /* stands in the inbox of a loop that nobody will drive again */

bool pawl_loop_post(struct loop *loop, struct post *post) {
    struct post *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do {
        if (unlikely(head == &closed))
            return false;
        post->next = head;
    } while (!atomic_compare_exchange_weak(&loop->inbox, &head, post));
    pawl_loop_wake(loop);
    return true;
}

static void accept_cancel(struct loop *loop, struct root *root) {
    atomic_store(&root->cancel_posted, 0);
    struct loop *lives = atomic_load(&root->loop);
    struct run *run = lives == loop ? atomic_load_explicit(&root->run, memory_order_acquire) : NULL;
    if (run)
        pawl_waiting_cancel(run);
    else if (lives && lives != loop) /* its next run, which was cancelled while this message was on its way */
        pawl_root_post_cancel(root);
    pawl_root_unpin(root);
}

static void accept_shutdown(struct loop *loop) {
    for (struct run *run = loop->runs; run; run = run->next)
        pawl_scope_cancel(&run->root->scope, PAWL_CANCEL_SHUTDOWN, "the runtime is shut down", loop);
}

#define OWNER(type, member, pointer) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static void accept(struct loop *loop, struct post *post) {
    switch ((enum post_kind)post->kind) {
    case POST_CANCEL:
        accept_cancel(loop, OWNER(struct root, cancel_post, post));
        break;
    case POST_DETACHABLE:
        pawl_abandonable_ended(post);
        break;
    case POST_JOB:
        pawl_waiting_signal(OWNER(struct job, post, post)->frame, PENDING_DONE);
        break;
    case POST_OP:
        pawl_waiting_signal(OWNER(struct op_slot, post, post)->frame, PENDING_DONE);
        break;
    case POST_WAKER:
        pawl_waiting_signal(((pawl_waker *)(void *)post)->frame_, PENDING_WAKE);
        break;
    case POST_SHUTDOWN:
        accept_shutdown(loop);
        break;
    case POST_ADOPT:
        break; /* the pool's own */
    case POST_RUN:
        pawl_engine_accept_run(loop, OWNER(struct run, post, post));
        break;
    }
}

static void empty_inbox(struct loop *loop, struct post *then) {
    struct post *newest = atomic_exchange_explicit(&loop->inbox, then, memory_order_acquire), *oldest = NULL;
    pawl_ticks_catch_up();
    while (newest && newest != &closed) { /* pushed last first: turn it round */
        struct post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct post *next = oldest->next;
        accept(loop, oldest);
        oldest = next;
    }
}

static void drain_inbox(struct loop *loop) {
    struct post *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    if (head && head != &closed)
        empty_inbox(loop, NULL);
}

void pawl_loop_drain(struct loop *loop) {
    struct loop *outer = pawl_driving;
    pawl_driving = loop;
    drain_inbox(loop);
    pawl_driving = outer;
}

void pawl_loop_close(struct loop *loop) {
    empty_inbox(loop, &closed);
}

/* ---- turning ---- */

uint64_t pawl_loop_next_timer(const struct loop *loop) {
    uint64_t http = loop->http ? pawl_http_loop_timer(loop->http) : PAWL_NEVER;
    uint64_t frame = loop->timers ? loop->timers->wake_ns : PAWL_NEVER;
    return frame < http ? frame : http;
}

static void fire_timers(struct loop *loop) {
    if (!loop->timers)
        return;
    pawl_loop_read_clock(loop);
    while (loop->timers && loop->timers->wake_ns <= loop->now_ns) {
        pawl_frame *frame = loop->timers;
        loop->timers = pawl_timers_remove(loop->timers, frame);
        frame->timed = false;
        bool asked = !frame->until_deadline;
        bool over = loop->now_ns >= frame->ctx->deadline_ns;
        pawl_waiting_signal(frame, (uint8_t)((asked ? PENDING_TIMER : 0) | (over ? PENDING_OVER : 0)));
    }
}

/* Sockets of HTTP transfers; the wake-up counter is emptied here too. */
static void poll_descriptors(struct loop *loop) {
    if (loop->http)
        pawl_http_loop_turn(loop->http, pawl_loop_read_clock(loop));
}

void pawl_loop_turn(struct loop *loop, size_t most) {
    struct loop *outer = pawl_driving;
    pawl_driving = loop;
    loop->clock_is_fresh = false;
    poll_descriptors(loop);
    drain_inbox(loop);
    fire_timers(loop);
    while (loop->ready_head && most-- > 0) {
        pawl_frame *frame = next_ready(loop);
        pawl_loop_drop_ready(loop, frame);
        pawl_engine_dispatch(loop, frame);
        if (loop->ready_head == NULL)
            drain_inbox(loop);
    }
    pawl_driving = outer;
}

void pawl_loop_empty_bell(struct loop *loop) {
    uint64_t count;
    ssize_t got = read(loop->wake_fd, &count, sizeof count);
    (void)got; /* EAGAIN: nobody wrote */
}

static void wait_real(struct loop *loop, uint64_t until_ns) {
    struct timespec left, *timeout = NULL;
    if (until_ns != PAWL_NEVER) {
        uint64_t now = pawl_loop_read_clock(loop), ns = until_ns > now ? until_ns - now : 0;
        left = (struct timespec){.tv_sec = (time_t)(ns / PAWL_S(1)), .tv_nsec = (long)(ns % PAWL_S(1))};
        if (ns / PAWL_S(1) < UINT32_MAX)
            timeout = &left;
    }
    struct pollfd wait = {.fd = loop->http ? loop->poll_fd : loop->wake_fd, .events = POLLIN};
    ppoll(&wait, 1, timeout, NULL); /* EINTR counts as a wake-up: the caller looks again */
    pawl_loop_empty_bell(loop);
    pawl_loop_read_clock(loop);
}

void pawl_loop_sleep(struct loop *loop) {
    atomic_store(&loop->sleeping, 1);
    if (!atomic_load(&loop->inbox)) {
        uint64_t until = pawl_loop_next_timer(loop);
        const pawl_runtime_hooks *hooks = loop->runtime->hooks;
        if (!hooks || !hooks->advance(hooks->user, until))
            wait_real(loop, hooks ? PAWL_NEVER : until);
    }
    atomic_store(&loop->sleeping, 0);
}
