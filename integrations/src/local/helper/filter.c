/*
 * The system call filter, made once at start with libseccomp. Two programs, since libseccomp cannot say "allowed unless
 * the low 32 bits of an argument are X": [0] lists the calls a guest may make and answers ENOSYS to all others, those
 * of future kernels included; [1] refuses arguments of allowed calls. The stricter answer wins. [0] goes last, since it
 * forbids seccomp itself.
 *
 * The kernel looks at 32 bits of most of these arguments, so comparisons mask off the rest (CVE-2019-10063).
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter_calls.h"

#define REFUSE SCMP_ACT_ERRNO(EPERM)
#define LOW(argument, value) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, (value))
#define BITS(argument, mask, value) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, (mask), (value))
#define NOT_ZERO(argument) SCMP_CMP64(argument, SCMP_CMP_NE, 0, 0)

#define RULE_1(ctx, action, call, a) seccomp_rule_add(ctx, action, SCMP_SYS(call), 1, a)

static const uint32_t namespace_flags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                           CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};

/* Names this libseccomp or architecture does not know stay ENOSYS. */
static int add_names(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        int rc = number < 0 ? 0 : seccomp_rule_add(ctx, action, number, 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_clone(scmp_filter_ctx ctx) {
    uint32_t all = 0;
    int rc = 0;
    for (size_t i = 0; i < sizeof namespace_flags / sizeof namespace_flags[0] && rc == 0; i++) {
        all |= namespace_flags[i];
        rc = RULE_1(ctx, REFUSE, clone, BITS(0, namespace_flags[i], namespace_flags[i]));
    }
    return rc ? rc : RULE_1(ctx, SCMP_ACT_ALLOW, clone, BITS(0, all, 0));
}

/*
 * Files without device numbers; a guest has no CAP_MKNOD anyway.
 */
static int add_mknod(scmp_filter_ctx ctx) {
    static const uint32_t allowed[] = {0, S_IFREG, S_IFIFO, S_IFSOCK}, refused[] = {S_IFCHR, S_IFBLK};
    int rc = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && rc == 0; i++) {
        rc = RULE_1(ctx, SCMP_ACT_ALLOW, mknod, BITS(1, S_IFMT, allowed[i]));
        if (rc == 0)
            rc = RULE_1(ctx, SCMP_ACT_ALLOW, mknodat, BITS(2, S_IFMT, allowed[i]));
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0] && rc == 0; i++) {
        rc = RULE_1(ctx, REFUSE, mknod, BITS(1, S_IFMT, refused[i]));
        if (rc == 0)
            rc = RULE_1(ctx, REFUSE, mknodat, BITS(2, S_IFMT, refused[i]));
    }
    return rc;
}

/* Streams and datagrams of TCP and UDP only: any other protocol makes the kernel load modules for a stranger. */
static int add_internet(scmp_filter_ctx ctx, uint32_t family) {
    static const uint32_t types[] = {SOCK_STREAM, SOCK_DGRAM}, protocols[] = {0, 6, 17};
    for (size_t t = 0; t < 2; t++)
        for (size_t p = 0; p < 3; p++) {
            int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3, LOW(0, family), BITS(1, 0xf, types[t]),
                                      LOW(2, protocols[p]));
            if (rc < 0)
                return rc;
        }
    return 0;
}

/* Every family not named is ENOSYS; those that programs do try get the answer they expect. */
static int add_sockets(scmp_filter_ctx ctx) {
    static const uint32_t asked_for[] = {AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH};
    int rc = RULE_1(ctx, SCMP_ACT_ALLOW, socket, LOW(0, AF_UNIX));
    if (rc == 0)
        rc = RULE_1(ctx, SCMP_ACT_ALLOW, socketpair, LOW(0, AF_UNIX));
    if (rc == 0)
        rc = add_internet(ctx, AF_INET);
    if (rc == 0)
        rc = add_internet(ctx, AF_INET6);
    for (size_t i = 0; i < sizeof asked_for / sizeof asked_for[0] && rc == 0; i++) {
        rc = RULE_1(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), socket, LOW(0, asked_for[i]));
        if (rc == 0)
            rc = RULE_1(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), socketpair, LOW(0, asked_for[i]));
    }
    return rc;
}

static int fill_calls(scmp_filter_ctx ctx) {
    int rc = add_names(ctx, SCMP_ACT_ALLOW, allowed_calls, sizeof allowed_calls / sizeof allowed_calls[0]);
    if (rc == 0)
        rc = add_names(ctx, REFUSE, refused_calls, sizeof refused_calls / sizeof refused_calls[0]);
    if (rc == 0) /* flushing the host's disks is no business of a guest's: succeed without doing it */
        rc = add_names(ctx, SCMP_ACT_ERRNO(0), ignored_calls, sizeof ignored_calls / sizeof ignored_calls[0]);
    if (rc == 0)
        rc = add_clone(ctx);
    if (rc == 0)
        rc = add_mknod(ctx);
    return rc ? rc : add_sockets(ctx);
}

/* Other processes' limits and scheduling include those of init, which has the guest's uid. */
static int fill_other_processes(scmp_filter_ctx ctx) {
    int rc = RULE_1(ctx, REFUSE, prlimit64, NOT_ZERO(0));
    if (rc == 0)
        rc = RULE_1(ctx, REFUSE, sched_setscheduler, NOT_ZERO(0));
    if (rc == 0)
        rc = RULE_1(ctx, REFUSE, sched_setparam, NOT_ZERO(0));
    if (rc == 0)
        rc = RULE_1(ctx, REFUSE, sched_setattr, NOT_ZERO(0));
    return rc ? rc : RULE_1(ctx, REFUSE, setpriority, NOT_ZERO(1));
}

static int fill_arguments(scmp_filter_ctx ctx) {
    static const uint32_t ioctls[] = {TIOCSTI, TIOCLINUX, TIOCSETD};
    int rc = 0;
    for (size_t i = 0; i < sizeof ioctls / sizeof ioctls[0] && rc == 0; i++)
        rc = RULE_1(ctx, REFUSE, ioctl, LOW(1, ioctls[i]));
    if (rc == 0) /* a guest's pipes are not charged to anyone yet: keep them at their normal size */
        rc = RULE_1(ctx, REFUSE, fcntl, LOW(1, F_SETPIPE_SZ));
    if (rc == 0) /* see lockdown_fixed_limits() */
        rc = RULE_1(ctx, REFUSE, setrlimit, LOW(0, RLIMIT_CORE));
    if (rc == 0)
        rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(prlimit64), 2, LOW(1, RLIMIT_CORE), NOT_ZERO(2));
    return rc ? rc : fill_other_processes(ctx);
}

static int copy_out(int fd, struct filter *filter) {
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0 || size % (off_t)sizeof(struct sock_filter) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return EIO;
    filter->instructions = malloc((size_t)size);
    if (!filter->instructions)
        return ENOMEM;
    filter->length = (unsigned short)(size / (off_t)sizeof(struct sock_filter));
    return read(fd, filter->instructions, (size_t)size) == size ? 0 : EIO;
}

static int export(scmp_filter_ctx ctx, struct filter *filter) {
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return errno;
    int rc = -seccomp_export_bpf(ctx, fd);
    if (rc == 0)
        rc = copy_out(fd, filter);
    close(fd);
    return rc;
}

static int build(uint32_t otherwise, int (*fill)(scmp_filter_ctx), struct filter *filter) {
    scmp_filter_ctx ctx = seccomp_init(otherwise);
    if (!ctx)
        return ENOMEM;
    int rc = -seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (rc == 0)
        rc = -seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree over the call numbers */
    if (rc == 0)
        rc = -fill(ctx);
    if (rc == 0)
        rc = export(ctx, filter);
    seccomp_release(ctx);
    return rc;
}

int filters_build(struct filter filters[2]) {
    int error = build(SCMP_ACT_ERRNO(ENOSYS), fill_calls, &filters[0]);
    return error ? error : build(SCMP_ACT_ALLOW, fill_arguments, &filters[1]);
}

void filters_load(struct sandbox *sandbox) {
    for (int i = 1; i >= 0; i--) {
        const struct filter *filter = &sandbox->helper->filters[i];
        struct sock_fprog program = {filter->length, filter->instructions};
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &program) != 0)
            sandbox_fail(sandbox, PAWL_STAGE_SECCOMP, errno, "cannot load the system call filter");
    }
    sandbox->mechanisms |= PAWL_HAS_SECCOMP;
}
