/* Setting everything up: setup.c (one call, its handle), setup_exporters.c (where data goes), setup_parts.c (tracer,
 * metrics, log processor), setup_console.c (standard output), setup_voice.c (telling what is wrong). */
#ifndef PAWL_SETUP_INTERNAL_H
#define PAWL_SETUP_INTERNAL_H

#include "environment_internal.h"
#include <pawl/observability/observability.h>
#include <pthread.h>
#include <stdatomic.h>

#define PAWL_SETUP_EXPORTERS 8u /* of one signal: as many as a tracer takes */
#define PAWL_SETUP_GIVEN 4u     /* of code */

/* Who is told. Exporters call it on their threads, until the runtime has ended. */
struct pawl_voice {
    pthread_mutex_t lock;  /* guards runtime */
    pawl_runtime *runtime; /* NULL once it has ended */
    void (*warn)(void *user, const char *text);
    void *user;
    bool silent;
};
void pawl_voice_say(struct pawl_voice *voice, const char *text);
void pawl_voice_tell(void *voice, const char *text); /* the same, as a callback */

/* The exporters of one signal. */
struct pawl_route {
    pawl_exporter *list[PAWL_SETUP_EXPORTERS];
    size_t count;
    bool console; /* beside them */
};

struct pawl_observability {
    atomic_uint refs;
    _Atomic(pawl_runtime *) runtime; /* borrowed; NULL once it has ended, and when nothing is attached */
    pawl_observe_options options;
    struct pawl_environment environment; /* empty when not read */
    struct pawl_voice voice;
    struct pawl_route routes[PAWL_OTLP_SIGNALS];
    bool wants_prometheus, has_herald;
    pawl_exporter *otlp[PAWL_OTLP_SIGNALS]; /* those made here, which tell the voice; some may be one */
    pawl_resource *resource;
    pawl_tracer *tracer;
    pawl_metrics *metrics;
    pawl_logs *logs;
    pawl_metrics_listener *listener;
};

/* ---- setup.c ---- */

/* Attaches an observer that comes before the parts', once: flush and end of all of them begin with it. */
pawl_status pawl_setup_herald(pawl_observability *o, pawl_error **err);

/* ---- setup_exporters.c ---- */

pawl_status pawl_setup_routes(pawl_observability *o, pawl_error **err);
/* False: somebody else still holds one that tells the voice. */
bool pawl_setup_release_routes(pawl_observability *o);

/* ---- setup_parts.c ---- */

pawl_status pawl_setup_parts(pawl_observability *o, pawl_error **err);

/* ---- setup_console.c ---- */

void pawl_console_stdout(void *user, const char *text, size_t length);
/* The tree is an observer's work; with this there is a tracer, which samples. NULL without memory. */
pawl_exporter *pawl_console_spans_new(pawl_error **err);
/* Metrics as Prometheus text; NULL without memory. */
pawl_exporter *pawl_console_metrics_new(pawl_console_fn write, void *user, pawl_error **err);

#endif
