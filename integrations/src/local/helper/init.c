/*
 * PID 1 of a sandbox: starts the program, reaps, reports how it ended as the kernel says it, kills what is left, and
 * sends the result files. Locked down like the program itself, and not dumpable, so that a guest with the same uid can
 * neither trace it nor read its memory.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shared with the program until its execve, since it is made like vfork makes one. */
struct launch {
    const struct sandbox *sandbox;
    int ruleset;
    int cwd;
    enum pawl_stage stage; /* what failed; with error */
    int error;
    uint64_t exec_ns;
    sigset_t mask; /* the program's: init itself blocks SIGCHLD to wait for it */
};

static char *default_env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                              ("HOME=" GUEST_HOME),
                              "USER=user",
                              "LOGNAME=user",
                              "SHELL=/bin/sh",
                              "LANG=C.UTF-8",
                              "TMPDIR=/tmp"};
#define DEFAULT_ENV (sizeof default_env / sizeof default_env[0])
static char *environment[DEFAULT_ENV + PAWL_WIRE_ENV_MAX + 1];

static bool is_overridden(const struct request *request, const char *variable) {
    size_t name = (size_t)(strchr(variable, '=') - variable) + 1;
    for (uint32_t i = 0; i < request->env_count; i++)
        if (strncmp(request->env[i], variable, name) == 0)
            return true;
    return false;
}

static void make_environment(const struct request *request) {
    size_t count = 0;
    for (size_t i = 0; i < DEFAULT_ENV; i++)
        if (!is_overridden(request, default_env[i]))
            environment[count++] = default_env[i];
    memcpy(environment + count, request->env, request->env_count * sizeof request->env[0]);
}

static int launch_fail(struct launch *launch, enum pawl_stage stage, int error) {
    launch->stage = stage;
    launch->error = error;
    return 127;
}

/* In the program's process, in init's memory: touches nothing but *launch. */
static int run_program(void *argument) {
    struct launch *launch = argument;
    const struct sandbox *sandbox = launch->sandbox;
    const struct request *request = sandbox->request;
    setsid();
    sigprocmask(SIG_SETMASK, &launch->mask, NULL);
    for (int i = 0; i < 3; i++)
        if (dup2(sandbox->stdio[i], i) < 0)
            return launch_fail(launch, PAWL_STAGE_LIMITS, errno);
    if (fchdir(launch->cwd) != 0)
        return launch_fail(launch, PAWL_STAGE_CWD, errno);
    if (launch->ruleset >= 0 && syscall(SYS_landlock_restrict_self, launch->ruleset, 0u) != 0)
        return launch_fail(launch, PAWL_STAGE_LANDLOCK, errno);
    close_range(3, ~0u, 0);
    int error = lockdown_program_limits(&request->limits);
    if (error)
        return launch_fail(launch, PAWL_STAGE_LIMITS, error);
    launch->exec_ns = now_ns();
    execve(request->exec, request->argv, environment);
    return launch_fail(launch, PAWL_STAGE_EXEC, errno);
}

static pid_t start_program(struct launch *launch) {
    static char stack[64 << 10] __attribute__((aligned(16)));
    return clone(run_program, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
}

static void check_launch(const struct launch *launch, pid_t pid) {
    const struct sandbox *sandbox = launch->sandbox;
    if (pid < 0)
        sandbox_fail(sandbox, PAWL_STAGE_EXEC, errno, "cannot make a process in the sandbox");
    if (launch->stage == PAWL_STAGE_EXEC)
        sandbox_fail(sandbox, launch->stage, launch->error, "cannot execute '%s'", sandbox->request->exec);
    if (launch->stage != PAWL_STAGE_NONE)
        sandbox_fail(sandbox, launch->stage, launch->error, "cannot prepare the program's process");
}

static uint64_t time_ns(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

static bool is_cpu_limit(const struct request *request, int status, const struct rusage *used) {
    if (request->limits.cpu_ns == PAWL_UNBOUNDED || !WIFSIGNALED(status))
        return false;
    return WTERMSIG(status) == SIGXCPU ||
           (WTERMSIG(status) == SIGKILL && time_ns(used->ru_utime) + time_ns(used->ru_stime) >= request->limits.cpu_ns);
}

static uint64_t end_of(const struct launch *launch) {
    const struct pawl_wire_limits *limits = &launch->sandbox->request->limits;
    uint64_t end = launch->exec_ns > UINT64_MAX - limits->wall_ns ? PAWL_UNBOUNDED : launch->exec_ns + limits->wall_ns;
    return limits->until_ns < end ? limits->until_ns : end;
}

/* Until the next word of a child, or of a guest that makes one up, or until_ns. */
static void wait_for_word(uint64_t until_ns) {
    sigset_t word;
    uint64_t now = now_ns(), left = until_ns > now ? until_ns - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    sigemptyset(&word);
    sigaddset(&word, SIGCHLD);
    sigtimedwait(&word, NULL, until_ns == PAWL_UNBOUNDED ? NULL : &timeout);
}

/*
 * Reaps whoever ends until the program does. The library's clock is the first to end an overdue program; this one is
 * for when its thread is held up. It is looked at in each turn, since a guest can keep init in words and in orphans.
 */
static int reap_until(pid_t program, uint64_t until_ns, struct pawl_wire_exit *ended, struct rusage *used) {
    for (;;) {
        int status;
        pid_t pid = wait4(-1, &status, __WALL | WNOHANG, used);
        ended->processes += pid > 0;
        if (pid == program)
            return status;
        if (now_ns() >= until_ns) {
            kill(-1, SIGKILL);
            ended->flags |= PAWL_EXIT_OVERDUE;
            until_ns = PAWL_UNBOUNDED;
        } else if (pid <= 0) {
            wait_for_word(until_ns);
        }
    }
}

static uint64_t flags_of(const struct launch *launch, int status, uint64_t flags, const struct rusage *used) {
    if (flags & PAWL_EXIT_OVERDUE && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return PAWL_EXIT_OVERDUE;
    return is_cpu_limit(launch->sandbox->request, status, used) ? PAWL_EXIT_CPU_LIMIT : 0;
}

/* Waits for the program, reaping orphans on the way; then ends everything else. */
static void attend(const struct launch *launch, pid_t program, struct pawl_wire_exit *ended) {
    struct rusage used;
    int status = reap_until(program, end_of(launch), ended, &used);
    pid_t pid;
    ended->wall_ns = now_ns() - launch->exec_ns;
    ended->kind = WIFSIGNALED(status) ? PAWL_EXIT_SIGNAL : PAWL_EXIT_STATUS;
    ended->status = (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    ended->flags = flags_of(launch, status, ended->flags, &used);
    kill(-1, SIGKILL);
    while ((pid = wait4(-1, &status, __WALL, NULL)) > 0 || errno == EINTR) {
        ended->processes += pid > 0;
        if (pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) /* others were zombies already */
            ended->flags |= PAWL_EXIT_LEFTOVERS;
    }
}

static void add_usage(struct pawl_wire_exit *ended) {
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    ended->user_ns = time_ns(used.ru_utime);
    ended->system_ns = time_ns(used.ru_stime);
    ended->max_rss_bytes = (uint64_t)used.ru_maxrss * 1024u;
}

static void block_child_signal(sigset_t *ret_before) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, ret_before);
}

void init_run(struct sandbox *sandbox, int ruleset) {
    struct launch launch = {.sandbox = sandbox, .ruleset = ruleset, .cwd = sandbox->work};
    struct pawl_wire_started started = {0, sandbox->created_ns, sandbox->built_ns, 0};
    struct pawl_wire_exit ended = {0};
    if (sandbox->request->cwd)
        launch.cwd = files_open_folder(sandbox->work, sandbox->request->cwd);
    if (launch.cwd < 0)
        sandbox_fail(sandbox, PAWL_STAGE_CWD, errno, "cannot enter '%s'", sandbox->request->cwd);
    make_environment(sandbox->request);
    block_child_signal(&launch.mask);
    pid_t program = start_program(&launch);
    check_launch(&launch, program);
    for (int i = 0; i < 3; i++)
        close(sandbox->stdio[i]);
    started.mechanisms = sandbox->mechanisms;
    started.exec_ns = launch.exec_ns;
    reply(sandbox->run, PAWL_REPLY_STARTED, &started, sizeof started, NULL, 0);
    attend(&launch, program, &ended);
    add_usage(&ended);
    reply(sandbox->run, PAWL_REPLY_EXIT, &ended, sizeof ended, NULL, 0);
    if (!(ended.flags & PAWL_EXIT_OVERDUE))
        files_collect(sandbox);
    reply(sandbox->run, PAWL_REPLY_DONE, NULL, 0, NULL, 0);
    _exit(0);
}
