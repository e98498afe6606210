/*
 * A second wall behind the mounts: files by folder, and no signals or abstract sockets out of the sandbox. TCP is left
 * alone, since the network namespace holds nothing but the sandbox's own loopback.
 *
 * Constants and layout: the kernel's Documentation/userspace-api/landlock.rst; the installed header may be older than
 * the running kernel.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_EXECUTE (1u << 0)
#define FILE_WRITE (1u << 1)
#define FILE_READ (1u << 2)
#define READ_FOLDER (1u << 3)
#define MAKE_CHAR (1u << 6)
#define MAKE_BLOCK (1u << 11)
#define REFER (1u << 13)     /* ABI 2 */
#define TRUNCATE (1u << 14)  /* ABI 3 */
#define IOCTL_DEV (1u << 15) /* ABI 5 */
#define RIGHTS_ABI_1 ((1u << 13) - 1)

#define SCOPE_ABSTRACT_SOCKETS (1u << 0) /* ABI 6 */
#define SCOPE_SIGNALS (1u << 1)

struct ruleset {
    uint64_t handled_files, handled_net, scoped;
};

unsigned landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (unsigned)version : 0;
}

static uint64_t known_rights(unsigned abi) {
    return RIGHTS_ABI_1 | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0) | (abi >= 5 ? IOCTL_DEV : 0);
}

static void allow(const struct sandbox *sandbox, int ruleset, const char *path, uint64_t rights) {
    struct landlock_path_beneath_attr rule = {.allowed_access = rights & known_rights(sandbox->helper->landlock_abi)};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0 || syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u) != 0)
        sandbox_fail(sandbox, PAWL_STAGE_LANDLOCK, errno, "cannot add a Landlock rule for '%s'", path);
    close(rule.parent_fd);
}

static void allow_binds(const struct sandbox *sandbox, int ruleset) {
    const struct request *request = sandbox->request;
    for (unsigned i = 0; i < request->bind_count; i++) {
        int folder = open(request->binds[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0)
            close(folder);
        allow(sandbox, ruleset, request->binds[i], FILE_READ | FILE_EXECUTE | (folder >= 0 ? READ_FOLDER : 0u));
    }
}

static void allow_all(const struct sandbox *sandbox, int ruleset) {
    static const char *const own[] = {GUEST_HOME, "/tmp", "/dev/shm"};
    const struct folders *folders = &sandbox->helper->folders;
    const uint64_t look = FILE_READ | READ_FOLDER;
    for (unsigned i = 0; i < folders->count; i++)
        if (folders->list[i].kind == FOLDER_BIND)
            allow(sandbox, ruleset, folders->list[i].path, look | FILE_EXECUTE);
    allow(sandbox, ruleset, "/", READ_FOLDER);
    allow(sandbox, ruleset, "/etc", look);
    allow(sandbox, ruleset, "/proc", look);
    allow(sandbox, ruleset, GUEST_PROGRAM, look | FILE_EXECUTE);
    allow(sandbox, ruleset, "/dev", look | FILE_WRITE | TRUNCATE);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        allow(sandbox, ruleset, own[i], ~(uint64_t)(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV));
    allow_binds(sandbox, ruleset);
}

int landlock_prepare(struct sandbox *sandbox) {
    unsigned abi = sandbox->helper->landlock_abi;
    uint64_t missing_allowed = sandbox->request->limits.allow_missing;
    struct ruleset rules = {known_rights(abi), 0, abi >= 6 ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0};
    size_t size = abi >= 6 ? sizeof rules : abi >= 4 ? offsetof(struct ruleset, scoped) : sizeof rules.handled_files;
    if (abi == 0 && missing_allowed & PAWL_HAS_LANDLOCK)
        return -1;
    if (abi == 0)
        sandbox_fail(sandbox, PAWL_STAGE_LANDLOCK, 0, "this kernel offers no Landlock");
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0u);
    if (ruleset < 0)
        sandbox_fail(sandbox, PAWL_STAGE_LANDLOCK, errno, "cannot make a Landlock ruleset");
    allow_all(sandbox, ruleset);
    sandbox->mechanisms |= PAWL_HAS_LANDLOCK | (abi >= 6 ? PAWL_HAS_SCOPES : 0);
    return ruleset;
}
