/* How many roots of each undecided trace are open. Only roots come here, so a lock for a few traces each is enough. */
#include "tail_internal.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 64u

struct open_trace {
    struct open_trace *next;
    uint8_t id[16];
    uint64_t roots;
};

struct shard {
    pthread_mutex_t lock;
    struct open_trace *traces;
};

struct pawl_tail_counts {
    struct shard shards[SHARDS];
};

struct pawl_tail_counts *pawl_tail_counts_new(void) {
    struct pawl_tail_counts *counts = calloc(1, sizeof *counts);
    for (size_t i = 0; counts && i < SHARDS; i++)
        pthread_mutex_init(&counts->shards[i].lock, NULL);
    return counts;
}

void pawl_tail_counts_free(struct pawl_tail_counts *counts) {
    for (size_t i = 0; counts && i < SHARDS; i++) {
        struct open_trace *trace = counts->shards[i].traces;
        while (trace) {
            struct open_trace *next = trace->next;
            free(trace);
            trace = next;
        }
        pthread_mutex_destroy(&counts->shards[i].lock);
    }
    free(counts);
}

static struct shard *shard_of(struct pawl_tail *tail, const uint8_t id[16]) {
    return &pawl_tail_counts(tail)->shards[id[15] % SHARDS];
}

static struct open_trace **find(struct shard *shard, const uint8_t id[16]) {
    struct open_trace **at = &shard->traces;
    while (*at && memcmp((*at)->id, id, sizeof(*at)->id) != 0)
        at = &(*at)->next;
    return at;
}

void pawl_tail_open(struct pawl_tail *tail, const uint8_t trace_id[16]) {
    struct shard *shard = shard_of(tail, trace_id);
    pthread_mutex_lock(&shard->lock);
    struct open_trace **at = find(shard, trace_id), *trace = *at;
    if (!trace && (trace = calloc(1, sizeof *trace))) {
        memcpy(trace->id, trace_id, sizeof trace->id);
        *at = trace;
    }
    if (trace)
        trace->roots++;
    pthread_mutex_unlock(&shard->lock);
}

void pawl_tail_close(struct pawl_tail *tail, const uint8_t trace_id[16]) {
    struct shard *shard = shard_of(tail, trace_id);
    pthread_mutex_lock(&shard->lock);
    struct open_trace **at = find(shard, trace_id), *trace = *at;
    if (trace && --trace->roots == 0) { /* NULL: it was not counted, for want of memory */
        *at = trace->next;
        free(trace);
    }
    pthread_mutex_unlock(&shard->lock);
}

bool pawl_tail_is_open(struct pawl_tail *tail, const uint8_t trace_id[16]) {
    struct shard *shard = shard_of(tail, trace_id);
    pthread_mutex_lock(&shard->lock);
    bool is_open = *find(shard, trace_id) != NULL;
    pthread_mutex_unlock(&shard->lock);
    return is_open;
}
