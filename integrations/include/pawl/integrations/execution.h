/** @file pawl/integrations/execution.h  @brief The node that runs a program in a sandbox and tells how it ended. */
#ifndef PAWL_INTEGRATIONS_EXECUTION_H
#define PAWL_INTEGRATIONS_EXECUTION_H

#include <pawl/integrations/sandbox.h>
#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/** What is hidden (see pawl/redact.h) in results, streamed output and collected files of a node. */
typedef enum pawl_execution_redaction {
    PAWL_REDACT_VALUES = 0, /**< Known values: the runtime's secrets and those of secret_env. */
    PAWL_REDACT_SHAPES,     /**< In output, logs and error also what looks like a secret. A program may print such text
                               and mean none, so whoever compares its output should not ask for this. */
    PAWL_REDACT_NOTHING,    /**< For a consumer that must see what was printed and hides by itself, such as a judge. */
} pawl_execution_redaction;

/** Zero means the default. */
typedef struct pawl_code_execution_options {
    size_t size; /**< sizeof(pawl_code_execution_options); set by the macro. */
    /** Referenced. NULL: auto, which is a local provider, made at the node's first run with that runtime's helper_path
     * and kept as long as the node. The environment is not read: an E2B key changes nothing in this version. */
    pawl_sandbox_provider *provider;
    const char *language; /**< Copied. Of inputs that name none. Default "python". */
    uint64_t timeout_ns;  /**< Of inputs that give none. Default 30 s; PAWL_ZERO and PAWL_UNLIMITED as for limits. */
    /** Copied. Used for what an input leaves out, and what is set here is also the most an input may ask for
     * (limits.wall_ns bounds its timeout). */
    const pawl_execution_limits *limits;
    uint64_t fail_on_error;   /**< Not 0: a program that did not end with outcome ok is an error (PAWL_E_FAILED,
                                 permanent),   for pipelines with fallback. Default 0: it is a result. */
    pawl_output_fn on_stdout; /**< Bytes as they arrive, see pawl_output_fn; several runs of the node at once call it at
                                 once. */
    pawl_output_fn on_stderr;
    void *user;         /**< Of both. Borrowed, must outlive the node. */
    uint64_t redaction; /**< pawl_execution_redaction. Default PAWL_REDACT_VALUES. */
    /** Copied, ends with NULL. Names of variables whose values, where env_vars has them, are secrets of that execution.
     * NULL: none. */
    const char *const *secret_env;
} pawl_code_execution_options;

/** `pawl_code_execution("run", .language = "python", .timeout_ns = PAWL_S(10))`; the name alone will do. */
#define pawl_code_execution(...) PAWL_CODE_EXECUTION_(__VA_ARGS__, .size = sizeof(pawl_code_execution_options))
#define PAWL_CODE_EXECUTION_(name, ...) pawl_code_execution_new(name, &(pawl_code_execution_options){__VA_ARGS__})

/**
 * Runs the program of its input in a fresh sandbox. A blocking leaf of type "code_execution".
 *
 * Input, a JSON object; unknown members are an error:
 *  - code: string, required (may be empty).
 *  - language: "python", "javascript" or "bash".
 *  - timeout: seconds, may be fractional; 0 is an immediate wall_timeout, negative an error.
 *  - files: {path: text | {"text": t} | {"base64": b}}, the objects also with "mode": 493 (permission bits); paths are
 *    relative to the work folder, which is where the program starts and what it imports from.
 *  - args: [string...]; stdin: string or {"base64": b}; env_vars: {name: string}; working_directory: string.
 *  - install: [string...]: not empty gives outcome denied in the local sandbox.
 *  - limits: {cpu (seconds), memory_bytes, file_bytes, processes, open_files, output_bytes, output_total_bytes,
 *    work_bytes, work_files, collect_bytes}.
 *  - collect: [path...]: files to be brought back.
 *  - secret_env: [name...]: variables of env_vars whose values are secrets of this execution, beside those of the
 *    option. A name that env_vars lacks, or a value that cannot be hidden (see pawl_runtime_add_secret()), is an error;
 *    an empty value needs no hiding.
 *
 * Output, a JSON object with exactly these members:
 *  - success: whether outcome is "ok".
 *  - outcome: a word of pawl_execution_outcome.
 *  - output: what the program wrote on stdout, as far as kept.
 *  - logs: {stdout: [text], stderr: [text]}; an empty stream is an empty list.
 *  - error: null if and only if success; else {name, value, traceback}: of an uncaught error its name, message and
 *    traceback; for any other outcome name is the outcome's word, value a sentence on what happened, traceback null.
 *  - results: [] (rich results come with sessions).
 *  - exit_status: number, null if it did not end by itself; signal: number, null if none ended it.
 *  - execution_time: seconds the program ran, without set-up and waiting.
 *  - sandbox_id: string; tier: "local"; mechanisms: [string...] in force.
 *  - timings: {queue, create, run, collect, total} in seconds.
 *  - resources: {user_cpu, system_cpu (seconds), max_rss_bytes, processes}.
 *  - bytes: {stdout: {seen, kept}, stderr: {seen, kept}}; a stream that is not clean text has a member base64 here with
 *    the exact bytes kept, and U+FFFD in output and logs.
 *  - truncated: whether a stream was cut.
 *  - files: {path: {kind, size, mode, text | base64}}; kind is a word of pawl_collected_kind; content only for files
 *    (of a symlink, its target).
 *  - limits: {timeout, cpu, memory_bytes, ...: {limit (null: none), enforced: "yes" | "per_process" | "interpreter" |
 *    "no" | "unlimited"}}: as applied, so a cpu of 0.1 is told as the 1 s that is kept.
 *    Secrets are hidden as the option redaction says: in output, logs, error, the texts of files (known values only)
 *    and, before they become base64, the bytes of streams that are no text. Files that are no text are handed out as
 *    they are. Where a stream was cut, the beginning of a known value there is hidden too. bytes and size count before
 *    hiding.
 *  - version: 1. A later version of this object may have more members; other meanings get another number.
 *
 * Errors of a run: PAWL_E_INVALID (input; the message names node, field, value and remedy), PAWL_E_LIMIT (more than
 * options.limits allow), PAWL_E_UNSUPPORTED (language, interpreter or mechanism missing), PAWL_E_NOT_FOUND (no helper),
 * PAWL_E_UNAVAILABLE (helper not starting, or lost before it told that the program runs: pawl_error_started() is NO, or
 * MAYBE; retryable, since a fresh sandbox leaves nothing behind), PAWL_E_DENIED (an audit log cannot record it, see
 * audit.h), PAWL_E_REJECTED (a budget is used up, see usage.h), PAWL_E_CANCELLED, PAWL_E_DEADLINE, PAWL_E_NOMEM; with
 * fail_on_error PAWL_E_FAILED, whose message has outcome, error and the tail of stderr. Known values and shapes are
 * hidden in it, whatever the option redaction says.
 *
 * on_stdout and on_stderr get known values hidden (not shapes), also when one comes in pieces: bytes that may be the
 * beginning of one wait for the next ones or the program's end.
 *
 * The program gets TRACEPARENT (and TRACESTATE if there is one) unless env_vars sets it. The node's span has the
 * attributes of docs/observability.md (language, SHA-256 of the code, outcome, sandbox, ...) and the children
 * sandbox.create and sandbox.run. Code and output are on spans only where pawl_runtime_set_content() allows it, 64 KiB
 * each; the environment never is.
 *
 * When somebody observes, PAWL_SPANS_FILE names a file in which the program may write spans of its own: OTLP JSON, one
 * request a line. They join the trace, marked pawl.span.source=sandbox, when they have the trace id of TRACEPARENT; at
 * most 1 MiB and 1,000 spans are read, from a regular file in the work folder, after the program has ended by itself.
 * All executions of one trace in a runtime share 10,000 spans and 8 MiB; what is beyond is dropped and counted on the
 * node's span (the last 256 traces are remembered). Times outside the node's own are moved into it. The file counts
 * against limits.collect_bytes and is no part of the result.
 *
 * @param name     Copied.
 * @param options  Copied. NULL for the defaults.
 * @return New reference, never NULL: a failed primitive for an unknown option or language, or limits that must be
 * finite and are not.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_code_execution_new(const char *name,
                                                                const pawl_code_execution_options *options);

/** @return The output object described above, made of a result; new reference or NULL without memory. */
PAWL_API PAWL_NODISCARD pawl_value *pawl_execution_result_value(const pawl_execution_result *result);

PAWL_END_DECLS
#endif
