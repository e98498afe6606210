/* Decodes one run's request from untrusted bytes: pure memory, nothing but protocol.h, so that a fuzzer can drive it.
 */
#ifndef PAWL_HELPER_REQUEST_H
#define PAWL_HELPER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "../protocol.h"

/* All strings lie in arena and end in NUL; argv and env end in NULL. */
struct request {
    struct pawl_wire_limits limits;
    const char *exec;
    const char *cwd; /* NULL: the work folder itself */
    char *argv[PAWL_WIRE_ARGS_MAX + 1];
    char *env[PAWL_WIRE_ENV_MAX + 1];
    const char *binds[PAWL_WIRE_BINDS_MAX];
    const char *collect[PAWL_WIRE_COLLECT_MAX];
    uint32_t argc, env_count, bind_count, collect_count, file_count;
    bool has_limits, in_files, ended;
    char fault[256]; /* of the last REQUEST_BAD */
    size_t used;
    char arena[PAWL_WIRE_HEAD_BYTES_MAX];
};

enum request_event {
    REQUEST_BAD,  /* request->fault says why; the request is lost */
    REQUEST_HEAD, /* a head frame was taken in */
    REQUEST_FILE, /* item: folder, mode, path; the head is complete */
    REQUEST_DATA, /* item: bytes, length */
    REQUEST_END,  /* the request is complete */
};

struct request_item {
    uint32_t folder;
    uint32_t mode;
    char path[PAWL_WIRE_PATH_MAX + 1];
    const uint8_t *bytes; /* into the message */
    size_t length;
};

/* Takes in the frame at *offset of a message and moves *offset behind it. Call while *offset < length. */
enum request_event request_next(struct request *request, const uint8_t *message, size_t length, size_t *offset,
                                struct request_item *item);

#endif
