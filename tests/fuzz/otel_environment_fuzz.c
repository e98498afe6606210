/* Whatever the OTEL_* variables say, what is read of them is within its bounds, and warnings are clean single lines.
 * Input: lines of NAME=VALUE. */
#include "environment_internal.h"
#include "fuzz.h"

#include <strings.h>

#define MOST_LINES 64

struct variables {
    char *lines[MOST_LINES]; /* "NAME\0VALUE" */
    size_t count;
};

static const char *get(void *user, const char *name) {
    const struct variables *v = user;
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->lines[i], name) == 0)
            return v->lines[i] + strlen(name) + 1;
    return NULL;
}

static void warn(void *user, const char *text) {
    (void)user;
    require(strncmp(text, "OTEL_", 5) == 0);
    for (; *text; text++)
        require(*text >= ' ' && *text <= '~');
}

static void check_headers(const struct pawl_environment_headers *headers) {
    require(headers->count <= PAWL_OTLP_HEADERS);
    for (uint64_t i = 0; i < headers->count; i++) {
        require(*headers->list[i].name != '\0');
        require(!strpbrk(headers->list[i].name, " \t\r\n:") && !strpbrk(headers->list[i].value, "\r\n"));
    }
}

static void check_batch(const struct pawl_environment_batch *batch) {
    uint64_t queue = batch->queue_size ? batch->queue_size : 2048;
    require(queue <= 1000000 && batch->batch_size <= queue);
}

static void check(const struct pawl_environment *e) {
    require(e->disabled <= 1 && e->sampler_ratio >= 0 && e->sampler_ratio <= 1);
    require(e->propagators <= 4 && e->exporters[PAWL_OTLP_METRICS] < 32 && e->exporters[PAWL_OTLP_LOGS] < 16);
    check_batch(&e->spans);
    check_batch(&e->records);
    check_headers(&e->base.headers);
    for (size_t i = 0; i < PAWL_OTLP_SIGNALS; i++) {
        check_headers(&e->signals[i].headers);
        require(!e->signals[i].endpoint || strncasecmp(e->signals[i].endpoint, "http", 4) == 0);
    }
}

static void split(struct variables *v, char *text) {
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line && v->count < MOST_LINES; line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');
        if (!equals)
            continue;
        *equals = '\0';
        v->lines[v->count++] = line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct variables v = {.count = 0};
    struct pawl_environment environment;
    const struct pawl_environment_reader reader = {.get = get, .warn = warn, .user = &v};
    char *text = text_of_bytes(data, size);
    split(&v, text);
    require(pawl_environment_read(&environment, &reader));
    check(&environment);
    pawl_environment_finish(&environment);
    free(text);
    return 0;
}
