#include "helper.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t message[PAWL_WIRE_MESSAGE_MAX];
static size_t message_length, message_offset;

/* The end of the socket in the middle of a request: the library took the run back, nobody is left to tell. */
static void receive(const struct sandbox *sandbox) {
    ssize_t length;
    do
        length = recv(sandbox->run, message, sizeof message, MSG_TRUNC);
    while (length < 0 && errno == EINTR);
    if (length <= 0)
        _exit(1);
    if ((size_t)length > sizeof message)
        sandbox_fail(sandbox, PAWL_STAGE_REQUEST, 0, "bad request: a message is longer than %d bytes",
                     PAWL_WIRE_MESSAGE_MAX);
    message_length = (size_t)length;
    message_offset = 0;
}

enum request_event message_next(struct sandbox *sandbox, struct request_item *item) {
    while (message_offset == message_length)
        receive(sandbox);
    enum request_event event = request_next(sandbox->request, message, message_length, &message_offset, item);
    if (event == REQUEST_BAD)
        sandbox_fail(sandbox, PAWL_STAGE_REQUEST, 0, "bad request: %s", sandbox->request->fault);
    if (event == REQUEST_END && message_offset != message_length)
        sandbox_fail(sandbox, PAWL_STAGE_REQUEST, 0, "bad request: bytes after END");
    return event;
}
