#include "helper.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool reply(int run, uint32_t type, const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    struct pawl_wire_frame frame = {type, (uint32_t)(a_bytes + b_bytes)};
    struct iovec pieces[3] = {{&frame, sizeof frame}, {(void *)a, a_bytes}, {(void *)b, b_bytes}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    ssize_t sent;
    do
        sent = sendmsg(run, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void reply_error(int run, enum pawl_stage stage, int error, const char *detail) {
    struct pawl_wire_error body = {stage, error};
    char text[PAWL_WIRE_TEXT_MAX];
    explain(text, sizeof text, stage, error, detail);
    reply(run, PAWL_REPLY_ERROR, &body, sizeof body, text, strlen(text));
}

void sandbox_fail(const struct sandbox *sandbox, enum pawl_stage stage, int error, const char *format, ...) {
    char detail[512];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    reply_error(sandbox->run, stage, error, detail);
    _exit(1);
}
