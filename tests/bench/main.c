/* pawl-bench AREA [--json]: figures with targets and peers, all of one run. */
#include "bench.h"
#include <stdio.h>
#include <string.h>

static void run_core(struct bench *bench) {
    bench_core(bench);
    bench_concurrency(bench);
    bench_asyncio(bench);
}

int main(int argc, char **argv) {
    const char *area = "core";
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else
            area = argv[i];
    }
    if (strcmp(area, "core") != 0) {
        fprintf(stderr, "pawl-bench: no area '%s'; there is: core\n", area);
        return 2;
    }
    struct bench *bench = bench_new();
    if (!bench)
        return 1;
    run_core(bench);
    bench_finish(bench, json);
    return 0;
}
