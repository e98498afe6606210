/* Shared by the files of the helper client only. */
#ifndef PAWL_LOCAL_HELPER_PARTS_H
#define PAWL_LOCAL_HELPER_PARTS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "helper_client.h"

uint64_t pawl_helper_now_ns(void);
/* Milliseconds for poll from now to an absolute time: rounded up, at most ceiling_ms. */
int pawl_helper_poll_ms(uint64_t until_ns, int ceiling_ms);
/* Moves a descriptor above the standard ones, close-on-exec; takes fd. -1 and errno. */
int pawl_helper_high_fd(int fd);

/* ---- helper_process.c: one process of the helper program ---- */

struct pawl_helper_process {
    atomic_uint references;
    atomic_bool dead; /* to be replaced */
    int control;
    int pidfd; /* -1: the kernel gave none; then pid alone */
    pid_t pid;
    struct pawl_wire_hello hello;
    char text[PAWL_WIRE_TEXT_MAX];
};

/* Spawns and greets. NULL with error_text set. */
struct pawl_helper_process *pawl_helper_process_start(const char *path, char *error_text, size_t error_bytes,
                                                      bool *ret_lacks);
struct pawl_helper_process *pawl_helper_process_ref(struct pawl_helper_process *process);
void pawl_helper_process_unref(struct pawl_helper_process *process);
/* Marks it dead and kills it and all its sandboxes. */
void pawl_helper_process_kill(struct pawl_helper_process *process);
bool pawl_helper_process_has_ended(const struct pawl_helper_process *process);

/* ---- helper_client.c ---- */

/*
 * Hands the descriptors of a run (the last may be -1: none) to the helper, starting a new helper if the old one is
 * gone. The caller keeps the descriptors. NULL with text set; else a reference to the process that has the run.
 */
struct pawl_helper_process *pawl_helper_client_submit(pawl_helper_client *client, const int fds[PAWL_RUN_FDS],
                                                      char *text, size_t text_bytes);

/* ---- helper_request.c: the request as messages ---- */

/* Init kills this much after the client was to: in the ordinary case the client is the one that knows why. */
#define PAWL_HELPER_MARGIN_NS UINT64_C(100000000)

struct pawl_helper_encoder {
    const struct pawl_helper_request *request;
    unsigned section;
    size_t index;
    size_t offset;
    const char *fault; /* static: why the request cannot be sent at all */
    uint64_t deadline_ns;
    struct pawl_wire_limits limits; /* the request's with its times */
};
/* Fills the next message, at most PAWL_WIRE_MESSAGE_MAX bytes. 0: all said, or encoder->fault is set. */
size_t pawl_helper_encode(struct pawl_helper_encoder *encoder, uint8_t *message);
/* Every frame, END included, has been put into a message. */
bool pawl_helper_encoded_all(const struct pawl_helper_encoder *encoder);

#endif
