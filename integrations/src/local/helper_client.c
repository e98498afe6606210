/* The client: the current helper process, and the one lock around it. */
#include "helper_parts.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONTROL_PATIENCE_MS 1000

struct pawl_helper_client {
    pthread_mutex_t lock; /* process and next_run */
    struct pawl_helper_process *process;
    uint64_t next_run;
    char path[];
};

pawl_helper_client *pawl_helper_client_new(const char *path, char *error_text, size_t error_bytes, bool *ret_lacks) {
    size_t length = strlen(path) + 1;
    if (ret_lacks)
        *ret_lacks = false;
    pawl_helper_client *client = calloc(1, sizeof *client + length);
    if (!client) {
        snprintf(error_text, error_bytes, "out of memory for the sandbox helper's client");
        return NULL;
    }
    memcpy(client->path, path, length);
    pthread_mutex_init(&client->lock, NULL);
    client->process = pawl_helper_process_start(path, error_text, error_bytes, ret_lacks);
    return client->process ? client : pawl_helper_client_free(client);
}

pawl_helper_client *pawl_helper_client_free(pawl_helper_client *client) {
    if (client) {
        pawl_helper_process_unref(client->process);
        pthread_mutex_destroy(&client->lock);
        free(client);
    }
    return NULL;
}

void pawl_helper_client_about(pawl_helper_client *client, struct pawl_helper_about *ret_about) {
    memset(ret_about, 0, sizeof *ret_about);
    pthread_mutex_lock(&client->lock);
    if (client->process) {
        ret_about->hello = client->process->hello;
        ret_about->pid = client->process->pid;
        memcpy(ret_about->text, client->process->text, sizeof ret_about->text);
    }
    pthread_mutex_unlock(&client->lock);
}

/* A reference to a helper that lives, as far as is known. */
static struct pawl_helper_process *current_process(pawl_helper_client *client, char *text, size_t text_bytes) {
    struct pawl_helper_process *old = NULL, *process;
    pthread_mutex_lock(&client->lock);
    if (client->process && atomic_load(&client->process->dead)) {
        old = client->process;
        client->process = NULL;
    }
    if (!client->process)
        client->process = pawl_helper_process_start(client->path, text, text_bytes, NULL);
    process = client->process ? pawl_helper_process_ref(client->process) : NULL;
    pthread_mutex_unlock(&client->lock);
    pawl_helper_process_unref(old);
    return process;
}

/* ETOOMANYREFS: the user has as many descriptors on their way as files may be open; the helper takes them in soon. */
static bool is_full(int error) {
    return error == EAGAIN || error == EINTR || error == ETOOMANYREFS;
}

/* False, errno as it was: the patience is over. */
static bool wait_for_room(int control, int error, uint64_t until_ns) {
    struct pollfd room = {.fd = error == ETOOMANYREFS ? -1 : control, .events = POLLOUT};
    int wait_ms = pawl_helper_poll_ms(until_ns, error == ETOOMANYREFS ? 1 : CONTROL_PATIENCE_MS);
    if (wait_ms > 0)
        poll(&room, 1, wait_ms);
    errno = error;
    return wait_ms > 0;
}

static int send_run(int control, uint64_t run_id, const int fds[PAWL_RUN_FDS]) {
    size_t bytes = (size_t)(fds[PAWL_RUN_CANCEL] < 0 ? PAWL_RUN_CANCEL : PAWL_RUN_FDS) * sizeof(int);
    struct pawl_wire_control body = {PAWL_WIRE_MAGIC, PAWL_WIRE_VERSION, PAWL_CONTROL_RUN, 0, 0, run_id};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(PAWL_RUN_FDS * sizeof(int))];
    } rights = {0};
    struct iovec piece = {&body, sizeof body};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = CMSG_SPACE(bytes)};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(part), fds, bytes);
    uint64_t until = pawl_helper_now_ns() + CONTROL_PATIENCE_MS * UINT64_C(1000000);
    while (sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        if (!is_full(errno) || !wait_for_room(control, errno, until))
            return errno == ETOOMANYREFS ? EAGAIN : errno;
    return 0;
}

static bool is_gone(int error) {
    return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

struct pawl_helper_process *pawl_helper_client_submit(pawl_helper_client *client, const int fds[PAWL_RUN_FDS],
                                                      char *text, size_t text_bytes) {
    for (int attempt = 0; attempt < 3; attempt++) {
        struct pawl_helper_process *process = current_process(client, text, text_bytes);
        if (!process)
            return NULL;
        pthread_mutex_lock(&client->lock);
        uint64_t run_id = ++client->next_run;
        pthread_mutex_unlock(&client->lock);
        int error = send_run(process->control, run_id, fds);
        if (!error) {
            text[0] = '\0'; /* of an attempt before this one */
            return process;
        }
        snprintf(text, text_bytes, "the sandbox helper does not take work: %s", strerror(error));
        if (is_gone(error) || error == EAGAIN)
            pawl_helper_process_kill(process);
        pawl_helper_process_unref(process);
        if (!is_gone(error))
            return NULL;
    }
    return NULL;
}
