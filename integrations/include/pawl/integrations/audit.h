/** @file pawl/integrations/audit.h  @brief A record of every code execution: who, what, when, under which limits, and
 * how it ended.
 *
 * Not telemetry: it does not depend on sampling, it is written on the thread of the execution, and a record that is
 * lost is counted, leaves a gap in seq, and can be made to keep the program from running (fail_closed).
 *
 * A record is one line of JSON, secrets hidden as in logs (pawl/redact.h), with exactly these members:
 *  - log: 16 hexadecimal digits, drawn when the log was attached; seq: 1, 2, 3, ... in it; version: 1.
 *  - event: "end"; with fail_closed also "begin", before anything starts. What is only known at the end is null there.
 *  - execution: 16 hexadecimal digits, the same in begin and end.
 *  - time: when the record was made, RFC 3339 in UTC with nanoseconds.
 *  - subject: the context's tag subject_tag; null when it has none. Children and detached contexts inherit tags.
 *  - trace_id, span_id (null when nothing observes), correlation_id, causation_id, workflow_id, session_id (or null).
 *  - node: name of the code-execution node, null for pawl_sandbox_run_once() and its like; provider; language.
 *  - code: {sha256: 64 hexadecimal digits, pawl.code.digest of its span; bytes}.
 *  - files: [name...] put in; env: [name...]; install: [name...]. Neither contents nor values are ever recorded.
 *  - outcome: a word of pawl_execution_outcome, of an execution without a result the status word, such as
 * "unavailable"; "denied" and "rejected" are those that this log or a budget refused.
 *  - error: null, or the message of an execution without a result.
 *  - exit_status, signal: as in the node's output; tier, sandbox_id: of the result, else null.
 *  - limits: as in the node's output: as applied, with enforcement; null without a result.
 *  - duration: seconds of the whole call; cpu: seconds, user and system; null without a result.
 * An input that the node or the provider refuses to read is no execution, though one that was handed to the provider is
 * recorded with outcome "invalid".
 */
#ifndef PAWL_INTEGRATIONS_AUDIT_H
#define PAWL_INTEGRATIONS_AUDIT_H

#include <pawl/runtime.h>

PAWL_BEGIN_DECLS

/** Gets one record: a line of JSON with its '\n'; one call at a time. @param record Borrowed, length bytes and a NUL.
 * @return Whether it is kept; false counts as lost. May block, which holds up the execution; must not call into pawl.
 */
typedef bool (*pawl_audit_write)(void *user, const char *record, size_t length);

/** Zero means the default. */
typedef struct pawl_audit_options {
    size_t size; /**< sizeof(pawl_audit_options); set by the macro. */
    /** Either this or write. Appended to, made with mode 0600; every record is one write(2), so that several processes
     * may share a local file. A regular file or a character device, no symbolic link; rotate by copy and truncate:
     * records for a file that was deleted are lost. */
    const char *path;
    pawl_audit_write write;
    void *user;              /**< Of write. Borrowed, must outlive the runtime and its contexts. */
    const char *subject_tag; /**< Copied. Default "subject". */
    uint64_t sync;           /**< Not 0: the file is synced to disk with each record (fdatasync). */
    /** Not 0: a begin record is written first, and when it cannot be the execution is refused with PAWL_E_DENIED and
     * nothing starts. An end record may still be lost: it is counted, and seq shows it. */
    uint64_t fail_closed;
} pawl_audit_options;

/** `pawl_audit(runtime, &err, .path = "audit.jsonl", .fail_closed = 1)` */
#define pawl_audit(runtime, ...) PAWL_AUDIT_(runtime, __VA_ARGS__, .size = sizeof(pawl_audit_options))
#define PAWL_AUDIT_(runtime, err, ...) pawl_audit_attach(runtime, &(pawl_audit_options){__VA_ARGS__}, err)

/**
 * Attaches an audit log to a runtime, for good; executions that begin later are recorded. Any thread; several logs may
 * be attached.
 * @param options  Copied.
 * @return PAWL_OK, PAWL_E_INVALID (neither or both of path and write, a path that is no file, or a symbolic link),
 * PAWL_E_DENIED or PAWL_E_NOT_FOUND or PAWL_E_FAILED (the file cannot be opened; the message says why), PAWL_E_NOMEM.
 */
PAWL_API pawl_status pawl_audit_attach(pawl_runtime *runtime, const pawl_audit_options *options, pawl_error **err);

/** Of all audit logs of a runtime. */
typedef struct pawl_audit_stats {
    size_t size;      /**< sizeof(pawl_audit_stats); set by the caller. */
    uint64_t written; /**< Records. */
    uint64_t lost;    /**< Records that could not be written. The first of a series is logged (PAWL_LOG_ERROR). */
    uint64_t denied;  /**< Executions refused because of that. */
} pawl_audit_stats;

/** @param ret_stats Its size is read, its other fields are set. NULL: nothing happens. Any thread. */
PAWL_API void pawl_audit_get_stats(pawl_runtime *runtime, pawl_audit_stats *ret_stats);

PAWL_END_DECLS
#endif
