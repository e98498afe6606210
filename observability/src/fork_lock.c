/* A mutex with the process it belongs to: a child makes it anew instead of waiting for a thread it does not have. */
#include "fork_lock_internal.h"
#include <sched.h>
#include <unistd.h>

void pawl_fork_lock_init(struct pawl_fork_lock *lock) {
    pthread_mutex_init(&lock->mutex, NULL);
    atomic_init(&lock->owner, getpid());
}

void pawl_fork_lock_finish(struct pawl_fork_lock *lock) {
    pawl_fork_lock_take(lock);
    pawl_fork_lock_give(lock);
    pthread_mutex_destroy(&lock->mutex);
}

bool pawl_fork_lock_take(struct pawl_fork_lock *lock) {
    int me = getpid(), owner = atomic_load_explicit(&lock->owner, memory_order_acquire);
    for (; owner != me; owner = atomic_load_explicit(&lock->owner, memory_order_acquire)) {
        if (owner == 0) { /* another thread of this child is at it */
            sched_yield();
        } else if (atomic_compare_exchange_strong(&lock->owner, &owner, 0)) {
            pthread_mutex_init(&lock->mutex, NULL);
            pthread_mutex_lock(&lock->mutex);
            atomic_store_explicit(&lock->owner, me, memory_order_release);
            return true;
        }
    }
    pthread_mutex_lock(&lock->mutex);
    return false;
}

void pawl_fork_lock_give(struct pawl_fork_lock *lock) {
    pthread_mutex_unlock(&lock->mutex);
}
