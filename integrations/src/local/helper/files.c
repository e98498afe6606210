/* Files in and out of the work folder, always beneath it and never through a symlink. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/openat2.h, RESOLVE_*; NO_XDEV keeps to the scratch file system. */
#define BENEATH (0x08 | 0x04 | 0x02 | 0x01)
#define CHUNK (60u << 10)

static int open_beneath(int base, const char *path, int flags, mode_t mode) {
    uint64_t how[3] = {(unsigned)flags | O_CLOEXEC, mode, BENEATH};
    return (int)syscall(SYS_openat2, base, path, how, sizeof how);
}

static int make_one_folder(int base, const char *path) {
    if (mkdirat(base, path, 0755) != 0 && errno != EEXIST)
        return -1;
    return 0;
}

/* Each prefix was made or opened beneath base before the next, so mkdirat crosses no symlink: files are not links. */
static int make_parents(int base, const char *path) {
    char part[PAWL_WIRE_PATH_MAX + 1];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (make_one_folder(base, part) != 0)
            return -1;
    }
    return 0;
}

int files_open_folder(int base, const char *path) {
    if (make_parents(base, path) != 0 || make_one_folder(base, path) != 0)
        return -1;
    return open_beneath(base, path, O_RDONLY | O_DIRECTORY, 0);
}

static int create(const struct sandbox *sandbox, const struct request_item *item) {
    int base = sandbox->folder[item->folder];
    int fd = -1;
    if (make_parents(base, item->path) == 0)
        fd = open_beneath(base, item->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, item->mode);
    if (fd < 0 || fchmod(fd, item->mode) != 0)
        sandbox_fail(sandbox, PAWL_STAGE_FILES, errno, "cannot make file '%s'", item->path);
    return fd;
}

static void append(const struct sandbox *sandbox, int fd, const struct request_item *item) {
    for (size_t done = 0; done < item->length;) {
        ssize_t wrote = write(fd, item->bytes + done, item->length - done);
        if (wrote < 0 && errno != EINTR)
            sandbox_fail(sandbox, PAWL_STAGE_FILES, errno, "cannot write file '%s'", item->path);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
}

void files_receive(struct sandbox *sandbox, struct request_item *item, enum request_event event) {
    int fd = -1;
    for (; event != REQUEST_END; event = message_next(sandbox, item)) {
        if (event == REQUEST_DATA) {
            append(sandbox, fd, item);
            continue;
        }
        if (fd >= 0)
            close(fd);
        fd = create(sandbox, item);
    }
    if (fd >= 0)
        close(fd);
}

/* ---- results: the guest's processes are all dead, so nothing changes under our hands ---- */

static uint32_t kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return PAWL_RESULT_REGULAR;
    case S_IFLNK:
        return PAWL_RESULT_SYMLINK;
    case S_IFDIR:
        return PAWL_RESULT_DIRECTORY;
    default:
        return PAWL_RESULT_OTHER;
    }
}

static void describe(int base, const char *path, uint64_t room, struct pawl_wire_result *result) {
    struct stat about;
    int fd = open_beneath(base, path, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0 || fstat(fd, &about) != 0) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        result->kind = absent ? PAWL_RESULT_ABSENT : PAWL_RESULT_UNREADABLE;
        result->error = absent ? 0 : errno;
    } else {
        result->kind = kind_of(about.st_mode);
        result->mode = about.st_mode & 07777;
        result->size = (uint64_t)about.st_size;
        if (result->kind == PAWL_RESULT_REGULAR && result->size > room)
            result->kind = PAWL_RESULT_TOO_LARGE;
    }
    if (fd >= 0)
        close(fd);
}

static void send_link(const struct sandbox *sandbox, struct pawl_wire_result *result, const char *path) {
    static char target[PAWL_WIRE_PATH_MAX + 1];
    int fd = open_beneath(sandbox->work, path, O_PATH | O_NOFOLLOW, 0);
    ssize_t length = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof target);
    if (fd >= 0)
        close(fd);
    result->size = length > 0 ? (uint64_t)length : 0;
    reply(sandbox->run, PAWL_REPLY_FILE, result, sizeof *result, target, (size_t)result->size);
}

static void send_content(const struct sandbox *sandbox, struct pawl_wire_result *result, const char *path) {
    static uint8_t chunk[CHUNK];
    int fd = open_beneath(sandbox->work, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);
    if (fd < 0) {
        result->kind = PAWL_RESULT_UNREADABLE;
        result->error = errno;
    }
    reply(sandbox->run, PAWL_REPLY_FILE, result, sizeof *result, NULL, 0);
    for (uint64_t left = fd < 0 ? 0 : result->size; left > 0;) {
        ssize_t got = read(fd, chunk, left < CHUNK ? (size_t)left : CHUNK);
        if (got <= 0 || !reply(sandbox->run, PAWL_REPLY_DATA, chunk, (size_t)got, NULL, 0))
            break;
        left -= (uint64_t)got;
    }
    if (fd >= 0)
        close(fd);
}

void files_collect(const struct sandbox *sandbox) {
    const struct request *request = sandbox->request;
    uint64_t left = request->limits.collect_total_bytes;
    for (uint32_t i = 0; i < request->collect_count; i++) {
        struct pawl_wire_result result = {.index = i};
        uint64_t room = left < request->limits.collect_file_bytes ? left : request->limits.collect_file_bytes;
        describe(sandbox->work, request->collect[i], room, &result);
        if (result.kind == PAWL_RESULT_REGULAR) {
            left -= result.size;
            send_content(sandbox, &result, request->collect[i]);
        } else if (result.kind == PAWL_RESULT_SYMLINK) {
            send_link(sandbox, &result, request->collect[i]);
        } else {
            reply(sandbox->run, PAWL_REPLY_FILE, &result, sizeof result, NULL, 0);
        }
    }
}
