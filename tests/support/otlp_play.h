/* The OTLP exporter at a scripted server. Exchanges take real time; waits between tries are skipped. */
#ifndef OTLP_PLAY_H
#define OTLP_PLAY_H

#include "http_server.h"

#include <pawl/observability/otlp.h>
#include <pawl/unstable/hooks.h>
#include <stdatomic.h>

struct told {
    size_t times;
    char last[1024];
};

/* A clock that goes with the real one and skips what is waited for longer than HTTP does, up to a deadline. */
struct skipping_clock {
    uint64_t skipped_ns, deadline_ns;
    bool stands;               /* nothing is skipped */
    atomic_bool is_waited_for; /* for long */
    pawl_runtime_hooks hooks;
};

struct otlp_play {
    struct http_server *server;
    struct skipping_clock time;
    struct told told;
    char base[64];
    pawl_exporter *exporter;
};

/* cmocka's set-up and tear-down of a group, and the tear-down of each test: exporter, scripts and counts are gone. */
int make_play(void **state);
int end_play(void **state);
int clear_play(void **state);

/* Opens play->exporter, at the server unless the options say where. */
pawl_exporter *open_exporter(struct otlp_play *play, pawl_otlp_options options);
#define OPEN(play, ...) open_exporter(play, (pawl_otlp_options){__VA_ARGS__})
/* The exporter that was opened keeps to the real clock. */
void stop_skipping(struct otlp_play *play);
/* Spans 1 to count. */
pawl_status export_spans(struct otlp_play *play, size_t count, uint64_t timeout_ns, pawl_error **err);
/* Of spans. */
pawl_otlp_counts counts_of(struct otlp_play *play);

#endif
