/* Peers in other languages: scripts beside this file, run as children, which print one JSON object of figures. */
#include "bench.h"
#include <pawl/value.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SAID_WHY 77 /* the script's exit status when it cannot be run here and has said so */

static char *read_all(FILE *file) {
    size_t length = 0, got, capacity = 1 << 16;
    char *text = malloc(capacity);
    while (text && (got = fread(text + length, 1, capacity - length - 1, file)) > 0)
        length += got;
    if (text)
        text[length] = '\0';
    return text;
}

void bench_script_peer(struct bench *bench, const char *peer, const char *program, const char *script) {
    char command[1024];
    const char *source = getenv("PAWL_SOURCE_DIR");
    snprintf(command, sizeof command, "%s '%s'/tests/bench/%s", program, source ? source : ".", script);
    FILE *child = popen(command, "re"); /* NOLINT(cert-env33-c): a fixed script of this tree */
    char *text = child ? read_all(child) : NULL;
    int status = child ? pclose(child) : -1;
    pawl_value *figures = NULL;
    bool good = status == 0 && text && pawl_value_parse(text, strlen(text), NULL, &figures, NULL) == PAWL_OK;
    if (!good && !(WIFEXITED(status) && WEXITSTATUS(status) == SAID_WHY))
        fprintf(stderr, "pawl-bench: %s could not be measured; its rows are left out\n", peer);
    const cJSON *figure;
    cJSON_ArrayForEach(figure, pawl_value_json(figures)) bench_peer(bench, figure->string, peer, figure->valuedouble);
    pawl_value_unref(figures);
    free(text);
}

void bench_asyncio(struct bench *bench) {
    bench_script_peer(bench, "python3 asyncio", "python3", "asyncio_peer.py");
}

void bench_otel(struct bench *bench, const char *area) {
    char script[64];
    snprintf(script, sizeof script, "otel_peer.sh %s", area);
    bench_script_peer(bench, "OTel JS SDK", "bash", script);
}
