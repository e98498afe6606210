/** @file pawl/integrations/fix.h  @brief generate -> execute -> fix for programs: judges, feedback, generators, and
 * pawl_fix, which composes them.
 *
 * pawl_refine() is the loop; this is what it needs to know about code. All of it works on the values of
 * pawl_code_execution(): "execution value" below is that node's output.
 */
#ifndef PAWL_INTEGRATIONS_FIX_H
#define PAWL_INTEGRATIONS_FIX_H

#include <pawl/primitives/refine.h>

PAWL_BEGIN_DECLS

/* ---- Judges ---- */

/** Immutable, counted, any thread. Constructors never return NULL: a failed judge says so when it judges. */
typedef struct pawl_judge pawl_judge;

/** Passes when the outcome is "ok". @param name Copied, cut at 31 bytes; the check's name in records. */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_outcome(const char *name);
/** Passes when the program ended by itself with this status. */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_exit_status(const char *name, int status);
/** Passes when standard output is this text. White space at line ends and empty lines at the end do not count.
 * @param expected Copied. */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_output(const char *name, const char *expected);
/** Passes when standard error matches a POSIX extended regular expression. @param pattern Copied. A bad one makes a
 * failed judge (PAWL_E_INVALID when it judges). @param negated Passes when it does not match. */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_stderr(const char *name, const char *pattern, bool negated);
/** Passes when the program was a test and nothing failed in it: outcome "ok"; no line of standard error that begins
 * with "Assertion failed", which JavaScript's console.assert prints before the program exits with 0; and, where the
 * execution value has a member "completed" (pawl_fix_new() adds it), that is not false. Both of these are outcome
 * "check_failed" in the record. An execution without that member need not prove that the test ran to its end. */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_test(const char *name);

/**
 * Judges by a C function.
 * @param result       The execution value, borrowed.
 * @param ret_message  Why not, at most 95 bytes with NUL; "" before the call.
 * @return Whether it passes. Must not block.
 */
typedef bool (*pawl_judge_callback_fn)(void *user, const pawl_value *candidate, const pawl_value *result,
                                       char ret_message[96]);
/** @param user Borrowed, must outlive the judge. */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_callback(const char *name, pawl_judge_callback_fn fn, void *user);

/** Passes when all of them do; the score is the passed part of them. @param judges Each taken; ends with NULL; 1 to
 * PAWL_VERDICT_CHECKS (PAWL_E_LIMIT when it judges), none of them made by this function (PAWL_E_INVALID). */
PAWL_API PAWL_NODISCARD pawl_judge *pawl_judge_all(pawl_judge *const *judges);
#define PAWL_JUDGES(...) ((pawl_judge *const[]){__VA_ARGS__, NULL})

PAWL_API pawl_judge *pawl_judge_ref(pawl_judge *judge);
PAWL_API pawl_judge *pawl_judge_unref(pawl_judge *judge); /**< @return NULL. */

/**
 * A pawl_judge_fn for pawl_refine(): `.judge = pawl_judge_run, .user = judge` (a pawl_judge, borrowed). Fills the whole
 * verdict from the execution value: checks by name, outcome, signature (pawl_error_signature()), exit status, bytes of
 * both streams, timings, and trimmed output {"stdout", "stderr", "error"} (2,000 bytes each). A score is between 0
 * and 1: the part of checks passed, and half a check for a program that ran to a failed check. sandbox_lost,
 * spawn_error, sandbox_not_ready, transport_error, rate_limited, quota and internal are infrastructure. Checks are made
 * on the value as it is; messages, signature and output of the verdict have secrets hidden, as in pawl_feedback_text().
 * PAWL_E_PROTOCOL when the value is no execution value.
 */
PAWL_API pawl_status pawl_judge_run(void *judge, pawl_value *candidate, const pawl_outcome *outcome,
                                    pawl_verdict *ret_verdict, pawl_error **err);

/* ---- Feedback ---- */

/** Zero means the default. */
typedef struct pawl_feedback_options {
    size_t size;        /**< sizeof(pawl_feedback_options). */
    uint64_t max_bytes; /**< Of the whole text. Default 4,000, at least 512. */
} pawl_feedback_options;

/**
 * Words how a program ended, for whoever writes the next one. First come, whatever is cut: the outcome, the exit status
 * or signal, the time, and the last line of the exception. Then stderr and stdout: repeated blocks of lines (frames of
 * a recursion) collapsed into one and a count; the head and the tail kept on line ends and never inside a character;
 * each gap names the bytes left out, and each stream the bytes the program wrote where the sandbox kept fewer.
 * Secrets are hidden before anything is cut (see pawl/redact.h): shapes, and inside a run its runtime's known values.
 * @param result   An execution value, borrowed. Anything else gives its JSON, cut.
 * @param options  NULL for the defaults.
 * @return New text, valid UTF-8, at most max_bytes, released with free(); NULL without memory. Any thread.
 */
PAWL_API PAWL_NODISCARD char *pawl_feedback_text(const pawl_value *result, const pawl_feedback_options *options);
/** A pawl_refine_feedback that uses it with the defaults; user is ignored. */
PAWL_API pawl_status pawl_feedback_for_refine(void *user, const pawl_attempt *attempt, pawl_value *candidate,
                                              pawl_value *result, char **ret_text, pawl_error **err);

#define PAWL_SIGNATURE_BYTES 128 /**< Text and NUL; fits pawl_verdict.signature. */
/**
 * Writes an error's signature: outcome word, error's name, and its message with all that changes from run to run
 * replaced (addresses, paths but for the last part, times and dates, durations, process ids, other numbers of four and
 * more digits, white space). Equal errors have equal signatures; "" for outcome "ok".
 * @param result    An execution value, borrowed. @param ret_text Valid UTF-8; a longer one is cut and ends in a hash of
 * the whole.
 */
PAWL_API void pawl_error_signature(const pawl_value *result, char ret_text[PAWL_SIGNATURE_BYTES]);

/* ---- Generators: ordinary primitives that answer pawl_refine()'s generator input ---- */

/** Zero means the default. */
typedef struct pawl_mutator_generator_options {
    size_t size;             /**< sizeof(pawl_mutator_generator_options); set by the macro. */
    uint64_t batch;          /**< Candidates of one answer. Default 64, at most 4,096. */
    uint64_t max_candidates; /**< Of one run. Default 1,000, at most 20,000. */
} pawl_mutator_generator_options;

#define pawl_mutator_generator(...) PAWL_MUTATOR_GENERATOR_(__VA_ARGS__, .size = sizeof(pawl_mutator_generator_options))
#define PAWL_MUTATOR_GENERATOR_(name, ...)                                                                             \
    pawl_mutator_generator_new(name, &(pawl_mutator_generator_options){__VA_ARGS__})

/**
 * A generator that needs no model: single edits of the program, likely repairs first. Reads input.program,
 * input.language and input.hints ([{"line", "weight"}], optional) and round; answer n is batch n of the candidates
 * {"program", "description", "line"}, the last one with done. Without state: the same input gives the same answer.
 * A run's errors: PAWL_E_INVALID when the input is no such object, PAWL_E_NOMEM. `pawl_mutator_generator("mutate",
 * .batch = 32)`
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_mutator_generator_new(const char *name,
                                                                   const pawl_mutator_generator_options *options);

/** Bytes of a command's stderr as they come. Any thread, several at once. @param bytes Borrowed. */
typedef void (*pawl_command_stderr)(void *user, const char *bytes, size_t length);

/** Zero means the default. */
typedef struct pawl_command_generator_options {
    size_t size;             /**< sizeof(pawl_command_generator_options); set by the macro. */
    const char *const *argv; /**< Required, copied: program (found in PATH) and arguments, ends with NULL. */
    const char *const *env;  /**< Copied: "KEY=value", ends with NULL. NULL: the host's environment as it is then. */
    uint64_t timeout_ns;     /**< Of one answer. Default 2 min; PAWL_UNLIMITED: the scope's deadline alone. */
    uint64_t max_line_bytes; /**< Of one answer. Default 16 MiB. */
    uint64_t max_processes;  /**< Runs served at once. Default 8, at most 1,024. */
    pawl_command_stderr on_stderr; /**< NULL: discarded. */
    void *user;                    /**< Of on_stderr. Borrowed, must outlive the node. */
} pawl_command_generator_options;

#define pawl_command_generator(...) PAWL_COMMAND_GENERATOR_(__VA_ARGS__, .size = sizeof(pawl_command_generator_options))
#define PAWL_COMMAND_GENERATOR_(name, ...)                                                                             \
    pawl_command_generator_new(name, &(pawl_command_generator_options){__VA_ARGS__})

/**
 * A generator that is an external command speaking JSON lines, so that any model can be plugged in.
 *
 * Protocol. The command is started at the first request and lives on for later ones. A request is one line of JSON on
 * its standard input, the generator's input of pawl_refine() with "version": 1 added: {"version", "input": {"program",
 * "language", "file", "test", ...}, "round", "attempts", "feedback", "best"}. It answers with exactly one line of JSON
 * on its standard output: a program's text as a JSON string, {"program": text, "description"?: text}, {"candidates":
 * [of these]}, {"done": true} or null. Requests are complete in themselves: the command needs no memory, and a request
 * may reach another process of the same command. The standard input is a socket; its end means: finish. A command that
 * exits after an answer is started again for the next request.
 *
 * Each process serves one request at a time; idle ones are kept for the next, at most max_processes in all. The command
 * gets a process group of its own. It is killed (SIGKILL, the whole group) and reaped when its request is cancelled or
 * its answer is late or no answer; when the node is destroyed, its standard input is closed and what has not ended
 * within 100 ms is killed. The host is never forked and gets no SIGPIPE.
 *
 * A run's errors: PAWL_E_NOT_FOUND or PAWL_E_DENIED (the command cannot be started, or a shell says so by status 127 or
 * 126), PAWL_E_UNAVAILABLE (it exited before its answer, or no process can be made; the message has its exit status and
 * the last line of its stderr), PAWL_E_PROTOCOL (the answer is no JSON, or more than one line), PAWL_E_LIMIT (the line
 * is too long), PAWL_E_REJECTED (max_processes are busy), PAWL_E_TIMEOUT, PAWL_E_CANCELLED, PAWL_E_DEADLINE,
 * PAWL_E_NOMEM. `pawl_command_generator("model", .argv = (const char *const[]){"my-model", "--json", NULL})`
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_command_generator_new(const char *name,
                                                                   const pawl_command_generator_options *options);

/* ---- The whole ---- */

/** Zero means the default. */
typedef struct pawl_fix_options {
    size_t size;             /**< sizeof(pawl_fix_options); set by the macro. */
    const char *language;    /**< Copied. Of inputs that name none. Default "python". */
    uint64_t timeout_ns;     /**< Of one execution: a mutated loop may never end. Default 2 s. */
    uint64_t max_rounds;     /**< Default: 5 with a generator of yours, no bound with the mutator, which ends itself. */
    uint64_t max_attempts;   /**< Executions of candidates. Default 1,000; PAWL_UNLIMITED for no bound. */
    uint64_t max_elapsed_ns; /**< Of the loop. Default: no bound. */
    double max_cost;         /**< As the generator reports it. Default: no bound. */
    uint64_t max_concurrency; /**< Executions at once. Default: as many as processors are online. */
    uint64_t max_repeats;     /**< See pawl_refine_options. Default 2, never with the mutator. */
    uint64_t max_same_errors; /**< See pawl_refine_options. Default 4, never with the mutator. */
    uint64_t max_records;     /**< See pawl_refine_options. Default 100. */
    /** Judges an execution of a test. Taken, also on failure. NULL: pawl_judge_test("test"). */
    pawl_judge *judge;
    pawl_refine_on_attempt on_attempt; /**< NULL: nobody is told. Must not block. */
    void *user;                        /**< Of on_attempt. Borrowed, must outlive the node. */
    uint64_t single_edits;             /**< Not 0: the generator given is the mutator, with its defaults above. */
} pawl_fix_options;

/** `pawl_fix("fix", NULL, NULL, .language = "python")` */
#define pawl_fix(...) PAWL_FIX_(__VA_ARGS__, .size = sizeof(pawl_fix_options))
#define PAWL_FIX_(name, generator, executor, ...)                                                                      \
    pawl_fix_new(name, generator, executor, &(pawl_fix_options){__VA_ARGS__})

/**
 * Repairs a program: runs the visible test on it as it is (the original), refines it until that test passes, and has
 * the held-back test judge the result once, at the end.
 *
 * A test runs as the main program in a fresh sandbox, with the program under test beside it under its own name, so that
 * `from program import x` (Python) or `require('./program.js')` finds it. The test's own file is pawl_test.py,
 * pawl_test.js or pawl_test.sh there, a small driver starts it, and tracebacks name it and its lines.
 *
 * Exit status 0 alone passes no test: it must also have run to its end, which its driver proves by writing a random
 * number, another one in each execution, to a file that is brought back. Without the proof the execution's outcome "ok"
 * becomes "check_failed" for every judge ("the test did not run to its end"), so a program that exits when it is
 * imported or called passes nothing. The end of a test is:
 *  - Python: the last statement of the test's file; or a SystemExit with status 0 or None that leaves it, unless the
 *    traceback has a frame of the program's file (so unittest.main() and sys.exit(main()) of the test are ends, and a
 *    sys.exit() of the program is none). os._exit() never is.
 *  - JavaScript: the test's file ran through and then the event loop ran empty; or process.exit(0) called on a line of
 *    the test's own file. One of the program's never is, nor is an end after an uncaught error that somebody caught.
 *    A promise that never settles lets the event loop run empty: a test that waits for one should call process.exit(0)
 *    itself at its end and set process.exitCode = 1 at its beginning.
 *  - bash: the last command of the test's file with status 0; or `exit` with status 0 in that file, outside of
 *    subshells. An `exit` in a file that the test sources is none; neither is `exec`.
 *  - Any other language (an executor of one's own): nothing is asked for.
 * This stops accidents and shortcuts, not attacks: the program runs in one process with its test, and one that reads
 * the driver from the disk or its caller's frames can forge the proof, as it can replace what the test calls.
 *
 * Input, a JSON object: "program" (text), "test" (text), both required; "holdout" (text or null); "file" (name of the
 * program for the tests; default program.py, program.js or program.sh); "language"; "files" (object: path -> text,
 * further files for the tests). Unknown members, texts that are no UTF-8 and the names of the test's file for "file" or
 * in "files" are PAWL_E_INVALID.
 *
 * The generator's "input" member is that object without "holdout", which no generator sees, with "language" and "file"
 * filled in and "feedback", "signature" and "hints" ([{"line", "weight"}]: the program's lines in the traceback) of the
 * original added. Its candidates are {"program": text, "description"?: text} or a JSON string.
 *
 * Output (what `pawl fix --json` prints; readers must ignore members they do not know):
 *  - version: 1.
 *  - success: passed_checks, and passed_holdout is not false.
 *  - outcome: how far the program in "program" got: "already_passes" (the original passes the visible test),
 *    "passed_holdout", "passed_checks" (no held-back test, or it failed), "ran" (the best candidate ended in a failed
 *    check, an exception or a status of its own), "not_run" (no candidate got that far).
 *  - ran, passed_checks: booleans; passed_holdout: boolean, null without a held-back test or when it was not reached.
 *  - stop_reason: "already_passes" or a word of pawl_refine_new().
 *  - language, file.
 *  - program: the accepted program, else the best candidate, else null; description: its own or null.
 *  - diff: unified diff from the original to "program", "" when they are equal, null without a program.
 *  - original: record of the original's run (pawl_attempt_json(), number 0); holdout: that of the held-back test's, or
 *    null.
 *  - rounds, executions (of candidates: neither the original's nor the held-back test's), duplicates, cost, elapsed_ns
 *    (the whole node).
 *  - attempt: the record of "program", or null; attempts: the last max_records records, oldest first;
 *    attempts_dropped.
 *
 * Secrets (see pawl/redact.h: known values and shapes) are hidden in feedback, checks, signatures and the output of
 * records, after the judge has seen what was printed; not in programs and diffs, which are to be run.
 *
 * A program that could not be repaired is PAWL_OK with success false. Errors of a run: PAWL_E_INVALID (input),
 * PAWL_E_PROTOCOL (a candidate without program text in UTF-8), PAWL_E_CANCELLED, PAWL_E_DEADLINE, and what generator
 * and executor end the loop with (see pawl_refine_new()).
 *
 * @param name       Copied.
 * @param generator  Taken over. NULL: pawl_mutator_generator_new("mutate", NULL).
 * @param executor   Taken over. Runs an execution input as pawl_code_execution() does, "files" and "collect"
 *                   included. NULL: one made with its defaults. It becomes the child of a node named "test". Used for
 * original, candidates and held-back test alike. Its values are what judges see, so a code-execution node of yours
 * should have .redaction = PAWL_REDACT_NOTHING, as the default one has.
 * @param options    Copied, but for the judge. NULL for the defaults.
 * @return New reference, never NULL. Threads: create, run and release on any thread; several may run it at once.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_fix_new(const char *name, pawl_primitive *generator,
                                                     pawl_primitive *executor, const pawl_fix_options *options);

/** @return New text: the unified diff of two texts (NULL: "") with three lines of context, "" when they are equal;
 * released with free(); NULL without memory. @param from_name, to_name For the header lines; borrowed. Any thread. */
PAWL_API PAWL_NODISCARD char *pawl_unified_diff(const char *from, const char *to, const char *from_name,
                                                const char *to_name);

PAWL_END_DECLS
#endif
