/* The policy: which system calls a guest may make. Any other name or number is ENOSYS, clone3 among them (libc falls
 * back). */
#ifndef PAWL_HELPER_FILTER_CALLS_H
#define PAWL_HELPER_FILTER_CALLS_H

/* clang-format off */
/* clone, mknod, mknodat, socket and socketpair have rules of their own in filter.c. */
static const char *const allowed_calls[] = {
    /* files */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "open",
    "openat", "openat2", "creat", "close", "close_range", "stat", "fstat", "lstat", "newfstatat", "statx", "access",
    "faccessat", "faccessat2", "lseek", "truncate", "ftruncate", "fallocate", "fadvise64", "readahead", "rename",
    "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "symlink", "symlinkat", "readlink", "readlinkat",
    "mkdir", "mkdirat", "rmdir", "getdents", "getdents64", "getcwd", "chdir", "fchdir", "chmod", "fchmod", "fchmodat",
    "fchmodat2", "chown", "fchown", "lchown", "fchownat", "umask", "utime", "utimes", "utimensat", "futimesat", "flock",
    "fsync", "fdatasync", "sync_file_range", "statfs", "fstatfs", "copy_file_range", "sendfile", "splice", "tee", "dup",
    "dup2", "dup3", "pipe", "pipe2", "fcntl", "ioctl", "getxattr", "lgetxattr", "fgetxattr", "setxattr", "lsetxattr",
    "fsetxattr", "listxattr", "llistxattr", "flistxattr", "removexattr", "lremovexattr", "fremovexattr",
    /* waiting and events */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "epoll_pwait2", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "eventfd", "eventfd2",
    "signalfd", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    /* memory */
    "mmap", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "brk", "mlock", "mlock2", "munlock",
    "mlockall", "munlockall", "memfd_create", "membarrier", "pkey_alloc", "pkey_free", "pkey_mprotect", "get_mempolicy",
    "map_shadow_stack",
    /* processes and threads */
    "execve", "execveat", "exit", "exit_group", "fork", "vfork", "wait4", "waitid", "getpid", "getppid", "gettid",
    "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "set_tid_address", "set_robust_list", "get_robust_list",
    "rseq", "futex", "futex_waitv", "getrusage", "times", "getrlimit", "setrlimit", "prlimit64", "prctl", "arch_prctl",
    "getcpu", "pidfd_open", "pidfd_send_signal", "restart_syscall",
    /* identity, which a guest cannot change */
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "setuid", "setgid", "setreuid",
    "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capget", "capset",
    /* scheduling */
    "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_setparam", "sched_getscheduler",
    "sched_setscheduler", "sched_getattr", "sched_setattr", "sched_get_priority_max", "sched_get_priority_min",
    "sched_rr_get_interval", "getpriority", "setpriority", "ioprio_get", "ioprio_set",
    /* signals */
    "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sigaltstack", "pause", "alarm", "getitimer",
    "setitimer",
    /* time and system */
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "timer_create",
    "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete", "uname", "sysinfo", "getrandom",
    /* sockets, once made */
    "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername", "sendto", "recvfrom", "sendmsg",
    "recvmsg", "sendmmsg", "recvmmsg", "setsockopt", "getsockopt", "shutdown",
    /* locking oneself further in */
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
};

/* EPERM: what a program may ask for and must be told no, since ENOSYS would say that the kernel lacks it. */
static const char *const refused_calls[] = {
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
    /* keys */
    "keyctl", "add_key", "request_key",
    /* large kernel surfaces */
    "bpf", "perf_event_open", "fanotify_init", "fanotify_mark", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "memfd_secret", "seccomp", "modify_ldt", "vmsplice",
    /* mounts and namespaces */
    "mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "open_tree", "move_mount", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at",
    /* the machine */
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "settimeofday", "clock_settime", "clock_adjtime",
    "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm", "syslog", "vhangup", "lookup_dcookie", "nfsservctl",
    "personality", "uselib", "ustat", "sysfs", "_sysctl",
    /* memory placement */
    "mbind", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages",
    /* System V and POSIX queues, charged to nobody */
    "shmget", "shmat", "shmdt", "shmctl", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv",
    "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
};

/* Succeed without effect. */
static const char *const ignored_calls[] = {
    /* flush disks */
    "sync", "syncfs",
};
/* clang-format on */

#endif
