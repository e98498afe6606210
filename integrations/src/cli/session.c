/* A runtime and a context for one command. Signals become a cancel, so that the sandbox is gone before the tool is. */
#include "cli.h"
#include <pawl/observability/trace_tree.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TREE_SIBLINGS 8 /* a repair tries hundreds of candidates: the first and the last tell the story */

struct cli_interrupts {
    pthread_t thread;
    sigset_t signals;
    struct cli_session *session;
};

static void *wait_for_signal(void *user) {
    struct cli_interrupts *interrupts = user;
    int signal = 0;
    sigwait(&interrupts->signals, &signal);
    if (signal == SIGUSR1)
        return NULL;
    atomic_store(&interrupts->session->interrupted, true);
    pawl_context_cancel(interrupts->session->ctx, PAWL_CANCEL_USER, "interrupted");
    sigset_t again = interrupts->signals; /* a second one has its usual effect, on this thread */
    sigdelset(&again, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &again, NULL);
    sigemptyset(&again);
    sigaddset(&again, SIGUSR1);
    sigwait(&again, &signal);
    return NULL;
}

static bool catch_signals(struct cli_session *session) {
    struct cli_interrupts *interrupts = calloc(1, sizeof *interrupts);
    if (!interrupts)
        return false;
    interrupts->session = session;
    sigemptyset(&interrupts->signals);
    sigaddset(&interrupts->signals, SIGINT);
    sigaddset(&interrupts->signals, SIGTERM);
    sigaddset(&interrupts->signals, SIGHUP);
    sigaddset(&interrupts->signals, SIGUSR1); /* the command has ended */
    pthread_sigmask(SIG_BLOCK, &interrupts->signals, NULL);
    session->interrupts = interrupts;
    if (pthread_create(&interrupts->thread, NULL, wait_for_signal, interrupts) == 0)
        return true;
    free(interrupts);
    session->interrupts = NULL;
    return false;
}

static void write_tree(void *user, const char *text, size_t length) {
    fwrite(text, 1, length, user);
}

static pawl_status attach_tree(pawl_runtime *runtime, pawl_error **err) {
    const char *no_colour = getenv("NO_COLOR");
    bool colour = isatty(STDERR_FILENO) && !(no_colour && *no_colour);
    return pawl_trace_tree(runtime, err, .write = write_tree, .user = stderr, .colour = colour,
                           .max_siblings = TREE_SIBLINGS);
}

bool cli_session_open(struct cli_session *session, const struct cli_watch *watch) {
    pawl_error *error = NULL;
    *session = (struct cli_session){.runtime = NULL};
    signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of write, not the end of the sandbox's supervision */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that may not grow */
    session->runtime = pawl_runtime_new(NULL, &error);
    if (session->runtime && (!watch->tree || attach_tree(session->runtime, &error) == PAWL_OK))
        session->ctx = pawl_context_new(session->runtime);
    if (session->ctx && cli_telemetry_open(session, watch) && catch_signals(session))
        return true;
    if (error)
        cli_complain_error("pawl", error);
    else
        cli_complain("pawl", "out of memory or threads");
    pawl_error_unref(error);
    cli_session_close(session);
    return false;
}

/* Signals count until the end: the last flush waits for others. */
void cli_session_close(struct cli_session *session) {
    cli_telemetry_flush(session);
    pawl_context_unref(session->ctx);
    pawl_runtime_unref(session->runtime);
    cli_telemetry_close(session);
    if (session->interrupts) {
        pthread_kill(session->interrupts->thread, SIGUSR1);
        pthread_join(session->interrupts->thread, NULL);
        free(session->interrupts);
    }
}
