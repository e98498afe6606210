/* Where descriptors may lie. */
#include "fd_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pawl_fd_beyond_standard(int fd) {
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), why = errno;
    close(fd);
    errno = why;
    return moved;
}
