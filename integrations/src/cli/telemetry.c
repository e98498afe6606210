/* How a command is watched: a trace file, metrics, and what the environment says. Telemetry that fails costs one line
 * on stderr and nothing else. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_NS PAWL_S(2)

struct cli_telemetry {
    const struct cli_watch *watch;
    pawl_observability *observability; /* NULL: it could not be set up */
    atomic_bool console_failed;
    bool is_late;         /* the time to flush was not enough */
    pthread_mutex_t lock; /* guards the rest */
    char first[1024];     /* of what went wrong */
    size_t others;
};

/* ---- options ---- */

bool cli_watch_option(struct cli_watch *watch, int option, const char *value) {
    switch (option) {
    case CLI_OPT_TRACE:
        watch->trace_file = value;
        return true;
    case CLI_OPT_TRACE_CONTENT:
        watch->content = true;
        return true;
    case CLI_OPT_METRICS:
        watch->metrics_file = value;
        return true;
    default:
        return false;
    }
}

static bool is_said(const char *variable) {
    const char *value = getenv(variable);
    return value && *value && strcmp(value, "none") != 0;
}

/* Somebody gets the spans. */
static bool is_traced(const struct cli_watch *watch) {
    return watch->trace_file || is_said("OTEL_TRACES_EXPORTER") || is_said("OTEL_EXPORTER_OTLP_ENDPOINT") ||
           is_said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
}

static bool check_trace(const struct cli_watch *watch) {
    pawl_error *error = NULL;
    pawl_exporter *file = watch->trace_file ? pawl_trace_file_new(watch->trace_file, NULL, &error) : NULL;
    if (error)
        cli_complain(watch->who, "--trace '%s': %s", watch->trace_file, pawl_error_message(error));
    pawl_exporter_unref(file);
    bool whole = !error;
    pawl_error_unref(error);
    return whole;
}

/* Not blocking, so that a FIFO that nobody reads is an error and no wait. */
static bool open_metrics(struct cli_new_file *file, const char *path) {
    return cli_new_file_open(file, path, 0666, O_NONBLOCK);
}

static bool check_metrics(const struct cli_watch *watch, bool may_print) {
    if (!watch->metrics_file)
        return true;
    if (strcmp(watch->metrics_file, "-") == 0) {
        if (!may_print)
            cli_complain(watch->who, "--metrics -: standard output is the program's; add --json, or name a file");
        return may_print;
    }
    struct cli_new_file file;
    bool may_be_written = open_metrics(&file, watch->metrics_file) && cli_new_file_close(&file, false);
    if (!may_be_written)
        cli_complain(watch->who, "--metrics '%s': %s", watch->metrics_file, strerror(errno));
    return may_be_written;
}

static bool is_one_file(const char *path, const char *other) {
    struct stat one, two;
    return path && other && stat(path, &one) == 0 && stat(other, &two) == 0 && S_ISREG(one.st_mode) &&
           one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

bool cli_watch_check(const struct cli_watch *watch, bool may_print) {
    if (watch->content && !is_traced(watch)) {
        cli_complain(watch->who, "--trace-content: nobody gets the trace; add --trace FILE");
        return false;
    }
    if (!check_trace(watch) || !check_metrics(watch, may_print))
        return false;
    if (!is_one_file(watch->trace_file, watch->metrics_file))
        return true;
    cli_complain(watch->who, "--metrics '%s': the trace goes there; name another file", watch->metrics_file);
    return false;
}

/* ---- observing ---- */

/* Any thread. */
static void keep_complaint(void *user, const char *text) {
    struct cli_telemetry *telemetry = user;
    pthread_mutex_lock(&telemetry->lock);
    if (*telemetry->first)
        telemetry->others++;
    else
        snprintf(telemetry->first, sizeof telemetry->first, "%s", text);
    pthread_mutex_unlock(&telemetry->lock);
}

/* The exporter has mostly told of it before the flush does. */
static bool is_told(struct cli_telemetry *telemetry, const pawl_error *error) {
    pthread_mutex_lock(&telemetry->lock);
    bool told = strstr(telemetry->first, pawl_error_message(error)) != NULL;
    pthread_mutex_unlock(&telemetry->lock);
    return told;
}

/* Takes the error. */
static void keep_error(struct cli_telemetry *telemetry, pawl_error *error) {
    if (error && !is_told(telemetry, error))
        keep_complaint(telemetry, pawl_error_message(error));
    pawl_error_unref(error);
}

/* Standard output is the command's. A reader that does not read gets nothing more. Any thread. */
static void write_to_stderr(void *user, const char *text, size_t length) {
    struct cli_telemetry *telemetry = user;
    if (!atomic_load(&telemetry->console_failed) && !cli_write_soon(STDERR_FILENO, text, length))
        atomic_store(&telemetry->console_failed, true);
}

static bool has_name(void) {
    const char *listed = getenv("OTEL_RESOURCE_ATTRIBUTES");
    return is_said("OTEL_SERVICE_NAME") || (listed && strstr(listed, "service.name="));
}

/* A trace file holds the trace, whatever a sampler or the parent's flags say. */
static pawl_observability *observe(struct cli_telemetry *telemetry, pawl_runtime *runtime, bool read_environment,
                                   pawl_error **err) {
    const struct cli_watch *watch = telemetry->watch;
    pawl_sampler *always = watch->trace_file ? pawl_sampler_always(NULL) : NULL;
    const pawl_tracer_options tracer = {.size = sizeof tracer, .sampler = always};
    const pawl_metrics_options metrics = {.size = sizeof metrics};
    const pawl_metrics_export_options once = {.size = sizeof once, .end_timeout_ns = PAWL_ZERO}; /* by the flush */
    pawl_observability *made = pawl_observe(
        runtime, err, .read_environment = read_environment, .service_name = has_name() ? NULL : "pawl",
        .service_version = has_name() ? NULL : PAWL_VERSION_STRING, .trace_file = watch->trace_file, .tracer = &tracer,
        .metrics = watch->metrics_file ? &metrics : NULL, .metrics_export = &once, .no_listen = 1,
        .console = write_to_stderr, .console_user = telemetry, .warn = keep_complaint, .warn_user = telemetry);
    pawl_sampler_unref(always);
    return made;
}

bool cli_telemetry_open(struct cli_session *session, const struct cli_watch *watch) {
    struct cli_telemetry *telemetry = calloc(1, sizeof *telemetry);
    pawl_error *error = NULL;
    if (!telemetry)
        return false;
    telemetry->watch = watch;
    pthread_mutex_init(&telemetry->lock, NULL);
    session->telemetry = telemetry;
    telemetry->observability = observe(telemetry, session->runtime, true, &error);
    if (!telemetry->observability) /* what the environment wants cannot be had */
        telemetry->observability = observe(telemetry, session->runtime, false, NULL);
    keep_error(telemetry, error);
    pawl_runtime_set_content(session->runtime, watch->content);
    pawl_context_extract_environment(session->ctx);
    return true;
}

/* ---- the end ---- */

static pawl_status cannot_write(pawl_error **err) {
    return pawl_error_set(err, PAWL_E_UNAVAILABLE, "metrics cannot be written: %s", strerror(errno));
}

static pawl_status write_soon(void *user, const char *text, size_t length, pawl_error **err) {
    const struct cli_new_file *file = user;
    return cli_write_soon(file->fd, text, length) ? PAWL_OK : cannot_write(err);
}

static pawl_status print(void *user, const char *text, size_t length, pawl_error **err) {
    (void)err;
    cli_write(user, text, length);
    return PAWL_OK;
}

static pawl_status write_file(const struct cli_telemetry *telemetry, pawl_metrics *metrics, pawl_resource *resource,
                              pawl_error **err) {
    struct cli_new_file file;
    if (!open_metrics(&file, telemetry->watch->metrics_file))
        return cannot_write(err);
    pawl_status status = pawl_metrics_write(metrics, resource, PAWL_PROMETHEUS_TEXT, write_soon, &file, err);
    bool is_there = cli_new_file_close(&file, status == PAWL_OK);
    return status == PAWL_OK && !is_there ? cannot_write(err) : status;
}

static void write_metrics(struct cli_telemetry *telemetry, pawl_context *ctx) {
    pawl_metrics *metrics = pawl_observability_metrics(telemetry->observability);
    pawl_resource *resource = pawl_observability_resource(telemetry->observability);
    struct cli_output out = {.fd = STDOUT_FILENO, .ctx = ctx, .optional = true};
    pawl_error *error = NULL;
    if (strcmp(telemetry->watch->metrics_file, "-") == 0)
        pawl_metrics_write(metrics, resource, PAWL_PROMETHEUS_TEXT, print, &out, &error);
    else
        write_file(telemetry, metrics, resource, &error);
    keep_error(telemetry, error);
}

/* The file comes last, so that its metrics tell what became of the spans. */
void cli_telemetry_flush(struct cli_session *session) {
    struct cli_telemetry *telemetry = session->telemetry;
    pawl_error *error = NULL;
    if (!telemetry || !telemetry->observability)
        return;
    telemetry->is_late = pawl_observability_shutdown(telemetry->observability, FLUSH_NS, &error) == PAWL_E_TIMEOUT;
    if (!telemetry->is_late)
        keep_error(telemetry, pawl_error_ref(error));
    if (telemetry->watch->metrics_file)
        write_metrics(telemetry, session->ctx);
    pawl_error_unref(error);
}

/* Of a collector that took too long the reason is known when it was tried more than once. */
static void complain(const struct cli_telemetry *telemetry) {
    static const char late[] = "not everything was taken within 2 s";
    const char *who = telemetry->watch->who, *first = telemetry->first;
    char more[40] = "";
    if (telemetry->watch->quiet)
        return;
    if (telemetry->others)
        snprintf(more, sizeof more, " (and %zu more)", telemetry->others);
    if (*first && telemetry->is_late)
        cli_complain(who, "telemetry: %s: %s%s", late, first, more);
    else if (*first)
        cli_complain(who, "telemetry: %s%s", first, more);
    else if (telemetry->is_late)
        cli_complain(who, "telemetry: %s; is the collector there?", late);
}

void cli_telemetry_close(struct cli_session *session) {
    struct cli_telemetry *telemetry = session->telemetry;
    if (!telemetry)
        return;
    pawl_observability_unref(telemetry->observability);
    complain(telemetry);
    pthread_mutex_destroy(&telemetry->lock);
    free(telemetry);
    session->telemetry = NULL;
}
