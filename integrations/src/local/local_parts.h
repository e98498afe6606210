/* Shared by the files of the local provider only. */
#ifndef PAWL_LOCAL_PARTS_H
#define PAWL_LOCAL_PARTS_H

#include <pawl/integrations/local.h>
#include <pthread.h>
#include <stdatomic.h>

#include "execution/outcome_internal.h"
#include "execution/sandbox_internal.h"
#include "helper_client.h"
#include "interpreter.h"

#define PAWL_LOCAL_ID_BYTES 24

struct local_sandbox;

/* A provider; its sandboxes keep it alive. */
struct local {
    atomic_uint refs;
    pawl_helper_client *client;
    char *helper_path;
    char *search_path;                /* PATH when it was made; NULL: none */
    char *given[PAWL_LANGUAGE_COUNT]; /* interpreters by option; NULL: searched */
    pawl_execution_limits limits;     /* as given: 0 means default */
    bool require_all;                 /* mechanisms */
    pthread_mutex_t lock;             /* guards the rest */
    bool known[PAWL_LANGUAGE_COUNT];  /* interpreters found once do not change */
    pawl_interpreter interpreters[PAWL_LANGUAGE_COUNT];
    struct local_sandbox *sandboxes;
};

struct local *pawl_local_ref(struct local *local);
void pawl_local_unref(struct local *local);
/* Borrowed, lives as long as local. */
pawl_status pawl_local_interpreter(struct local *local, pawl_language language, const pawl_interpreter **ret_found,
                                   pawl_error **err);

/* One sandbox: made when its one program starts. */
struct local_sandbox {
    struct local *local;
    pawl_sandbox *handle; /* borrowed: it owns this */
    int cancel_fd;        /* readable: killed, or its run's scope is over */
    atomic_bool killed;
    atomic_bool used;
    atomic_bool running;
    uint64_t made_ns;
    char id[PAWL_LOCAL_ID_BYTES];
    struct local_sandbox *prev, *next;
};

/* ---- local_sandbox.c ---- */
pawl_status pawl_local_sandbox_create(void *self, pawl_context *ctx, const pawl_sandbox_options *options,
                                      pawl_sandbox **ret_sandbox, pawl_error **err);
pawl_status pawl_local_sandbox_connect(void *self, pawl_context *ctx, const char *id, pawl_sandbox **ret_sandbox,
                                       pawl_error **err);
pawl_status pawl_local_sandbox_list(void *self, pawl_context *ctx, pawl_sandbox_visit visit, void *user,
                                    pawl_error **err);
pawl_status pawl_local_sandbox_kill_id(void *self, pawl_context *ctx, const char *id, pawl_error **err);

/* ---- local_request.c: checks a request and turns it into the helper's ---- */
struct local_request {
    struct pawl_helper_request helper;
    pawl_language language;
    pawl_execution_limits limits; /* resolved */
    struct pawl_helper_file *files;
    const char **lists; /* one allocation for all lists of strings */
    char main_path[64];
    char heap_option[64];
};
/* request is borrowed as long as ret_request is used. On failure nothing is to be released. */
pawl_status pawl_local_request_make(struct local *local, const pawl_execution_request *request,
                                    struct local_request *ret_request, pawl_error **err);
void pawl_local_request_finish(struct local_request *request);

/* ---- local_run.c ---- */
pawl_status pawl_local_run(struct local_sandbox *sandbox, pawl_context *ctx, const pawl_execution_request *request,
                           pawl_execution_result **ret_result, pawl_error **err);

/* ---- local_output.c: what comes back while the helper runs a program ---- */
struct local_stream {
    pawl_execution_stream *kept; /* of the result */
    size_t capacity;
    char *tail; /* last bytes of a stream that is longer than what is kept */
    size_t tail_length;
};
struct local_output {
    pawl_execution_result *result;
    const pawl_execution_handlers *handlers; /* NULL: none */
    struct local_stream streams[3];          /* [1], [2] */
    bool over_total, out_of_memory;
};
void pawl_local_output_init(struct local_output *output, pawl_execution_result *result,
                            const pawl_execution_handlers *handlers);
struct pawl_helper_sink pawl_local_output_sink(struct local_output *output);
/* The end of stderr: all that is kept, or the tail. Borrowed. */
const char *pawl_local_output_stderr(const struct local_output *output, size_t *ret_length);
void pawl_local_output_finish(struct local_output *output);

#endif
