/* The endpoint's parts: the listener (prometheus_listen.c), its thread (prometheus_server.c) and its answers
 * (prometheus_answer.c). */
#ifndef PAWL_PROMETHEUS_SERVER_H
#define PAWL_PROMETHEUS_SERVER_H

#include "prometheus_internal.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define PAWL_PROM_CONNECTIONS 32
#define PAWL_PROM_CONNECTION_NS PAWL_S(10) /* how long one may live */

struct pawl_prom_connection {
    int fd; /* -1: free */
    uint64_t end_ns;
};

struct pawl_metrics_listener {
    atomic_uint refs;
    pid_t maker; /* only there is a thread */
    pawl_metrics *metrics;
    pawl_resource *resource;
    uint64_t port;
    int listen_fd, stop_fd;
    pthread_mutex_t lock; /* of has_thread and of closing */
    bool has_thread;
    pthread_t thread;
    /* Of the thread alone: */
    struct MHD_Daemon *daemon;
    int daemon_fd;
    struct pawl_prom_connection connections[PAWL_PROM_CONNECTIONS];
};

/* ---- prometheus_server.c ---- */

/* Needs listen_fd and stop_fd; makes daemon and thread. */
pawl_status pawl_prom_server_start(struct pawl_metrics_listener *listener, pawl_error **err);
/* Ends the thread if there is one, and frees the port; any thread but it. */
void pawl_prom_server_stop(struct pawl_metrics_listener *listener);

/* ---- prometheus_answer.c ---- */

/* MHD's access handler; listener is its user. */
enum MHD_Result pawl_prom_answer(void *listener, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *upload, size_t *upload_bytes, void **request);

#endif
