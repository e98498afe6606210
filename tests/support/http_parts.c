/* Small parts: ports on loopback to listen at, where nobody does, and where connecting hangs; headers of a request. */
#include "http_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int http_listen(int backlog, int *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return -1;
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int http_closed_port(void) {
    int port = 0, fd = http_listen(1, &port);
    close(fd);
    return port;
}

/* A queue of one that is full: the kernel then drops further attempts. */
int http_black_hole(int ret_fds[BLACK_HOLE_FDS]) {
    int port = 0;
    ret_fds[0] = http_listen(0, &port);
    for (int i = 1; i < BLACK_HOLE_FDS; i++) {
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
        ret_fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(ret_fds[i], (struct sockaddr *)&address, sizeof address);
    }
    return port;
}

const char *http_seen_header(const struct http_seen *seen, const char *name, char *text, size_t size) {
    size_t length = strlen(name);
    const char *found = NULL;
    for (const char *line = strchr(seen->head, '\n'); line; line = strchr(line + 1, '\n')) {
        if (strncasecmp(line + 1, name, length) != 0 || line[1 + length] != ':')
            continue;
        if (found)
            return "?twice";
        found = line + 1 + length + 1;
    }
    if (!found)
        return NULL;
    found += strspn(found, " ");
    snprintf(text, size, "%.*s", (int)strcspn(found, "\r\n"), found);
    return text;
}
