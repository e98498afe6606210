/* A lock for what lives on in a forked child, where somebody who is not there may hold it. */
#ifndef PAWL_FORK_LOCK_INTERNAL_H
#define PAWL_FORK_LOCK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct pawl_fork_lock {
    pthread_mutex_t mutex;
    atomic_int owner; /* the process that the mutex is of; 0 while it is made anew */
};

void pawl_fork_lock_init(struct pawl_fork_lock *lock);
void pawl_fork_lock_finish(struct pawl_fork_lock *lock);
/* @return Whether this process is a child that takes it for the first time: what it guards is still the parent's. */
bool pawl_fork_lock_take(struct pawl_fork_lock *lock);
void pawl_fork_lock_give(struct pawl_fork_lock *lock);

#endif
