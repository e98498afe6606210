/* pawl-bench AREA [--json]: figures with targets and peers, all of one run. */
#include "bench.h"
#include <stdio.h>
#include <string.h>

static void run_core(struct bench *bench) {
    bench_core(bench);
    bench_concurrency(bench);
    bench_http(bench);
    bench_asyncio(bench);
}

static const struct {
    const char *name;
    void (*run)(struct bench *bench);
} areas[] = {{"core", run_core},
             {"sandbox", bench_sandbox},
             {"fix", bench_fix},
             {"otlp", bench_otlp},
             {"tracing", bench_tracing},
             {"metrics", bench_metrics},
             {"prometheus", bench_prometheus}};

int main(int argc, char **argv) {
    const char *area = "core";
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else
            area = argv[i];
    }
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        struct bench *bench = strcmp(areas[i].name, area) == 0 ? bench_new() : NULL;
        if (!bench)
            continue;
        areas[i].run(bench);
        bench_finish(bench, json);
        return 0;
    }
    fprintf(stderr, "pawl-bench: no area '%s'; there are: core, sandbox, fix, otlp, tracing, metrics, prometheus\n",
            area);
    return 2;
}
