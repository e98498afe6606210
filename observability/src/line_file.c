/* Whole lines with O_APPEND: what several processes write does not mix, and a full disk leaves no half line. */
#include "fd_internal.h"
#include "line_file_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 1000 /* a millisecond each */

static pawl_status failed(const struct pawl_line_file *file, const char *what, pawl_error **err) {
    int number = errno;
    pawl_status status = number == EACCES || number == EPERM || number == EROFS ? PAWL_E_DENIED
                         : number == ENOENT                                     ? PAWL_E_NOT_FOUND
                                                                                : PAWL_E_UNAVAILABLE;
    return pawl_error_set(err, status, "file '%s': cannot %s it: %s", file->path, what, strerror(number));
}

/* Of a pipe a write could block, or raise SIGPIPE. */
static pawl_status open_file(struct pawl_line_file *file, pawl_error **err) {
    struct stat about;
    int fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    fd = pawl_fd_beyond_standard(fd);
    if (fd < 0 || fstat(fd, &about) != 0) {
        if (fd >= 0)
            close(fd);
        return failed(file, "open", err);
    }
    file->is_regular = S_ISREG(about.st_mode);
    if (!file->is_regular && !S_ISCHR(about.st_mode)) {
        close(fd);
        return pawl_error_set(err, PAWL_E_INVALID, "file '%s': it is neither a regular file nor a device; name another",
                              file->path);
    }
    file->fd = fd;
    return PAWL_OK;
}

static void close_file(struct pawl_line_file *file) {
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

pawl_status pawl_line_file_open(struct pawl_line_file *file, const char *path, uint64_t max_bytes, uint64_t max_files,
                                pawl_error **err) {
    *file = (struct pawl_line_file){.fd = -1, .max_bytes = max_bytes, .max_files = max_files};
    if (!path || !*path)
        return pawl_error_set(err, PAWL_E_INVALID, "file: there is no path");
    size_t size = strlen(path) + 1;
    file->path = malloc(size);
    if (!file->path)
        return pawl_error_set(err, PAWL_E_NOMEM, "file '%s': out of memory", path);
    memcpy(file->path, path, size);
    pawl_status status = open_file(file, err);
    if (status != PAWL_OK)
        pawl_line_file_close(file);
    return status;
}

void pawl_line_file_close(struct pawl_line_file *file) {
    close_file(file);
    free(file->path);
    file->path = NULL;
}

pawl_status pawl_line_file_empty(struct pawl_line_file *file, pawl_error **err) {
    if (!file->is_regular)
        return pawl_error_set(err, PAWL_E_INVALID, "file '%s': it is no regular file; name another", file->path);
    return ftruncate(file->fd, 0) == 0 ? PAWL_OK : failed(file, "empty", err);
}

uint64_t pawl_line_file_size(const struct pawl_line_file *file) {
    struct stat about;
    return file->fd >= 0 && fstat(file->fd, &about) == 0 && about.st_size > 0 ? (uint64_t)about.st_size : 0;
}

/* ---- rotation ---- */

/* Whether the path still names the open file: another process, or logrotate, may have moved it. */
static bool is_in_place(const struct pawl_line_file *file) {
    struct stat open_one, named;
    return file->fd >= 0 && fstat(file->fd, &open_one) == 0 && stat(file->path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

struct names {
    size_t size;
    char *from, *to;
};

/* PATH, PATH.1, PATH.2 ... */
static const char *write_name(const struct pawl_line_file *file, char *name, size_t size, uint64_t number) {
    snprintf(name, size, number > 0 ? "%s.%llu" : "%s", file->path, (unsigned long long)number);
    return name;
}

/* The first that is not there, else the oldest one that may be. */
static uint64_t first_free(const struct pawl_line_file *file, const struct names *names) {
    uint64_t number = 1;
    while (number < file->max_files - 1 && access(write_name(file, names->to, names->size, number), F_OK) == 0)
        number++;
    return number;
}

/* PATH.9 is forgotten, PATH.8 becomes PATH.9, and so on; PATH becomes PATH.1. Those behind a gap stay. */
static bool move_each(const struct pawl_line_file *file, const struct names *names) {
    bool moved = true;
    for (uint64_t i = first_free(file, names); moved && i >= 1; i--) {
        write_name(file, names->to, names->size, i);
        moved = rename(write_name(file, names->from, names->size, i - 1), names->to) == 0 || (i > 1 && errno == ENOENT);
    }
    return moved;
}

static bool move_aside(const struct pawl_line_file *file) {
    size_t size = strlen(file->path) + 24;
    if (file->max_files == 1)
        return unlink(file->path) == 0;
    const struct names names = {.size = size, .from = malloc(size), .to = malloc(size)};
    bool moved = names.from && names.to && move_each(file, &names);
    free(names.from);
    free(names.to);
    return moved;
}

/* What a link such as /dev/stdout names is somebody else's to move. Nothing there: somebody has just moved it. */
static bool may_move(const struct pawl_line_file *file) {
    struct stat about;
    if (lstat(file->path, &about) != 0)
        return file->max_files > 0 && errno == ENOENT;
    return file->max_files > 0 && S_ISREG(about.st_mode);
}

/* Two that move files at once would overwrite each other's. Held as long as it takes to move them, which on a busy
 * machine may be long; of one that never ends only the first line waits. Where there are no locks it is done without.
 */
static bool lock(struct pawl_line_file *file) {
    const struct timespec pause = {.tv_nsec = 1000000};
    int tries = file->is_stuck ? 1 : LOCK_TRIES;
    file->is_stuck = false;
    for (int i = 0; i < tries; i++) {
        if (flock(file->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK || !is_in_place(file))
            return true;
        nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    file->is_stuck = true;
    return false;
}

static pawl_status reopen(struct pawl_line_file *file, pawl_error **err) {
    close_file(file);
    return open_file(file, err);
}

static pawl_status rotate(struct pawl_line_file *file, pawl_error **err) {
    if (!may_move(file))
        return pawl_error_set(err, PAWL_E_LIMIT, "file '%s': it is full (%llu bytes)", file->path,
                              (unsigned long long)file->max_bytes);
    if (!lock(file))
        return failed(file, "lock", err);
    bool is_ours = is_in_place(file), moved = is_ours && move_aside(file);
    pawl_status status = moved || !is_ours ? PAWL_OK : failed(file, "move", err);
    flock(file->fd, LOCK_UN); /* a forked child may keep the file open */
    file->rotated += moved;
    return status == PAWL_OK ? reopen(file, err) : status;
}

static pawl_status make_room(struct pawl_line_file *file, size_t bytes, pawl_error **err) {
    if (bytes > file->max_bytes)
        return pawl_error_set(err, PAWL_E_LIMIT, "file '%s': a line of %zu bytes is more than a file may have",
                              file->path, bytes);
    pawl_status status = is_in_place(file) ? PAWL_OK : reopen(file, err);
    if (status != PAWL_OK)
        return status;
    uint64_t size = pawl_line_file_size(file);
    if (!file->is_regular || size == 0 || bytes <= file->max_bytes - (size < file->max_bytes ? size : file->max_bytes))
        return PAWL_OK;
    return rotate(file, err);
}

/* ---- writing ---- */

/* A disk that filled up in the middle of a line: the half is taken back, unless somebody wrote behind it. */
static void take_back(const struct pawl_line_file *file, uint64_t before, size_t written) {
    if (file->is_regular && pawl_line_file_size(file) == before + written && ftruncate(file->fd, (off_t)before) == 0)
        return;
    ssize_t ended = write(file->fd, "\n", 1);
    (void)ended;
}

pawl_status pawl_line_file_write(struct pawl_line_file *file, const void *line, size_t bytes, pawl_error **err) {
    pawl_status status = make_room(file, bytes, err);
    if (status != PAWL_OK)
        return status;
    uint64_t before = pawl_line_file_size(file);
    ssize_t written;
    do
        written = write(file->fd, line, bytes);
    while (written < 0 && errno == EINTR);
    if (written >= 0 && (size_t)written == bytes)
        return PAWL_OK;
    if (written > 0) {
        take_back(file, before, (size_t)written);
        errno = ENOSPC;
    }
    return failed(file, "write", err);
}
