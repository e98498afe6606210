/* The bench's harness: rows of figures with targets and peers, medians over rounds, a table and one line of JSON. */
#ifndef PAWL_BENCH_H
#define PAWL_BENCH_H

#include <pawl/core.h>

#define BENCH_ROUNDS 7

struct bench; /* the rows so far */

struct bench *bench_new(void);
/* Prints the table, and with json the JSON object as the last line; frees. */
void bench_finish(struct bench *bench, bool json);

/* One row. target: what is to be reached, lower is better; negative for none. */
void bench_row(struct bench *bench, const char *metric, double value, const char *unit, double target);
/* A peer's figure for a metric, measured in this run, in the same unit. */
void bench_peer(struct bench *bench, const char *metric, const char *peer, double value);
/* One that was measured elsewhere: it is shown as such and not compared. */
void bench_reference(struct bench *bench, const char *metric, const char *reference, double value);
/* Runs a script of this folder, "FILE [ARGUMENT]", that prints {metric: figure, ...}; when it cannot be run a line says
 * so and there are no figures. */
void bench_script_peer(struct bench *bench, const char *peer, const char *program, const char *script);
/* OpenTelemetry's JavaScript SDK beside the rows of an area: "tracing" or "metrics". */
void bench_otel(struct bench *bench, const char *area);

double bench_median(double *values, size_t count);
double bench_percentile(double *values, size_t count, double percent);
uint64_t bench_now(void);     /* monotonic, ns */
uint64_t bench_cpu(void);     /* of the process, ns */
uint64_t bench_rss(void);     /* bytes resident now */
uint64_t bench_mallocs(void); /* allocations of the process so far */

/* Median over BENCH_ROUNDS of the time of one call of fn, ns; each round runs it `times` times. */
double bench_time(void (*fn)(void *user), void *user, size_t times);

void bench_core(struct bench *bench);        /* what a node costs */
void bench_concurrency(struct bench *bench); /* what waiting costs: many runs, timers, wake-ups, cancels */
void bench_http(struct bench *bench);        /* what an exchange costs, and how soon a cancel ends one */
void bench_asyncio(struct bench *bench);     /* python3 asyncio beside it */
void bench_sandbox(struct bench *bench);     /* what a sandbox costs over plain python3 */
void bench_otlp(struct bench *bench);        /* what a span costs until it is a request */
void bench_fix(struct bench *bench);         /* the mutator's yield on a data set */
void bench_tracing(struct bench *bench);     /* what a node costs with the real tracer */
void bench_metrics(struct bench *bench);     /* what measuring and reading cost */
void bench_prometheus(struct bench *bench);  /* what a scrape of 2,000 series costs */

#endif
