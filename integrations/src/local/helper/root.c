/*
 * The guest's root: a tmpfs of the run's scratch size with read-only binds of system folders. One tmpfs holds the work
 * folder, /tmp and /dev/shm, so that they share one budget; all else of it is made read-only.
 *
 * It is put together on top of /proc, a folder that every machine has and no bind below comes from. Until pivot_root an
 * absolute symlink in it would lead out to the host (the fault of CVE-2026-87766), so every place is made and found
 * step by step without following any.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The skeleton's own needs, on top of what the run was promised. */
#define SKELETON_BYTES (256u << 10)
#define SKELETON_INODES 160u

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define DEVICE_NODE (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC) /* read-only for its inode only */

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

static void check(const struct sandbox *sandbox, int rc, const char *what, const char *path) {
    if (rc < 0)
        sandbox_fail(sandbox, PAWL_STAGE_ROOT, errno, "cannot %s %s for the sandbox's root", what, path);
}

static void make_folder(const struct sandbox *sandbox, const char *path, mode_t mode) {
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        check(sandbox, -1, "make folder", path);
    if (mode & S_ISVTX) /* mkdir went through the umask */
        check(sandbox, chmod(path, mode), "set the mode of", path);
}

/* Makes and enters one folder; takes base. -1 and errno. */
static int descend(int base, const char *name) {
    int fd = -1;
    if (mkdirat(base, name, 0755) == 0 || errno == EEXIST)
        fd = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    close(base);
    errno = error;
    return fd;
}

/* Makes the folder or empty file that something will be mounted on, with its parents. 0 or errno. */
static int make_place(const char *path, bool is_folder) {
    char name[PAWL_WIRE_NAME_MAX + 1];
    const char *slash;
    int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        fd = descend(fd, name);
    }
    if (fd >= 0 && is_folder) {
        fd = descend(fd, path);
    } else if (fd >= 0) {
        int file = openat(fd, path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        close(fd);
        fd = file;
    }
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* A detached tree onto a place of the new root; takes tree. */
static void attach(const struct sandbox *sandbox, int tree, const char *path) {
    uint64_t how[3] = {O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, 0x08 | 0x04 | 0x02}; /* RESOLVE_BENEATH, _NO_SYMLINKS, ... */
    int place = (int)syscall(SYS_openat2, AT_FDCWD, path, how, sizeof how);
    check(sandbox, place, "find", path);
    check(sandbox, move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "attach", path);
    close(place);
    close(tree);
}

static void make_file(const struct sandbox *sandbox, const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    check(sandbox, fd, "make file", path);
    if (*text && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        check(sandbox, -1, "write file", path);
    close(fd);
}

static void make_link(const struct sandbox *sandbox, const char *target, const char *path) {
    check(sandbox, symlink(target, path), "make link", path);
}

static void set_attributes(const struct sandbox *sandbox, int fd, const char *path, uint64_t set) {
    struct mount_attr attributes = {.attr_set = set};
    unsigned flags = AT_RECURSIVE | (*path ? 0u : (unsigned)AT_EMPTY_PATH);
    check(sandbox, mount_setattr(fd, path, flags, &attributes, sizeof attributes), "lock mounts at", path);
}

static void mount_scratch(const struct sandbox *sandbox) {
    const struct pawl_wire_limits *limits = &sandbox->request->limits;
    char options[128];
    snprintf(options, sizeof options, "mode=0755,size=%llu,nr_inodes=%llu",
             (unsigned long long)limits->scratch_bytes + SKELETON_BYTES,
             (unsigned long long)limits->scratch_inodes + SKELETON_INODES);
    check(sandbox, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "detach", "the host's mounts");
    check(sandbox, mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, options), "mount tmpfs", options);
    check(sandbox, chdir("/proc"), "enter", "the new root");
}

static void make_skeleton(const struct sandbox *sandbox) {
    static const char *const plain[] = {"dev", "etc", "home", "home/user", "proc", "run", "run/pawl"};
    static const char *const shared[] = {"tmp", "dev/shm"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        make_folder(sandbox, plain[i], 0755);
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        make_folder(sandbox, shared[i], 01777);
    make_file(sandbox, "etc/passwd", "user:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n");
    make_file(sandbox, "etc/group", "user:x:1000:\nnogroup:x:65534:\n");
    make_file(sandbox, "etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n");
    make_file(sandbox, "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
    make_link(sandbox, "/usr/lib/os-release", "etc/os-release");
    make_link(sandbox, "/proc/self/fd", "dev/fd");
    make_link(sandbox, "/proc/self/fd/0", "dev/stdin");
    make_link(sandbox, "/proc/self/fd/1", "dev/stdout");
    make_link(sandbox, "/proc/self/fd/2", "dev/stderr");
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        make_file(sandbox, devices[i] + 1, "");
}

static void bind_system_folders(const struct sandbox *sandbox) {
    const struct folders *folders = &sandbox->helper->folders;
    for (unsigned i = 0; i < folders->count; i++) {
        const struct folder *folder = &folders->list[i];
        const char *inside = folder->path + 1;
        if (folder->kind == FOLDER_SYMLINK) {
            make_link(sandbox, folder->target, inside);
            continue;
        }
        errno = make_place(inside, folder->kind == FOLDER_BIND);
        check(sandbox, errno ? -1 : 0, "make a place for", folder->path);
        int tree = open_tree(AT_FDCWD, folder->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        check(sandbox, tree, "bind", folder->path);
        attach(sandbox, tree, inside);
    }
}

/* Refused with EPERM where the outer /proc is masked: the kernel shows a guest no more than the host shows itself. */
static void mount_proc(struct sandbox *sandbox) {
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid,hidepid=invisible") == 0)
        sandbox->mechanisms |= PAWL_HAS_PROC;
    else if (!(sandbox->request->limits.allow_missing & PAWL_HAS_PROC))
        sandbox_fail(sandbox, PAWL_STAGE_PROC, errno, "cannot mount /proc in the sandbox");
}

static bool is_beneath(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Visible already, through a system folder or an earlier bind. */
static bool is_visible(const struct sandbox *sandbox, unsigned index) {
    const struct folders *folders = &sandbox->helper->folders;
    const char *path = sandbox->request->binds[index];
    for (unsigned i = 0; i < folders->count; i++)
        if (is_beneath(path, folders->list[i].path))
            return true;
    for (unsigned i = 0; i < index; i++)
        if (is_beneath(path, sandbox->request->binds[i]))
            return true;
    return false;
}

/* A bind must neither show the kernel's own file systems nor cover what the sandbox is made of. */
static bool is_reserved(const char *path) {
    static const char *const never_beneath[] = {"/proc", "/sys", "/dev", "/etc", "/run"};
    static const char *const never_over[] = {"/home", "/home/user", "/tmp"};
    for (size_t i = 0; i < sizeof never_beneath / sizeof never_beneath[0]; i++)
        if (is_beneath(path, never_beneath[i]))
            return true;
    for (size_t i = 0; i < sizeof never_over / sizeof never_over[0]; i++)
        if (strcmp(path, never_over[i]) == 0)
            return true;
    return false;
}

static int bind_fail(const struct sandbox *sandbox, const char *path, int error) {
    sandbox_fail(sandbox, PAWL_STAGE_BIND, error, "cannot show '%s' in the sandbox", path);
}

/* A detached read-only copy of the host's folder, and the empty place it goes to. -1: nothing to do. */
static int clone_bind(const struct sandbox *sandbox, unsigned index) {
    const char *path = sandbox->request->binds[index];
    uint64_t how[3] = {O_PATH | O_CLOEXEC, 0, 0x02 | 0x04}; /* struct open_how: RESOLVE_NO_MAGICLINKS | _NO_SYMLINKS */
    struct stat about;
    if (is_visible(sandbox, index))
        return -1;
    if (is_reserved(path))
        return bind_fail(sandbox, path, EPERM);
    int source = (int)syscall(SYS_openat2, AT_FDCWD, path, how, sizeof how);
    if (source < 0 || fstat(source, &about) != 0)
        return bind_fail(sandbox, path, errno);
    int copy = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (copy < 0)
        return bind_fail(sandbox, path, errno);
    close(source);
    set_attributes(sandbox, copy, "", READ_ONLY);
    int error = make_place(path + 1, S_ISDIR(about.st_mode));
    return error ? bind_fail(sandbox, path, error) : copy;
}

static int open_folder(const struct sandbox *sandbox, const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(sandbox, fd, "open", path);
    return fd;
}

void root_prepare(struct sandbox *sandbox) {
    mount_scratch(sandbox);
    make_skeleton(sandbox);
    bind_system_folders(sandbox);
    mount_proc(sandbox);
    sandbox->folder[PAWL_FOLDER_WORK] = open_folder(sandbox, "home/user");
    sandbox->folder[PAWL_FOLDER_PROGRAM] = open_folder(sandbox, "run/pawl");
}

static int clone_writable(const struct sandbox *sandbox, const char *path) {
    int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    check(sandbox, fd, "copy the mount of", path);
    return fd;
}

static void bind_devices(const struct sandbox *sandbox) {
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        const char *inside = devices[i] + 1;
        check(sandbox, mount(devices[i], inside, NULL, MS_BIND, NULL), "bind", devices[i]);
        set_attributes(sandbox, AT_FDCWD, inside, DEVICE_NODE);
    }
}

static void pivot(struct sandbox *sandbox) {
    check(sandbox, (int)syscall(SYS_pivot_root, ".", "."), "change to", "the new root");
    check(sandbox, umount2(".", MNT_DETACH), "let go of", "the host's root");
    check(sandbox, chdir("/"), "enter", "the new root");
    sandbox->work = open(GUEST_HOME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(sandbox, sandbox->work, "open", GUEST_HOME);
    sandbox->mechanisms |= PAWL_HAS_NEW_ROOT;
}

void root_enter(struct sandbox *sandbox) {
    static const char *const writable[] = {"home/user", "tmp", "dev/shm"};
    int trees[3], binds[PAWL_WIRE_BINDS_MAX];
    const struct request *request = sandbox->request;
    for (unsigned i = 0; i < request->bind_count; i++)
        binds[i] = clone_bind(sandbox, i);
    for (size_t i = 0; i < 3; i++)
        trees[i] = clone_writable(sandbox, writable[i]);
    set_attributes(sandbox, AT_FDCWD, ".", READ_ONLY);
    for (size_t i = 0; i < 3; i++)
        attach(sandbox, trees[i], writable[i]);
    for (unsigned i = 0; i < request->bind_count; i++)
        if (binds[i] >= 0)
            attach(sandbox, binds[i], request->binds[i] + 1);
    bind_devices(sandbox);
    pivot(sandbox);
}
