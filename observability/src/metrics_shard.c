/* Shards: who owns which, and their cells. */
#include "metrics_internal.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local struct recent pawl_metrics_recent[RECENT] __attribute__((tls_model("initial-exec")));

/* A number that no other living thread has: a shard with ours was ours, or of a thread that has ended. */
static pid_t this_thread(void) {
    return (pid_t)syscall(SYS_gettid);
}

static bool has_ended(pid_t process, pid_t thread) {
    return syscall(SYS_tgkill, process, thread, 0) != 0 && errno == ESRCH;
}

static struct shard *find(const pawl_metrics *metrics, pid_t me) {
    struct shard *left = NULL;
    for (struct shard *s = metrics->shards; s; s = s->next)
        if (s->thread == me)
            return s;
    for (struct shard *s = metrics->shards; s && !left; s = s->next)
        if (has_ended(metrics->process, s->thread))
            left = s;
    return left;
}

static struct shard *add(pawl_metrics *metrics) {
    struct shard *shard = calloc(1, sizeof *shard);
    if (shard) {
        shard->next = metrics->shards;
        metrics->shards = shard;
    }
    return shard;
}

static void push_recent(struct recent recent) {
    pawl_metrics_recent[1] = pawl_metrics_recent[0];
    pawl_metrics_recent[0] = recent;
}

struct shard *pawl_metrics_shard(pawl_metrics *metrics) {
    if (metrics->process != getpid())
        return NULL;
    pid_t me = this_thread();
    pthread_mutex_lock(&metrics->lock);
    struct shard *shard = find(metrics, me);
    shard = shard ? shard : add(metrics);
    if (shard) {
        (void)atomic_load_explicit(&shard->settled, memory_order_acquire);
        shard->thread = me;
    }
    pthread_mutex_unlock(&metrics->lock);
    if (shard)
        push_recent((struct recent){.id = metrics->id, .shard = shard});
    return shard;
}

static void *new_cell(struct shard *shard, const pawl_series *series) {
    if (series->storage == STORED_COUNT)
        return pawl_arena_take(&shard->arena, sizeof(struct count_cell));
    if (series->storage == STORED_SUM)
        return pawl_arena_take(&shard->arena, sizeof(struct sum_cell));
    if (series->storage == STORED_EXPONENTIAL) {
        struct exponential_cell *cell = pawl_arena_take(&shard->arena, sizeof *cell);
        if (cell)
            pawl_exponential_cell_init(cell);
        return cell;
    }
    size_t buckets = series->instrument->bounds.count + 1;
    if (series->storage == STORED_DURATION) {
        struct duration_cell *cell = pawl_arena_take(&shard->arena, sizeof *cell + buckets * sizeof *cell->counts);
        if (cell)
            atomic_init(&cell->min_ns, UINT64_MAX);
        return cell;
    }
    struct histogram_cell *cell = pawl_arena_take(&shard->arena, sizeof *cell + buckets * sizeof *cell->counts);
    if (cell) {
        atomic_init(&cell->min, INFINITY);
        atomic_init(&cell->max, -INFINITY);
    }
    return cell;
}

void *pawl_metrics_make_cell(struct shard *shard, const pawl_series *series) {
    void *cell = new_cell(shard, series);
    bool put = cell && pawl_table_put(&shard->cells, &shard->arena, series->index, cell);
    metrics_settle(shard);
    return put ? cell : NULL; /* what was taken stays unused in the arena */
}
