#include "otlp_play.h"

#include "export_internal.h"
#include "http_bed.h"
#include "otlp_exporter_internal.h"
#include "telemetry_data.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define SHORT_NS PAWL_MS(600)

static uint64_t read_clock(void *user) {
    const struct skipping_clock *clock = user;
    return clock_ns() + clock->skipped_ns;
}

static bool advance(void *user, uint64_t until_ns) {
    struct skipping_clock *clock = user;
    uint64_t now = read_clock(clock);
    static const struct timespec moment = {.tv_nsec = 200000};
    if (until_ns > now + SHORT_NS)
        atomic_store(&clock->is_waited_for, true);
    if (!clock->stands && until_ns < clock->deadline_ns && until_ns > now + SHORT_NS)
        clock->skipped_ns += until_ns - now;
    else
        nanosleep(&moment, NULL);
    return true;
}

static pawl_runtime *make_skipping(void *user) {
    struct skipping_clock *clock = user;
    clock->hooks =
        (pawl_runtime_hooks){.size = sizeof clock->hooks, .user = clock, .now = read_clock, .advance = advance};
    return pawl_runtime_with(.seed = 1, .hooks = &clock->hooks);
}

static void keep_told(void *user, const char *text) {
    struct told *told = user;
    told->times++;
    (void)snprintf(told->last, sizeof told->last, "%s", text);
}

int make_play(void **state) {
    struct otlp_play *play = calloc(1, sizeof *play);
    *state = play;
    play->server = http_server_new();
    (void)snprintf(play->base, sizeof play->base, "http://127.0.0.1:%d", http_server_port(play->server));
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    return 0;
}

int end_play(void **state) {
    struct otlp_play *play = *state;
    http_server_free(play->server);
    free(play);
    return 0;
}

int clear_play(void **state) {
    struct otlp_play *play = *state;
    play->exporter = pawl_exporter_unref(play->exporter);
    http_server_reset(play->server);
    memset(&play->told, 0, sizeof play->told);
    memset(&play->time, 0, sizeof play->time);
    return 0;
}

pawl_exporter *open_exporter(struct otlp_play *play, pawl_otlp_options options) {
    options.size = sizeof options;
    options.endpoint = options.endpoint ? options.endpoint : play->base;
    options.on_error = keep_told;
    options.user = &play->told;
    play->exporter = pawl_otlp_exporter_new(&options, NULL);
    assert_non_null(play->exporter);
    pawl_otlp_transport_of(play->exporter)->make_runtime = make_skipping;
    pawl_otlp_transport_of(play->exporter)->make_user = &play->time;
    return play->exporter;
}

pawl_status export_spans(struct otlp_play *play, size_t count, uint64_t timeout_ns, pawl_error **err) {
    pawl_span_data *spans = calloc(count, sizeof *spans);
    for (size_t i = 0; i < count; i++)
        spans[i] = usual_span((uint32_t)i + 1);
    play->time.deadline_ns = read_clock(&play->time) + (timeout_ns < PAWL_S(10) ? timeout_ns : PAWL_S(10));
    pawl_status status = pawl_exporter_spans(play->exporter, NULL, spans, count, timeout_ns, err);
    free(spans);
    return status;
}

pawl_otlp_counts counts_of(struct otlp_play *play) {
    pawl_otlp_stats stats = {.size = sizeof stats};
    assert_int_equal(pawl_otlp_exporter_get_stats(play->exporter, &stats, NULL), PAWL_OK);
    return stats.traces;
}

void stop_skipping(struct otlp_play *play) {
    pawl_otlp_transport_of(play->exporter)->make_runtime = NULL;
}
