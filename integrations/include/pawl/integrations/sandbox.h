/** @file pawl/integrations/sandbox.h  @brief Where untrusted programs run: one interface, several providers.
 *
 * A provider makes sandboxes; a sandbox runs programs. Both are counted handles over vtables that grow at their end:
 * a slot that a provider does not have (NULL, or beyond its size) answers PAWL_E_UNSUPPORTED and says so. Commands,
 * files, watch, metrics, pause, resume and sessions are slots to come.
 *
 * Every call here blocks, obeys ctx (cancellation and deadline end it within milliseconds), and may be made on any
 * thread, many at once, unless said otherwise. A failing program is a result and not an error.
 */
#ifndef PAWL_INTEGRATIONS_SANDBOX_H
#define PAWL_INTEGRATIONS_SANDBOX_H

#include <pawl/context.h>

PAWL_BEGIN_DECLS

typedef struct pawl_sandbox_provider pawl_sandbox_provider;
typedef struct pawl_sandbox pawl_sandbox;

/* ---- How a program ended ---- */

/**
 * Closed set, ordered and numbered for good. check_failed, exception, memory_limit and process_limit rest on the
 * program's own words (what its interpreter printed last on stderr, together with its status): a program can make them
 * up. ok, nonzero_exit, signalled, cpu_limit and whatever says "killed" rest on the kernel's word and on our own deeds.
 */
typedef enum pawl_execution_outcome {
    PAWL_EXECUTION_OK = 0,
    PAWL_EXECUTION_CHECK_FAILED,      /**< A test's assertion failed: AssertionError, assert of node, or a judge. */
    PAWL_EXECUTION_NONZERO_EXIT,      /**< The program's own status. */
    PAWL_EXECUTION_EXCEPTION,         /**< Uncaught error of the language, a syntax error included; see error_name. */
    PAWL_EXECUTION_SIGNALLED,         /**< Killed by a signal that we did not send. */
    PAWL_EXECUTION_WALL_TIMEOUT,      /**< Killed: limits.wall_ns. */
    PAWL_EXECUTION_CPU_LIMIT,         /**< Killed: limits.cpu_ns. */
    PAWL_EXECUTION_MEMORY_LIMIT,      /**< Said to have run out of memory under limits.memory_bytes. */
    PAWL_EXECUTION_OUTPUT_LIMIT,      /**< Killed: limits.output_total_bytes. */
    PAWL_EXECUTION_PROCESS_LIMIT,     /**< Failed after limits.processes refused it a process or thread. */
    PAWL_EXECUTION_DENIED,            /**< Policy: nothing ran; detail has the remedy. */
    PAWL_EXECUTION_COMPILE_ERROR,     /**< A compiler's. */
    PAWL_EXECUTION_SPAWN_ERROR,       /**< The program could not be started in its sandbox. */
    PAWL_EXECUTION_SANDBOX_LOST,      /**< The sandbox died under the running program. */
    PAWL_EXECUTION_SANDBOX_NOT_READY, /**< A cloud sandbox did not come up. */
    PAWL_EXECUTION_TRANSPORT_ERROR,   /**< The connection broke while the program ran. */
    PAWL_EXECUTION_RATE_LIMITED,
    PAWL_EXECUTION_QUOTA,
    PAWL_EXECUTION_CANCELLED, /**< Killed: scope cancelled or its deadline passed, or pawl_sandbox_kill(). */
    PAWL_EXECUTION_INTERNAL,
    PAWL_EXECUTION_OUTCOME_COUNT_
} pawl_execution_outcome;

/** @return Static lower-case word for JSON and spans, e.g. "wall_timeout"; "unknown" for an unknown number. */
PAWL_API const char *pawl_execution_outcome_word(pawl_execution_outcome outcome);
/** @return The outcome of a word, PAWL_EXECUTION_OUTCOME_COUNT_ for any other text or NULL. */
PAWL_API pawl_execution_outcome pawl_execution_outcome_of(const char *word);

/* ---- Limits ---- */

/** Zero means the default, PAWL_UNLIMITED no limit, PAWL_ZERO really none of it. */
typedef struct pawl_execution_limits {
    size_t size;      /**< sizeof(pawl_execution_limits). */
    uint64_t wall_ns; /**< From the program's start. Default 30 s; PAWL_ZERO is an immediate wall_timeout. */
    uint64_t cpu_ns;  /**< CPU time; local: per process, rounded up to whole seconds, at least 1. Default: no limit. */
    /** Local: address space per process; node: its heap. Default 2 GiB. Less than the interpreter needs to start
     * (Python 16 MiB, JavaScript and bash 8 MiB), 0 included, is PAWL_E_INVALID; more than there is, is no limit. */
    uint64_t memory_bytes;
    uint64_t file_bytes;         /**< Largest file the program can write. Default 64 MiB. */
    uint64_t processes;          /**< Processes and threads at once. Default 64. */
    uint64_t open_files;         /**< Descriptors per process. Default 256. */
    uint64_t output_bytes;       /**< Of each stream that is kept in the result. Default 1 MiB, at most 1 GiB. */
    uint64_t output_total_bytes; /**< Of both streams together; more ends the program (output_limit). Default 64 MiB. */
    uint64_t work_bytes;         /**< Work folder, /tmp and /dev/shm together; must be finite. Default 256 MiB. */
    uint64_t work_files;         /**< Files and folders there; must be finite. Default 16,384. */
    uint64_t collect_bytes;      /**< Of all collected files; must be finite. Default 16 MiB, at most 1 GiB. */
} pawl_execution_limits;

typedef enum pawl_limit {
    PAWL_LIMIT_WALL = 0,
    PAWL_LIMIT_CPU,
    PAWL_LIMIT_MEMORY,
    PAWL_LIMIT_FILE,
    PAWL_LIMIT_PROCESSES,
    PAWL_LIMIT_OPEN_FILES,
    PAWL_LIMIT_OUTPUT,
    PAWL_LIMIT_OUTPUT_TOTAL,
    PAWL_LIMIT_WORK,
    PAWL_LIMIT_WORK_FILES,
    PAWL_LIMIT_COLLECT,
    PAWL_LIMIT_COUNT_
} pawl_limit;

/** @return Static name as in JSON: "timeout", "cpu", "memory_bytes", ...; "unknown". */
PAWL_API const char *pawl_limit_name(pawl_limit limit);

typedef enum pawl_enforcement {
    PAWL_NOT_ENFORCED = 0,       /**< This machine or provider cannot. */
    PAWL_ENFORCED_PER_PROCESS,   /**< Each process for itself: a program with many gets many times as much. */
    PAWL_ENFORCED,               /**< For the sandbox as a whole. */
    PAWL_ENFORCED_NOT_ASKED,     /**< There was no limit to enforce. */
    PAWL_ENFORCED_BY_INTERPRETER /**< The interpreter keeps it, not the kernel: a hostile program can get around it. */
} pawl_enforcement;

/** @return Static word: "no", "per_process", "yes", "unlimited", "interpreter"; "unknown". */
PAWL_API const char *pawl_enforcement_word(pawl_enforcement enforcement);

/* ---- What is to be run ---- */

typedef struct pawl_execution_file {
    const char *path;  /**< Relative to the work folder: no "..", no "." and no empty parts. */
    const void *bytes; /**< Any; NULL if length is 0. */
    uint64_t length;
    uint64_t mode; /**< Permission bits; 0 means 0644. */
} pawl_execution_file;

/**
 * Bytes of a stream as they arrive, before anything is cut, in order within a stream. On the thread that runs the
 * program, so a slow callback slows the program down. One that blocks holds up the call, not the program's end: wall
 * limit, deadline and cancellation kill the program all the same (100 ms later). Must not call into the sandbox.
 * @param bytes  Borrowed during the call; any bytes, cut anywhere.
 */
typedef void (*pawl_output_fn)(void *user, const void *bytes, size_t length);

typedef struct pawl_execution_handlers {
    size_t size;                    /**< sizeof(pawl_execution_handlers). */
    pawl_output_fn on_stdout;       /**< Optional. */
    pawl_output_fn on_stderr;       /**< Optional. */
    void *user;                     /**< Borrowed during the run. */
    void (*on_started)(void *user); /**< Optional. The sandbox is ready and the program begins: at most once. */
} pawl_execution_handlers;

/** Everything is borrowed during the call. Lists have counts and need no end mark. */
typedef struct pawl_execution_request {
    size_t size;          /**< sizeof(pawl_execution_request). */
    const char *language; /**< "python", "javascript" or "bash" (local; also "py", "python3", "js", "node", "sh"). */
    const void *code;     /**< Any bytes; refused by the interpreter, not by pawl, if they are no program. */
    uint64_t code_length;
    const char *const *args; /**< Arguments after the program's name. */
    uint64_t arg_count;
    const char *const *env; /**< "NAME=value"; the program's environment is otherwise empty but for PATH, HOME, ... */
    uint64_t env_count;
    const void *stdin_bytes;
    uint64_t stdin_length;
    const pawl_execution_file *files; /**< Put into the work folder first. */
    uint64_t file_count;
    /** Paths in the work folder to be brought back when the program has ended by itself; after a kill all are absent.
     */
    const char *const *collect;
    uint64_t collect_count;
    const char *const *install; /**< Packages. Local: refused with outcome denied. */
    uint64_t install_count;
    const char *working_directory;           /**< Relative to the work folder; NULL: the work folder. */
    const pawl_execution_limits *limits;     /**< NULL: the provider's defaults. */
    const pawl_execution_handlers *handlers; /**< NULL: none. */
} pawl_execution_request;

/* ---- What came of it ---- */

typedef struct pawl_execution_stream {
    uint64_t bytes_seen; /**< Written by the program; a kill ends the count. */
    uint64_t bytes_kept;
    char *bytes; /**< bytes_kept bytes, then a NUL that is not counted. Never NULL. */
} pawl_execution_stream;

typedef enum pawl_collected_kind {
    PAWL_COLLECTED_FILE = 0,
    PAWL_COLLECTED_ABSENT,
    PAWL_COLLECTED_TOO_LARGE, /**< Over what was left of collect_bytes: no content. */
    PAWL_COLLECTED_SYMLINK,   /**< bytes is its target; never followed. */
    PAWL_COLLECTED_FOLDER,
    PAWL_COLLECTED_OTHER,      /**< FIFO, socket or device: never opened. */
    PAWL_COLLECTED_UNREADABLE, /**< Or leads through a symlink or out of the work folder. */
} pawl_collected_kind;

/** @return Static word: "file", "absent", "too_large", "symlink", "folder", "other", "unreadable"; "unknown". */
PAWL_API const char *pawl_collected_kind_word(pawl_collected_kind kind);

typedef struct pawl_collected_file {
    char *path;
    uint64_t kind; /**< pawl_collected_kind. */
    uint64_t mode; /**< Permission bits. */
    uint64_t size; /**< As the file system says. */
    uint64_t length;
    char *bytes; /**< length bytes, then a NUL that is not counted. Never NULL. */
} pawl_collected_file;

/** Durations in nanoseconds on the monotonic clock. */
typedef struct pawl_execution_timings {
    uint64_t queue_ns;   /**< Waiting for a slot. */
    uint64_t create_ns;  /**< Sandbox made, files written, up to the program's exec. */
    uint64_t run_ns;     /**< The program alone. */
    uint64_t collect_ns; /**< After its end: files, and all its processes gone. */
    uint64_t total_ns;   /**< The whole call. */
} pawl_execution_timings;

typedef struct pawl_execution_resources {
    uint64_t user_cpu_ns;
    uint64_t system_cpu_ns;
    uint64_t max_rss_bytes; /**< Of the largest process. */
    uint64_t processes;     /**< That ended in all. 0: not known. */
} pawl_execution_resources;

/** Made by pawl_execution_result_new() alone, so it may grow; free with pawl_execution_result_free(). */
typedef struct pawl_execution_result {
    size_t size;
    uint64_t outcome;    /**< pawl_execution_outcome. */
    int64_t exit_status; /**< -1 unless the program ended by itself. */
    int64_t signal;      /**< 0 unless a signal ended it. */
    uint64_t started;    /**< Whether the program began to run. */
    char *detail;        /**< One sentence on what ended it and what to do; NULL for ok. */
    char *error_name;    /**< Of an uncaught error, as the language names it, e.g. "ZeroDivisionError"; NULL: none. */
    char *error_value;   /**< Its message; NULL: none. */
    char *traceback;     /**< Traceback or stack as printed, bounded; NULL: none. Texts here are UTF-8. */
    pawl_execution_stream stdout_stream, stderr_stream;
    uint64_t truncated; /**< Whether either stream was cut. */
    pawl_collected_file *files;
    uint64_t file_count;
    pawl_execution_timings timings;
    pawl_execution_resources resources;
    pawl_execution_limits limits;         /**< As applied; PAWL_UNLIMITED for none, real zeroes. */
    uint64_t enforced[PAWL_LIMIT_COUNT_]; /**< pawl_enforcement by pawl_limit. */
    const char *tier;                     /**< Static: "local", "e2b". */
    char *mechanisms;                     /**< What held the program, comma-separated; NULL: not known. */
    char *missing;                        /**< What this machine lacks of it; NULL: nothing. */
    char *sandbox_id;
} pawl_execution_result;

/** For providers. @return New result with empty streams and outcome internal, or NULL without memory. */
PAWL_API PAWL_NODISCARD pawl_execution_result *pawl_execution_result_new(void);
/** NULL allowed. Texts and arrays are released with free(). */
PAWL_API void pawl_execution_result_free(pawl_execution_result *result);

/* ---- Sandbox ---- */

/** A provider's part of a sandbox. */
typedef struct pawl_sandbox_vtable {
    size_t size; /**< sizeof(pawl_sandbox_vtable). */
    /**
     * Required. Runs a program to its end and that of all it started. Any thread, blocks, obeys ctx: a scope that ends
     * while the program runs kills it and gives the outcome cancelled.
     * @param ret_result  New result, set only on success.
     */
    pawl_status (*run_code)(void *self, pawl_context *ctx, const pawl_execution_request *request,
                            pawl_execution_result **ret_result, pawl_error **err);
    /** Required. Ends the sandbox and what runs in it; idempotent. Any thread, beside run_code; may block shortly. */
    pawl_status (*kill)(void *self, pawl_context *ctx, pawl_error **err);
    /** Required. Once, with the last reference, on any thread; no other call is active. Ends the sandbox. */
    void (*destroy)(void *self);
    /* To come, all optional: commands, files, watch, metrics, set_timeout, pause, resume, contexts. */
} pawl_sandbox_vtable;

/**
 * For providers.
 * @param vtable  Borrowed, must outlive the sandbox.
 * @param self    Taken, also on failure (destroy is called).
 * @param id      Copied.
 * @return New reference or NULL without memory.
 */
PAWL_API PAWL_NODISCARD pawl_sandbox *pawl_sandbox_new(const pawl_sandbox_vtable *vtable, void *self, const char *id);
/** @return sandbox, a new reference. NULL allowed. */
PAWL_API pawl_sandbox *pawl_sandbox_ref(pawl_sandbox *sandbox);
/** Gives one reference back; the last one ends the sandbox. NULL allowed. @return NULL. */
PAWL_API pawl_sandbox *pawl_sandbox_unref(pawl_sandbox *sandbox);
/** @return Borrowed id; "" for NULL. */
PAWL_API const char *pawl_sandbox_id(const pawl_sandbox *sandbox);
/**
 * Runs a program. Errors: PAWL_E_INVALID (the request; the message names the field), PAWL_E_UNSUPPORTED (language,
 * missing interpreter or mechanism, a second program in a local sandbox), PAWL_E_UNAVAILABLE (helper or sandbox lost
 * before it told that the program runs; pawl_error_started() is NO, or MAYBE), PAWL_E_CANCELLED and PAWL_E_DEADLINE
 * (the scope was over before), PAWL_E_DENIED (an audit log of the runtime cannot record it), PAWL_E_REJECTED (a budget
 * of the runtime is used up), PAWL_E_NOMEM.
 * @param request     Borrowed during the call.
 * @param ret_result  New result, set only on success; to be freed.
 */
PAWL_API pawl_status pawl_sandbox_run_code(pawl_sandbox *sandbox, pawl_context *ctx,
                                           const pawl_execution_request *request, pawl_execution_result **ret_result,
                                           pawl_error **err);
/** Ends the sandbox and what runs in it: a run_code in progress returns with outcome cancelled. Idempotent. */
PAWL_API pawl_status pawl_sandbox_kill(pawl_sandbox *sandbox, pawl_context *ctx, pawl_error **err);

/* ---- Provider ---- */

/** Zero means the default. */
typedef struct pawl_sandbox_options {
    size_t size;          /**< sizeof(pawl_sandbox_options). */
    uint64_t lifetime_ns; /**< Cloud: ends by itself after this. Local: lives until its program has ended. */
} pawl_sandbox_options;

/** One sandbox of a list; borrowed during the call. */
typedef struct pawl_sandbox_info {
    size_t size;
    const char *id;
    uint64_t age_ns;
    uint64_t running; /**< Programs that run in it now. */
} pawl_sandbox_info;

/** @return false to stop the listing. Must not call into the provider. */
typedef bool (*pawl_sandbox_visit)(void *user, const pawl_sandbox_info *info);

/** A provider. Slots may block, obey ctx, and are called on any thread, several at once. */
typedef struct pawl_sandbox_provider_vtable {
    size_t size;           /**< sizeof(pawl_sandbox_provider_vtable). */
    const char *type_name; /**< Static: "local", "e2b". */
    /** Required. @param options NULL for the defaults. @param ret_sandbox New reference, set only on success. */
    pawl_status (*create)(void *self, pawl_context *ctx, const pawl_sandbox_options *options,
                          pawl_sandbox **ret_sandbox, pawl_error **err);
    /** Optional. A further reference to a sandbox that exists; PAWL_E_NOT_FOUND. */
    pawl_status (*connect)(void *self, pawl_context *ctx, const char *id, pawl_sandbox **ret_sandbox, pawl_error **err);
    /** Optional. Tells the sandboxes that exist, in any order. */
    pawl_status (*list)(void *self, pawl_context *ctx, pawl_sandbox_visit visit, void *user, pawl_error **err);
    /** Optional. Ends a sandbox by id; PAWL_E_NOT_FOUND. */
    pawl_status (*kill)(void *self, pawl_context *ctx, const char *id, pawl_error **err);
    /** Required. Once, with the last reference (sandboxes hold none by themselves: the provider's own business). */
    void (*destroy)(void *self);
    /* To come, all optional: pools, templates. */
} pawl_sandbox_provider_vtable;

/** For providers. @param vtable Borrowed, must outlive the provider. @param self Taken, also on failure. @return New
 * reference or NULL without memory. */
PAWL_API PAWL_NODISCARD pawl_sandbox_provider *pawl_sandbox_provider_new(const pawl_sandbox_provider_vtable *vtable,
                                                                         void *self);
/** @return provider, a new reference. NULL allowed. */
PAWL_API pawl_sandbox_provider *pawl_sandbox_provider_ref(pawl_sandbox_provider *provider);
/** Gives one reference back. NULL allowed. @return NULL. */
PAWL_API pawl_sandbox_provider *pawl_sandbox_provider_unref(pawl_sandbox_provider *provider);
/** @return Static type name; "" for NULL. */
PAWL_API const char *pawl_sandbox_provider_type(const pawl_sandbox_provider *provider);
/** Makes a sandbox. @param options Borrowed, NULL for the defaults. @param ret_sandbox New reference, set only on
 * success. */
PAWL_API pawl_status pawl_sandbox_create(pawl_sandbox_provider *provider, pawl_context *ctx,
                                         const pawl_sandbox_options *options, pawl_sandbox **ret_sandbox,
                                         pawl_error **err);
/** Finds a sandbox again. @param ret_sandbox New reference, set only on success. PAWL_E_NOT_FOUND. */
PAWL_API pawl_status pawl_sandbox_connect(pawl_sandbox_provider *provider, pawl_context *ctx, const char *id,
                                          pawl_sandbox **ret_sandbox, pawl_error **err);
PAWL_API pawl_status pawl_sandbox_list(pawl_sandbox_provider *provider, pawl_context *ctx, pawl_sandbox_visit visit,
                                       void *user, pawl_error **err);
/** Ends a sandbox by id. PAWL_E_NOT_FOUND. */
PAWL_API pawl_status pawl_sandbox_kill_id(pawl_sandbox_provider *provider, pawl_context *ctx, const char *id,
                                          pawl_error **err);
/** Creates a fresh sandbox, runs one program in it and ends it: pawl_sandbox_create(), _run_code() and _kill(). */
PAWL_API pawl_status pawl_sandbox_run_once(pawl_sandbox_provider *provider, pawl_context *ctx,
                                           const pawl_execution_request *request, pawl_execution_result **ret_result,
                                           pawl_error **err);

PAWL_END_DECLS
#endif
