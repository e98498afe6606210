/* A file that is there as a whole or not at all. */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_TRIES 100
#define BEYOND_STANDARD 3

/* The shell opened it and may go on writing there: not to be moved, nor emptied. The standard stream it is, or -1. */
static int own_stream(const struct stat *there) {
    struct stat stream;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &stream) == 0 && stream.st_dev == there->st_dev && stream.st_ino == there->st_ino)
            return fd;
    return -1;
}

/* Beside it, since only there it can take its place. */
static int open_temporary(struct cli_new_file *file, mode_t mode) {
    for (int i = 0; i < NAME_TRIES; i++) {
        if (asprintf(&file->temporary, "%s.%ld-%d", file->path, (long)getpid(), i) < 0) {
            file->temporary = NULL;
            break;
        }
        int fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
        if (fd >= 0)
            return fd;
        int number = errno;
        free(file->temporary);
        file->temporary = NULL;
        errno = number;
        if (number != EEXIST)
            break;
    }
    return -1;
}

/* Whoever could read the old one can read the new one, as far as we may give it away. */
static void take_after(int fd, const struct stat *old) {
    if (fchown(fd, old->st_uid, old->st_gid) != 0 || fchmod(fd, old->st_mode & 0777) != 0)
        (void)fchmod(fd, old->st_mode & 0707); /* its group is another */
}

static bool open_beside(struct cli_new_file *file, const char *path, mode_t mode, const struct stat *old) {
    if (old && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        return false;
    file->path = old ? realpath(path, NULL) : strdup(path); /* a link stays one */
    if (file->path)
        file->fd = open_temporary(file, old ? mode & old->st_mode : mode);
    if (file->fd >= 0 && old)
        take_after(file->fd, old);
    return file->fd >= 0;
}

static void release(struct cli_new_file *file) {
    int number = errno;
    free(file->path);
    free(file->temporary);
    file->path = file->temporary = NULL;
    errno = number;
}

bool cli_new_file_open(struct cli_new_file *file, const char *path, mode_t mode, int flags) {
    struct stat there;
    bool exists = stat(path, &there) == 0;
    *file = (struct cli_new_file){.fd = -1};
    if (exists && !S_ISREG(there.st_mode))
        file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags);
    else if (exists && own_stream(&there) >= 0)
        file->fd = fcntl(own_stream(&there), F_DUPFD_CLOEXEC, BEYOND_STANDARD);
    else if (!open_beside(file, path, mode, exists ? &there : NULL))
        release(file);
    return file->fd >= 0;
}

bool cli_new_file_close(struct cli_new_file *file, bool whole) {
    bool done = close(file->fd) == 0;
    if (file->temporary && done && whole)
        done = rename(file->temporary, file->path) == 0;
    if (file->temporary && !(done && whole)) {
        int number = errno;
        unlink(file->temporary);
        errno = number;
    }
    release(file);
    return done;
}
