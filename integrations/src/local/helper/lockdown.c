/* What a guest may not do, apart from what the file systems, Landlock and seccomp say. */
#include "helper.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

/* A sandbox's network namespace is empty; with loopback, programs that test a server of their own work. */
void lockdown_loopback(struct sandbox *sandbox) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0)
        sandbox->mechanisms |= PAWL_HAS_LOOPBACK;
    else if (!(sandbox->request->limits.allow_missing & PAWL_HAS_LOOPBACK))
        sandbox_fail(sandbox, PAWL_STAGE_LOOPBACK, errno, "cannot bring up the sandbox's loopback");
    if (fd >= 0)
        close(fd);
}

static int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    for (int capability = 0; capability <= 63; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) /* EINVAL: this kernel knows fewer */
            return -1;
    if (prctl(PR_SET_SECUREBITS,
              SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
              0, 0, 0) != 0)
        return -1;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_capset, &header, none);
}

void lockdown_capabilities(struct sandbox *sandbox) {
    if (drop_capabilities() != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        sandbox_fail(sandbox, PAWL_STAGE_CAPABILITIES, errno, "cannot drop capabilities");
    sandbox->mechanisms |= PAWL_HAS_NO_CAPS;
}

static int limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit now, wanted;
    if (getrlimit(resource, &now) != 0)
        return errno;
    wanted.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
    wanted.rlim_cur = soft < wanted.rlim_max ? soft : wanted.rlim_max;
    return setrlimit(resource, &wanted) == 0 ? 0 : errno;
}

static int limit_if(int resource, uint64_t value) {
    return value == PAWL_UNBOUNDED ? 0 : limit(resource, value, value);
}

/*
 * The same for every guest, set before seccomp forbids it to touch the first. RLIMIT_CORE 1 and not 0: for a
 * core_pattern that pipes to a program on the host only 1 means none (fs/coredump.c).
 */
void lockdown_fixed_limits(struct sandbox *sandbox) {
    static const struct {
        int resource;
        uint64_t value;
    } fixed[] = {{RLIMIT_CORE, 1},   {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0},
                 {RLIMIT_RTPRIO, 0}, {RLIMIT_NICE, 0},    {RLIMIT_SIGPENDING, 256}};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        int error = limit(fixed[i].resource, fixed[i].value, fixed[i].value);
        if (error)
            sandbox_fail(sandbox, PAWL_STAGE_LIMITS, error, "cannot set resource limit %d", fixed[i].resource);
    }
}

static int limit_cpu(uint64_t cpu_ns) {
    if (cpu_ns == PAWL_UNBOUNDED)
        return 0;
    uint64_t seconds = cpu_ns / SECOND_NS + (cpu_ns % SECOND_NS != 0);
    return limit(RLIMIT_CPU, seconds ? seconds : 1, seconds + 1);
}

int lockdown_program_limits(const struct pawl_wire_limits *limits) {
    /* init is one of the guest's processes to the kernel */
    uint64_t processes = limits->processes == PAWL_UNBOUNDED ? PAWL_UNBOUNDED : limits->processes + 1;
    int error = limit_cpu(limits->cpu_ns);
    if (!error)
        error = limit_if(RLIMIT_FSIZE, limits->file_bytes);
    if (!error)
        error = limit_if(RLIMIT_STACK, limits->stack_bytes);
    if (!error)
        error = limit_if(RLIMIT_NOFILE, limits->open_files);
    if (!error)
        error = limit_if(RLIMIT_NPROC, processes);
    return error ? error : limit_if(RLIMIT_AS, limits->address_space_bytes);
}
