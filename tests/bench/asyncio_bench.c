/* The peer: python3 asyncio, measured in the same run by the script beside this file. */
#include "bench.h"
#include <pawl/value.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEER "python3 asyncio"

static char *read_all(FILE *file) {
    size_t length = 0, got, capacity = 1 << 16;
    char *text = malloc(capacity);
    while (text && (got = fread(text + length, 1, capacity - length - 1, file)) > 0)
        length += got;
    if (text)
        text[length] = '\0';
    return text;
}

void bench_asyncio(struct bench *bench) {
    char command[1024];
    const char *source = getenv("PAWL_SOURCE_DIR");
    snprintf(command, sizeof command, "python3 '%s/tests/bench/asyncio_peer.py'", source ? source : ".");
    FILE *peer = popen(command, "re"); /* NOLINT(cert-env33-c): a fixed script of this tree */
    char *text = peer ? read_all(peer) : NULL;
    pawl_value *figures = NULL;
    if (!peer || pclose(peer) != 0 || !text || pawl_value_parse(text, strlen(text), NULL, &figures, NULL) != PAWL_OK)
        fprintf(stderr, "pawl-bench: python3 asyncio could not be measured\n");
    const cJSON *figure;
    cJSON_ArrayForEach(figure, pawl_value_json(figures)) bench_peer(bench, figure->string, PEER, figure->valuedouble);
    pawl_value_unref(figures);
    free(text);
}
