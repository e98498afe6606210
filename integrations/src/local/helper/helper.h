/* What the files of pawl-sandbox share. The helper is single-threaded; a sandbox's init is a fork of it that never
 * execs. */
#ifndef PAWL_HELPER_H
#define PAWL_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../protocol.h"
#include "request.h"

#define RUNS_MAX 512
#define GUEST_ID 1000 /* uid and gid inside */
#define GUEST_HOME "/home/user"
#define GUEST_PROGRAM "/run/pawl"

/* ---- made once at start ---- */

struct identity {
    bool distinct; /* each slot has a host uid and gid of its own: base + slot */
    uint32_t base;
    char fault[200]; /* why no identity can be given, or empty */
};
void identity_choose(struct identity *identity);
/* Writes the id maps of a child. 0 or errno. */
int identity_map(const struct identity *identity, unsigned slot, pid_t child);

enum folder_kind { FOLDER_BIND, FILE_BIND, FOLDER_SYMLINK };
struct folder {
    const char *path; /* absolute, the same outside and inside */
    enum folder_kind kind;
    char target[64]; /* FOLDER_SYMLINK */
};
#define FOLDERS_MAX 24
struct folders {
    struct folder list[FOLDERS_MAX];
    unsigned count;
};
/* Looks which system folders this machine has. */
void folders_find(struct folders *folders);

struct filter {
    void *instructions; /* struct sock_filter[] */
    unsigned short length;
};
/* [0]: allow-list of calls; [1]: arguments denied to allowed calls. 0 or errno. */
int filters_build(struct filter filters[2]);

struct helper {
    struct identity identity;
    struct folders folders;
    struct filter filters[2];
    int self_pidfd; /* readable in a child once the helper is dead */
    unsigned landlock_abi;
    uint64_t mechanisms; /* as the probe found */
    uint32_t fault_bytes;
    char fault[PAWL_WIRE_TEXT_MAX]; /* why no sandbox can be made, or what is missing */
};

/* ---- one sandbox, in its own init ---- */

struct sandbox {
    const struct helper *helper;
    struct request *request;
    int run;       /* run socket */
    int stdio[3];  /* the program's, -1 in a probe */
    int go;        /* eventfd: the id maps are written */
    int folder[2]; /* by enum pawl_wire_folder, while files are written */
    int work;      /* after pivot_root */
    uint64_t mechanisms;
    uint64_t created_ns, built_ns;
};

struct sandbox_handle {
    pid_t pid;
    int pidfd;
};
/*
 * Starts a sandbox with copies of run and stdio. The caller keeps its own. 0 or errno of the clone; *stage
 * says what failed.
 */
int sandbox_start(const struct helper *helper, unsigned slot, int run, const int stdio[3],
                  struct sandbox_handle *handle, enum pawl_stage *stage);

/* root.c: from the host's root to the guest's. files.c writes between the two. */
void root_prepare(struct sandbox *sandbox);
void root_enter(struct sandbox *sandbox);

/* files.c */
void files_receive(struct sandbox *sandbox, struct request_item *item, enum request_event event);
void files_collect(const struct sandbox *sandbox);
/* Opens a folder beneath base, made with its parents where missing, never through a symlink. -1 and errno. */
int files_open_folder(int base, const char *path);

/* message.c: receives the request; events come one by one, a bad one ends the sandbox. */
enum request_event message_next(struct sandbox *sandbox, struct request_item *item);

/* lockdown.c, landlock.c, filter.c */
void lockdown_loopback(struct sandbox *sandbox);
void lockdown_capabilities(struct sandbox *sandbox);
void lockdown_fixed_limits(struct sandbox *sandbox);
int lockdown_program_limits(const struct pawl_wire_limits *limits); /* 0 or errno; in the program */
int landlock_prepare(struct sandbox *sandbox);                      /* ruleset, or -1: without */
void filters_load(struct sandbox *sandbox);
unsigned landlock_version(void);

/* init.c: starts the program, reaps, reports, collects. Only for PID 1. */
_Noreturn void init_run(struct sandbox *sandbox, int ruleset);

/* ---- reply.c ---- */

uint64_t now_ns(void);
/* One frame from up to two pieces; blocks until sent. False: the library is gone. */
bool reply(int run, uint32_t type, const void *a, size_t a_bytes, const void *b, size_t b_bytes);
void reply_error(int run, enum pawl_stage stage, int error, const char *detail);
/* Reports and ends this sandbox. */
_Noreturn __attribute__((format(printf, 4, 5))) void sandbox_fail(const struct sandbox *sandbox, enum pawl_stage stage,
                                                                  int error, const char *format, ...);

/* explain.c: "<detail>: <error>; <remedy>". */
void explain(char *text, size_t size, enum pawl_stage stage, int error, const char *detail);

/* probe.c: makes one sandbox, fills mechanisms and fault. */
void probe(struct helper *helper);

#endif
