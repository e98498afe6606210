/** @file pawl/primitives/refine.h  @brief Generate, execute, judge, and again with what was learnt, within budgets.
 *
 * A generator child proposes candidates, an executor child tries each, a judge callback says how good it was. refine
 * knows values and callbacks only; what knows about programs is in pawl/integrations/fix.h.
 */
#ifndef PAWL_PRIMITIVES_REFINE_H
#define PAWL_PRIMITIVES_REFINE_H

#include <pawl/primitive.h>

PAWL_BEGIN_DECLS

/* ---- Verdicts and attempt records ---- */

#define PAWL_VERDICT_CHECKS 8 /**< Named checks of one verdict; the judge leaves out what comes after. */

/** One named check. */
typedef struct pawl_check {
    char name[32];    /**< UTF-8 with NUL; becomes the key in JSON. */
    uint64_t pass;    /**< Not 0: passed. */
    char message[96]; /**< Why not; "" when it passed. */
} pawl_check;

/** One output stream of an attempt. */
typedef struct pawl_stream_record {
    uint64_t seen_bytes; /**< Written by the program. */
    uint64_t kept_bytes; /**< Of them in the executor's value. */
    uint64_t truncated;  /**< Not 0: some were left out. */
} pawl_stream_record;

/** What a judge says. Zeroed, then given to the judge with size and exit_status set. Texts end with NUL. */
typedef struct pawl_verdict {
    size_t size;         /**< sizeof(pawl_verdict); set by the caller. */
    uint64_t pass;       /**< Not 0: a full pass, the loop ends. */
    double score;        /**< Higher is better; NaN counts as lowest. A full pass beats every score. */
    double cost;         /**< Units of the max_cost budget this attempt used; negative and NaN count as 0. */
    char outcome[24];    /**< A word for the record, e.g. "check_failed"; "": the status's word. */
    char signature[128]; /**< Equal for equal errors; "": none, then the attempt counts for no stall. */
    uint64_t check_count;
    pawl_check checks[PAWL_VERDICT_CHECKS];
    pawl_stream_record out, err; /**< Standard output and error. */
    uint64_t queue_ns, create_ns, run_ns;
    int64_t exit_status;        /**< -1: none (the default). */
    uint64_t cache_hit;         /**< Not 0: the outcome came from a cache. */
    uint64_t is_infrastructure; /**< Not 0: not the candidate's fault: neither a stall nor progress, never the best,
                                     and the same candidate may be executed again. */
    pawl_value *output;         /**< New reference, taken: trimmed output for the record. NULL none. */
} pawl_verdict;

/** One candidate's fate. What is borrowed lives as long as the record. */
typedef struct pawl_attempt {
    size_t size;            /**< sizeof(pawl_attempt). */
    uint64_t number;        /**< From 1, in the order the generator gave candidates; duplicates count. */
    uint64_t round;         /**< From 1. */
    uint64_t parent;        /**< Number of the attempt it builds on, 0 none: the answer's "parent", else the best when
                                 it was generated. */
    uint64_t duplicate_of;  /**< Number of the attempt with the same digest; it was not executed. 0: it was. */
    uint64_t status;        /**< pawl_status the executor ended with; PAWL_OK for a duplicate. */
    uint64_t started_ns;    /**< Monotonic. */
    uint64_t total_ns;      /**< From start to end of the executor, waiting included. */
    uint8_t digest[16];     /**< Of the candidate's key. */
    uint8_t trace_id[16];   /**< Of the run. */
    uint8_t span_id[8];     /**< Of the executor's span; zero when nothing observes. */
    char description[120];  /**< The candidate's "description" member, cut; "" none. */
    pawl_verdict verdict;   /**< Zeroed when it was not judged. */
    uint64_t was_cancelled; /**< Not 0: ended because another candidate passed or the loop ended. */
} pawl_attempt;

/**
 * Makes the record's JSON: {"number", "round", "parent" (or null), "digest" (32 hex digits), "duplicate_of" (or null),
 * "status" (word), "outcome" (word; "duplicate" for one), "pass", "score", "checks": {name: {"pass", "message"}},
 * "signature" (or null), "exit_status" (or null), "stdout": {"bytes", "kept_bytes", "truncated"}, "stderr": the same,
 * "timings": {"queue_ns", "create_ns", "run_ns", "total_ns"}, "cost", "cache_hit", "trace_id", "span_id" (or null),
 * "description" (or null), "output" (or null)}.
 * @return The caller's, released with cJSON_Delete(); NULL without memory. Any thread.
 */
PAWL_API PAWL_NODISCARD cJSON *pawl_attempt_json(const pawl_attempt *attempt);

/* ---- Callbacks. All run on the loop's thread, must not block, and may be called by several runs at once. ---- */

/**
 * Judges one outcome of the executor: a value, or a failure with PAWL_E_FAILED or PAWL_E_TIMEOUT (other failures are
 * infrastructure and never judged).
 * @param candidate  Borrowed. @param outcome Borrowed.
 * @return PAWL_OK; anything else ends the node with that error.
 */
typedef pawl_status (*pawl_judge_fn)(void *user, pawl_value *candidate, const pawl_outcome *outcome,
                                     pawl_verdict *ret_verdict, pawl_error **err);

/** A digest in the making (128-bit FNV-1a). Private fields. */
typedef struct pawl_digest {
    uint64_t high_, low_;
} pawl_digest;
/** Adds bytes. Any thread, one at a time. */
PAWL_API void pawl_digest_add(pawl_digest *digest, const void *bytes, size_t length);

/** Adds what makes two candidates the same. @param candidate Borrowed. */
typedef void (*pawl_refine_key)(void *user, const pawl_value *candidate, pawl_digest *digest);

/**
 * Makes the executor's input of a candidate.
 * @param input      The node's input, borrowed. @param candidate Borrowed.
 * @param ret_input  New reference. Left NULL: the candidate itself.
 * @return PAWL_OK; anything else ends the node with that error.
 */
typedef pawl_status (*pawl_refine_prepare)(void *user, pawl_value *input, pawl_value *candidate, pawl_value **ret_input,
                                           pawl_error **err);

/**
 * Words what the generator is to learn from a round.
 * @param attempt    The round's best attempt. Borrowed.
 * @param candidate  Its candidate, borrowed. @param result The executor's value, borrowed; NULL when it failed.
 * @param ret_text   New text, released with free(); UTF-8. Left NULL: no feedback.
 * @return PAWL_OK; anything else ends the node with that error.
 */
typedef pawl_status (*pawl_refine_feedback)(void *user, const pawl_attempt *attempt, pawl_value *candidate,
                                            pawl_value *result, char **ret_text, pawl_error **err);

/** Told of each attempt when it has ended (duplicates and cancelled ones too). @param candidate Borrowed. */
typedef void (*pawl_refine_on_attempt)(void *user, const pawl_attempt *attempt, pawl_value *candidate);
/** Told once how the loop ended, however it did, except without memory: the value it gives, or, when it fails, would
 * have given. "cancelled" and "deadline" keep the best so far this way; stop_reason is "failed" for any other error of
 * the generator, the executor or a callback. @param report Borrowed. */
typedef void (*pawl_refine_on_report)(void *user, pawl_value *report);

/* ---- The primitive ---- */

/** Zero means the default. Budgets hold for the whole run of the node and are never reset. */
typedef struct pawl_refine_options {
    size_t size;                       /**< sizeof(pawl_refine_options); set by the macro. */
    pawl_judge_fn judge;               /**< Required. */
    pawl_refine_key key;               /**< NULL: the whole candidate as JSON, the order of members aside. */
    pawl_refine_prepare prepare;       /**< NULL: the executor's input is the candidate. */
    pawl_refine_feedback feedback;     /**< NULL: the outcome's word and the signature. */
    pawl_refine_on_attempt on_attempt; /**< NULL: nobody is told. */
    pawl_refine_on_report on_report;   /**< NULL: nobody is told. */
    /** Whether a failure of the generator, or one of the executor that is not judged, ends the node. NULL: unless it is
     * retryable. */
    pawl_outcome_predicate ends_run;
    void *user;               /**< Of all callbacks. Borrowed, must outlive the node. */
    uint64_t max_rounds;      /**< Answers of the generator. Default 5; PAWL_UNLIMITED only when said so. */
    uint64_t max_attempts;    /**< Executions. Default: no bound. */
    uint64_t max_elapsed_ns;  /**< From the node's start; children get it as their deadline. Default: no bound. */
    double max_cost;          /**< Sum of verdicts' cost and answers' "cost". Default (0): no bound. */
    uint64_t max_concurrency; /**< Executions at once. Default 8, at most 4,096. */
    uint64_t max_repeats;     /**< Rounds that bring nothing but known candidates: stops at this one, whether in a row
                                   or not. Default 2; PAWL_UNLIMITED never. */
    uint64_t max_same_errors; /**< Rounds in a row, the first included, without a better score and without a signature
                                   that the last 16 have not shown. Default 4; PAWL_UNLIMITED never. */
    uint64_t history;         /**< Attempts that the generator sees. Default 5, at most 256; PAWL_ZERO none. */
    uint64_t history_bytes;   /**< Of all their candidates together, newest first; what does not fit is left out.
                                   Default 64 KiB. */
    uint64_t max_records;     /**< Records in the output; the oldest go first. Default 100, at most 65,536. */
    uint64_t max_known;       /**< Digests remembered; candidates after that are not recognised when they come again.
                                   Default 65,536, at most 2^24. */
    uint64_t fail_unless_accepted; /**< Not 0: a loop that accepted nothing fails with PAWL_E_EXHAUSTED. */
} pawl_refine_options;

/** `pawl_refine("fix", generate, execute, .judge = judge, .max_rounds = 3)` */
#define pawl_refine(name, generator, ...)                                                                              \
    PAWL_REFINE_(name, generator, __VA_ARGS__, .size = sizeof(pawl_refine_options))
#define PAWL_REFINE_(name, generator, executor, ...)                                                                   \
    pawl_refine_new(name, generator, executor, &(pawl_refine_options){__VA_ARGS__})

/**
 * Creates a loop of rounds: the generator answers with candidates, those not seen before are executed (side by side up
 * to max_concurrency), each outcome is judged; the first full pass cancels what still runs and is the result.
 *
 * The generator's input is {"input": the node's input, "round" (from 1), "attempts": [records as pawl_attempt_json(),
 * oldest first, each with its "candidate" as far as history_bytes allows], "feedback": text or null, "best": candidate
 * with the highest score or null}. Its answer is one candidate; or {"candidates": [...]}, or a list value (as
 * pawl_parallel() gives: best of n), for several; or null or {"done": true} when it has no more ideas ("done" may stand
 * beside "candidates": those are tried first; an empty list is no more ideas). Beside "candidates" may stand "parent"
 * (number of an attempt) and "cost". The executor's input is the candidate, or what
 * prepare makes of it.
 *
 * Why it stops (a closed set): "accepted", "rounds", "attempts", "elapsed", "budget", "stalled_program",
 * "stalled_error", "generator_done", "deadline", "cancelled". Budgets are looked at before each step; what runs when
 * one is used up is waited for and judged, except for max_elapsed, which ends it.
 *
 * The output is {"success", "stop_reason", "candidate": the accepted one, else the best, else null, "attempt": its
 * record or null, "rounds", "executions", "duplicates", "cost", "elapsed_ns", "attempts": [records, oldest first],
 * "attempts_dropped"}. A loop that accepted nothing is PAWL_OK with success false unless fail_unless_accepted is set.
 *
 * Failures. The executor's PAWL_E_FAILED and PAWL_E_TIMEOUT belong to the candidate and are judged. Every other one,
 * and each of the generator's, is infrastructure: it ends the node with that error when it is not retryable (see
 * ends_run); else the round goes on, the candidate may come again, and it counts for budgets but neither as a stall nor
 * as progress. When nothing could be judged at all the loop fails with PAWL_E_EXHAUSTED (cause: the last such error).
 * There is no waiting in between: put retry around generator and executor. When the scope is over: PAWL_E_CANCELLED or
 * PAWL_E_DEADLINE after all children have ended (on_report still gets the best so far); a candidate accepted before
 * that stays accepted. Also PAWL_E_LIMIT (more than 65,536 candidates in one answer) and PAWL_E_NOMEM.
 *
 * Spans: the generator's has pawl.round; each execution's pawl.candidate (the attempt's number) and pawl.round; the
 * node's own pawl.stop_reason, pawl.rounds and pawl.executions. Memory: max_records records, the digests, the
 * candidates of the history and of max_concurrency executions, one answer.
 *
 * @param name       Copied.
 * @param generator  Taken over. @param executor Taken over.
 * @param options    Copied. NULL is a failed primitive, since judge is required.
 * @return New reference, never NULL: a failed primitive without a judge, with a bound out of range, a negative or NaN
 * max_cost, or a budget of PAWL_ZERO. Threads: create, run and release on any thread; several may run it at once.
 * Source of the two stall defaults: measured on published repair runs, where stopping at the second repeat or at the
 * fourth equal error kept 99.6 % of what was solved for 58 to 64 % of the attempts.
 */
PAWL_API PAWL_NODISCARD pawl_primitive *pawl_refine_new(const char *name, pawl_primitive *generator,
                                                        pawl_primitive *executor, const pawl_refine_options *options);

PAWL_END_DECLS
#endif
