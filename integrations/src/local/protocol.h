/*
 * The wire format between the library and its helper pawl-sandbox.
 *
 * Control socket (SOCK_SEQPACKET, descriptor 3 of the helper): one message is one pawl_wire_control and its body. The
 * helper speaks first (HELLO). A RUN carries descriptors (see enum pawl_run_fd) and starts one sandbox; the
 * end of the socket ends the helper and all it runs. A type the helper does not know is answered by CONTROL_ERROR.
 *
 * Run socket (SOCK_SEQPACKET, one per run): a message is a sequence of whole frames, each a pawl_wire_frame and its
 * payload. The library sends the request (HEAD frames in any order, then files, then END) and reads the reply. It takes
 * a run back by shutting its end down or closing it: the helper then kills the sandbox. The end of the socket on the
 * library's side means that every process of the sandbox is gone.
 *
 * The thread of a run may be held up by the host (an output callback that blocks), so nothing that ends a program rests
 * on it alone: the sandbox's init keeps the wall limit and the deadline, and the helper watches the run's cancel event.
 *
 * Both programs are of one build on one machine: native byte order, structs without padding, one version for all.
 */
#ifndef PAWL_LOCAL_PROTOCOL_H
#define PAWL_LOCAL_PROTOCOL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define PAWL_WIRE_MAGIC UINT32_C(0x4c574150)
#define PAWL_WIRE_VERSION 2
#define PAWL_WIRE_CONTROL_FD 3

/* Bounds of one request. A message bounds a string too, since no frame crosses messages. */
#define PAWL_WIRE_MESSAGE_MAX 65536
#define PAWL_WIRE_PAYLOAD_MAX (PAWL_WIRE_MESSAGE_MAX - sizeof(struct pawl_wire_frame))
#define PAWL_WIRE_HEAD_BYTES_MAX (1u << 20) /* all strings but file content together */
#define PAWL_WIRE_ARGS_MAX 1024
#define PAWL_WIRE_ENV_MAX 1024
#define PAWL_WIRE_BINDS_MAX 16
#define PAWL_WIRE_COLLECT_MAX 256
#define PAWL_WIRE_FILES_MAX 4096
#define PAWL_WIRE_PATH_MAX 4095
#define PAWL_WIRE_NAME_MAX 255
#define PAWL_WIRE_TEXT_MAX 1024

#define PAWL_UNBOUNDED UINT64_MAX

/* ---- control socket ---- */

enum pawl_control_type {
    PAWL_CONTROL_HELLO = 1, /* helper: pawl_wire_hello, then text_bytes of text */
    PAWL_CONTROL_RUN = 2,   /* library: no body, PAWL_RUN_FDS descriptors (CANCEL, the last, may be left out) */
    PAWL_CONTROL_ERROR = 3, /* helper: text; run_id repeats the message complained of */
    /* 16..31 warm interpreters and pools, 32..47 sessions, 48..63 cgroups: reserved, refused by this version */
};

enum pawl_run_fd { PAWL_RUN_SOCKET, PAWL_RUN_STDIN, PAWL_RUN_STDOUT, PAWL_RUN_STDERR, PAWL_RUN_CANCEL, PAWL_RUN_FDS };

struct pawl_wire_control {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
    uint32_t length; /* of the body */
    uint32_t flags;  /* 0 */
    uint64_t run_id;
};
static_assert(sizeof(struct pawl_wire_control) == 24, "no padding");

struct pawl_wire_hello {
    uint64_t mechanisms; /* bits PAWL_HAS_*: each was used once by a probe sandbox and worked */
    uint64_t required;   /* bits without which the helper refuses every run that does not allow their absence */
    uint32_t landlock_abi;
    uint32_t runs_max; /* sandboxes at once */
    uint32_t uid_base; /* first host uid of the guests; 0: the host user's own, since it may map no other */
    uint32_t text_bytes;
};
static_assert(sizeof(struct pawl_wire_hello) == 32, "no padding");

/* What holds a guest. The order is that of pawl_mechanism_name(). */
enum pawl_mechanism {
    PAWL_HAS_USER_NS = 1u << 0,
    PAWL_HAS_PID_NS = 1u << 1,
    PAWL_HAS_MOUNT_NS = 1u << 2,
    PAWL_HAS_NET_NS = 1u << 3,
    PAWL_HAS_IPC_NS = 1u << 4,
    PAWL_HAS_UTS_NS = 1u << 5,
    PAWL_HAS_CGROUP_NS = 1u << 6,
    PAWL_HAS_NEW_ROOT = 1u << 7,        /* tmpfs root, read-only binds, pivot_root */
    PAWL_HAS_PROC = 1u << 8,            /* /proc with subset=pid; without it the guest has no /proc ("no proc" mode) */
    PAWL_HAS_DISTINCT_UID = 1u << 9,    /* a host uid of the guest's own, neither root's nor the user's */
    PAWL_HAS_LOOPBACK = 1u << 10,       /* 127.0.0.1 inside the empty network namespace */
    PAWL_HAS_NO_CAPS = 1u << 11,        /* no_new_privs, all capability sets empty */
    PAWL_HAS_LANDLOCK = 1u << 12,       /* file rules */
    PAWL_HAS_SCOPES = 1u << 13,         /* Landlock scopes of signals and abstract sockets (ABI 6) */
    PAWL_HAS_SECCOMP = 1u << 14,        /* system call allow-list */
    PAWL_HAS_OOM_PREFERENCE = 1u << 15, /* the kernel's out-of-memory killer takes the guest before the host */
};
#define PAWL_MECHANISMS 16

/* Without these a guest is still contained; a run starts without them when it says so (allow_missing), or by nature. */
#define PAWL_OPTIONAL_MECHANISMS                                                                                       \
    (PAWL_HAS_CGROUP_NS | PAWL_HAS_PROC | PAWL_HAS_DISTINCT_UID | PAWL_HAS_LOOPBACK | PAWL_HAS_LANDLOCK |              \
     PAWL_HAS_SCOPES | PAWL_HAS_OOM_PREFERENCE)
#define PAWL_ALL_MECHANISMS ((1u << PAWL_MECHANISMS) - 1)

/* "user namespace" for PAWL_HAS_USER_NS and so on; "unknown" for any other bit. Static. */
const char *pawl_mechanism_name(uint64_t bit);

/* ---- run socket ---- */

struct pawl_wire_frame {
    uint32_t type;
    uint32_t length; /* of the payload */
};
static_assert(sizeof(struct pawl_wire_frame) == 8, "no padding");

/* Strings have no terminating NUL and contain none. */
enum pawl_request_frame {
    PAWL_REQUEST_LIMITS = 1, /* pawl_wire_limits; required, once */
    PAWL_REQUEST_BIND,       /* absolute host path, shown read-only at the same place */
    PAWL_REQUEST_EXEC,       /* absolute path inside; required, once */
    PAWL_REQUEST_ARG,        /* argv[0], argv[1], ...; at least one */
    PAWL_REQUEST_ENV,        /* NAME=value, over the built-in PATH, HOME, LANG, TMPDIR ... */
    PAWL_REQUEST_CWD,        /* relative to the work folder; made if missing */
    PAWL_REQUEST_COLLECT,    /* relative to the work folder: sent back after the end */
    PAWL_REQUEST_FILE,       /* pawl_wire_file, then the path relative to its folder */
    PAWL_REQUEST_DATA,       /* more content of the last FILE */
    PAWL_REQUEST_END,        /* no payload; start now */
};

enum pawl_reply_frame {
    PAWL_REPLY_STARTED = 64, /* pawl_wire_started: the program's exec succeeded */
    PAWL_REPLY_ERROR,        /* pawl_wire_error, then text; nothing ran */
    PAWL_REPLY_EXIT,         /* pawl_wire_exit: the program ended and all it left is dead */
    PAWL_REPLY_FILE,         /* pawl_wire_result, then a symlink's target; one per COLLECT, in order */
    PAWL_REPLY_DATA,         /* content of the last FILE */
    PAWL_REPLY_DONE,         /* no payload: all said, all guest processes gone */
    PAWL_REPLY_ENDED,        /* pawl_wire_ended, by the helper itself: the sandbox's init is gone */
};

/* PAWL_UNBOUNDED sets no limit, except for scratch_* and collect_*, which must be finite. */
struct pawl_wire_limits {
    uint64_t address_space_bytes; /* RLIMIT_AS, per process */
    uint64_t cpu_ns;              /* RLIMIT_CPU, per process, rounded up to whole seconds; SIGKILL a second later */
    uint64_t file_bytes;          /* RLIMIT_FSIZE */
    uint64_t stack_bytes;         /* RLIMIT_STACK */
    uint64_t open_files;          /* RLIMIT_NOFILE */
    uint64_t processes;           /* threads count too */
    uint64_t scratch_bytes;       /* work folder, /tmp and /dev/shm together */
    uint64_t scratch_inodes;
    uint64_t collect_file_bytes;  /* a larger result file is only described */
    uint64_t collect_total_bytes; /* so is one that does not fit the rest of this */
    uint64_t allow_missing;       /* PAWL_OPTIONAL_MECHANISMS this run does without where the machine lacks them */
    uint64_t flags;               /* PAWL_LIMITS_* */
    uint64_t wall_ns;             /* from the program's exec on */
    uint64_t until_ns;            /* CLOCK_MONOTONIC: the deadline */
};
static_assert(sizeof(struct pawl_wire_limits) == 112, "no padding");
#define PAWL_LIMITS_PROBE 1u /* build and lock the sandbox, start nothing */

enum pawl_wire_folder {
    PAWL_FOLDER_WORK = 0,    /* /home/user, the guest's own */
    PAWL_FOLDER_PROGRAM = 1, /* /run/pawl, read-only for the guest */
};

struct pawl_wire_file {
    uint32_t folder; /* enum pawl_wire_folder */
    uint32_t mode;   /* permission bits, at most 0777 */
};
static_assert(sizeof(struct pawl_wire_file) == 8, "no padding");

/* Times are CLOCK_MONOTONIC, which host and sandbox share. */
struct pawl_wire_started {
    uint64_t mechanisms; /* in force around this program */
    uint64_t created_ns; /* first instruction in the new namespaces */
    uint64_t built_ns;   /* root built, files written */
    uint64_t exec_ns;    /* just before the program's execve */
};
static_assert(sizeof(struct pawl_wire_started) == 32, "no padding");

enum pawl_stage {
    PAWL_STAGE_NONE,
    PAWL_STAGE_CONTROL,
    PAWL_STAGE_BUSY,
    PAWL_STAGE_NAMESPACES,
    PAWL_STAGE_IDENTITY,
    PAWL_STAGE_REQUEST,
    PAWL_STAGE_ROOT,
    PAWL_STAGE_BIND,
    PAWL_STAGE_PROC,
    PAWL_STAGE_FILES,
    PAWL_STAGE_LOOPBACK,
    PAWL_STAGE_CAPABILITIES,
    PAWL_STAGE_LANDLOCK,
    PAWL_STAGE_SECCOMP,
    PAWL_STAGE_LIMITS,
    PAWL_STAGE_CWD,
    PAWL_STAGE_EXEC,
};

struct pawl_wire_error {
    uint32_t stage;
    int32_t error; /* errno or 0 */
};
static_assert(sizeof(struct pawl_wire_error) == 8, "no padding");

enum pawl_exit_kind { PAWL_EXIT_STATUS = 1, PAWL_EXIT_SIGNAL = 2 };

struct pawl_wire_exit {
    uint32_t kind;   /* enum pawl_exit_kind */
    uint32_t status; /* exit status or signal number, as the kernel told init */
    uint64_t flags;  /* PAWL_EXIT_* */
    uint64_t wall_ns;
    uint64_t user_ns; /* all processes of the sandbox */
    uint64_t system_ns;
    uint64_t max_rss_bytes; /* of the largest process */
    uint64_t processes;     /* reaped in all */
};
static_assert(sizeof(struct pawl_wire_exit) == 56, "no padding");
#define PAWL_EXIT_CPU_LIMIT 1u /* ended by the kernel for cpu_ns */
#define PAWL_EXIT_LEFTOVERS 2u /* processes outlived the program and were killed */
#define PAWL_EXIT_OVERDUE 4u   /* killed by init for wall_ns or until_ns; no results are collected */

enum pawl_result_kind {
    PAWL_RESULT_REGULAR = 1, /* DATA frames follow, size bytes in all (fewer if error is set) */
    PAWL_RESULT_ABSENT,
    PAWL_RESULT_TOO_LARGE, /* size says how large; no content */
    PAWL_RESULT_SYMLINK,   /* its target as data; never followed */
    PAWL_RESULT_DIRECTORY,
    PAWL_RESULT_OTHER,      /* FIFO, socket, device */
    PAWL_RESULT_UNREADABLE, /* error says why */
};

struct pawl_wire_result {
    uint32_t index; /* which COLLECT */
    uint32_t kind;  /* enum pawl_result_kind */
    uint32_t mode;  /* permission bits */
    int32_t error;
    uint64_t size;
};
static_assert(sizeof(struct pawl_wire_result) == 24, "no padding");

struct pawl_wire_ended {
    uint32_t kind; /* how init itself ended: enum pawl_exit_kind */
    uint32_t status;
    uint64_t flags; /* PAWL_ENDED_* */
};
static_assert(sizeof(struct pawl_wire_ended) == 16, "no padding");
#define PAWL_ENDED_TAKEN_BACK 1u /* killed because the library shut the run socket down */
#define PAWL_ENDED_BY_CANCEL 2u  /* killed because of the cancel event */

/*
 * Why a path from outside is refused, or NULL: it must be relative, without NUL, empty, "." and ".." components, and
 * within the bounds above. The text reads after "path '...' ".
 */
const char *pawl_wire_path_fault(const char *path, size_t length);

#endif
