/* The listener: its address, its life and who holds it. */
#include "fd_internal.h"
#include "options_internal.h"
#include "prometheus_server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <pawl/observer.h>

#define DEFAULT_PORT 9464
#define BACKLOG 16
#define WHO "metrics endpoint"

/* ---- address ---- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to;
    socklen_t length;
    bool is_loopback;
};

static bool read_address(const char *text, struct address *ret_address) {
    memset(ret_address, 0, sizeof *ret_address);
    if (inet_pton(AF_INET, strcmp(text, "localhost") == 0 ? "127.0.0.1" : text, &ret_address->to.v4.sin_addr) == 1) {
        ret_address->to.v4.sin_family = AF_INET;
        ret_address->length = sizeof ret_address->to.v4;
        ret_address->is_loopback = ntohl(ret_address->to.v4.sin_addr.s_addr) >> 24 == 127;
        return true;
    }
    ret_address->to.v6.sin6_family = AF_INET6;
    ret_address->length = sizeof ret_address->to.v6;
    bool is_read = inet_pton(AF_INET6, text, &ret_address->to.v6.sin6_addr) == 1;
    ret_address->is_loopback = is_read && IN6_IS_ADDR_LOOPBACK(&ret_address->to.v6.sin6_addr);
    return is_read;
}

static void set_port(struct address *address, uint64_t port) {
    if (address->to.any.sa_family == AF_INET)
        address->to.v4.sin_port = htons((uint16_t)port);
    else
        address->to.v6.sin6_port = htons((uint16_t)port);
}

static pawl_status check_options(const pawl_metrics_listen_options *options, struct address *ret_address,
                                 pawl_error **err) {
    const char *text = options->address ? options->address : "localhost";
    uint64_t port = pawl_option(options->port, DEFAULT_PORT);
    if (port > UINT16_MAX)
        return pawl_error_set(err, PAWL_E_INVALID, WHO ": port %llu is over 65535", (unsigned long long)port);
    if (!read_address(text, ret_address))
        return pawl_error_set(err, PAWL_E_INVALID,
                              WHO ": '%s' is no IPv4 or IPv6 address; names other than localhost are not looked up",
                              text);
    if (!ret_address->is_loopback && !options->allow_remote)
        return pawl_error_set(err, PAWL_E_DENIED,
                              WHO ": '%s' is not loopback: whoever reaches it could read the metrics, without a "
                                  "password; set allow_remote if that is right",
                              text);
    set_port(ret_address, port);
    return PAWL_OK;
}

/* ---- making ---- */

static pawl_status refuse_socket(int why, uint64_t port, pawl_error **err) {
    pawl_status status = why == EADDRINUSE                             ? PAWL_E_UNAVAILABLE
                         : why == EACCES                               ? PAWL_E_DENIED
                         : why == EADDRNOTAVAIL || why == EAFNOSUPPORT ? PAWL_E_INVALID
                                                                       : PAWL_E_UNSUPPORTED;
    return pawl_error_set(err, status, WHO ": cannot listen at port %llu: %s%s", (unsigned long long)port,
                          strerror(why), why == EADDRINUSE ? "; choose another, or PAWL_ZERO for any" : "");
}

static uint64_t port_of(int fd) {
    struct address bound;
    socklen_t length = sizeof bound.to;
    memset(&bound, 0, sizeof bound);
    if (getsockname(fd, &bound.to.any, &length) != 0)
        return 0;
    return ntohs(bound.to.any.sa_family == AF_INET ? bound.to.v4.sin_port : bound.to.v6.sin6_port);
}

static pawl_status open_socket(struct pawl_metrics_listener *listener, const struct address *address, uint64_t port,
                               pawl_error **err) {
    int on = 1;
    int fd = socket(address->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    listener->listen_fd = fd = pawl_fd_beyond_standard(fd);
    if (fd < 0)
        return refuse_socket(errno, port, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->to.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &address->to.any, address->length) != 0 || listen(fd, BACKLOG) != 0)
        return refuse_socket(errno, port, err);
    listener->port = port_of(fd);
    listener->stop_fd = pawl_fd_beyond_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (listener->stop_fd < 0)
        return refuse_socket(errno, port, err);
    return PAWL_OK;
}

/* In a forked child there is no thread to stop, and the daemon's memory is left as the fork found it. */
static void close_all(struct pawl_metrics_listener *listener) {
    if (listener->maker == getpid())
        pawl_prom_server_stop(listener);
    if (listener->listen_fd >= 0)
        close(listener->listen_fd);
    if (listener->stop_fd >= 0)
        close(listener->stop_fd);
    listener->listen_fd = listener->stop_fd = -1;
}

static void release(struct pawl_metrics_listener *listener) {
    close_all(listener);
    pthread_mutex_destroy(&listener->lock);
    pawl_resource_unref(listener->resource);
    pawl_metrics_unref(listener->metrics);
    free(listener);
}

pawl_metrics_listener *pawl_metrics_listener_ref(pawl_metrics_listener *listener) {
    if (listener)
        atomic_fetch_add_explicit(&listener->refs, 1, memory_order_relaxed);
    return listener;
}

pawl_metrics_listener *pawl_metrics_listener_unref(pawl_metrics_listener *listener) {
    if (listener && atomic_fetch_sub_explicit(&listener->refs, 1, memory_order_acq_rel) == 1)
        release(listener);
    return NULL;
}

/* An observer that hears nothing but the end. */
static void on_runtime_end(void *self) {
    struct pawl_metrics_listener *listener = self;
    if (listener->maker == getpid())
        pawl_prom_server_stop(listener);
    pawl_metrics_listener_unref(listener);
}

static const pawl_observer_vtable end_observer = {.size = sizeof(pawl_observer_vtable), .destroy = on_runtime_end};

static pawl_status start(struct pawl_metrics_listener *listener, const struct address *address,
                         const pawl_metrics_listen_options *options, pawl_error **err) {
    pawl_status status = open_socket(listener, address, pawl_option(options->port, DEFAULT_PORT), err);
    if (status == PAWL_OK)
        status = pawl_prom_server_start(listener, err);
    if (status == PAWL_OK && options->runtime) {
        status = pawl_runtime_add_observer(options->runtime, &end_observer, listener, err);
        if (status == PAWL_OK)
            pawl_metrics_listener_ref(listener);
    }
    return status;
}

pawl_metrics_listener *pawl_metrics_listen(pawl_metrics *metrics, const pawl_metrics_listen_options *options,
                                           pawl_error **err) {
    pawl_metrics_listen_options set;
    struct address address = {.is_loopback = false};
    if (!metrics) {
        pawl_error_set(err, PAWL_E_INVALID, WHO ": metrics is NULL");
        return NULL;
    }
    if (pawl_options_copy(&set, sizeof set, options, WHO, err) != PAWL_OK ||
        check_options(&set, &address, err) != PAWL_OK)
        return NULL;
    struct pawl_metrics_listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        pawl_error_set(err, PAWL_E_NOMEM, WHO ": out of memory");
        return NULL;
    }
    atomic_init(&listener->refs, 1);
    listener->maker = getpid();
    listener->listen_fd = listener->stop_fd = -1;
    pthread_mutex_init(&listener->lock, NULL);
    listener->metrics = pawl_metrics_ref(metrics);
    listener->resource = pawl_resource_ref(set.resource);
    if (start(listener, &address, &set, err) == PAWL_OK)
        return listener;
    return pawl_metrics_listener_unref(listener);
}

uint64_t pawl_metrics_listener_port(const pawl_metrics_listener *listener) {
    return listener ? listener->port : 0;
}
