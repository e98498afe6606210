/* refine, with a generator that follows a script and an executor that does what the candidate says. */
#ifndef REFINE_PLAY_H
#define REFINE_PLAY_H

#include "virtual_runtime.h"
#include <pawl/primitives/function.h>
#include <pawl/primitives/refine.h>

#define PLAY_ROUNDS 32

struct play {
    const char *answers[PLAY_ROUNDS]; /* JSON; "!word" fails with that status; NULL: {"n": round}, a new one for ever */
    size_t asked;                     /* answers given */
    char *inputs[PLAY_ROUNDS];        /* what the generator was told */
    size_t executions, attempts, cancelled, duplicates, reports;
    bool judge_fails, feedback_fails;
    char stop_reason[32];
    double best;
    char note[200]; /* of the last attempt told */
};

/* The generator: next answer of the script; user is the play. */
pawl_status play_generate(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err);
/* One that answers with the list value [1, 42], as parallel would. */
pawl_status play_generate_list(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err);
/* The executor: waits candidate.ms, then passes it on, or fails with the status named in candidate.fails. */
pawl_primitive *play_trying(struct play *play);

/* Callbacks. A candidate passes when it is, or its n is, 42; its score is n / 100; its cost, sig (signature) and lost
 * (infrastructure) are what it says. */
pawl_status play_judge(void *user, pawl_value *candidate, const pawl_outcome *outcome, pawl_verdict *ret_verdict,
                       pawl_error **err);
/* Each field is as wild as it can be. */
pawl_status play_judge_wildly(void *user, pawl_value *candidate, const pawl_outcome *outcome, pawl_verdict *ret_verdict,
                              pawl_error **err);
void play_on_attempt(void *user, const pawl_attempt *attempt, pawl_value *candidate);
void play_on_report(void *user, pawl_value *report);
pawl_status play_feedback(void *user, const pawl_attempt *attempt, pawl_value *candidate, pawl_value *result,
                          char **ret_text, pawl_error **err);
double candidate_number(const pawl_value *candidate);

#define refining(play, ...)                                                                                            \
    pawl_refine("fix", pawl_inline("generate", play_generate, play), play_trying(play), .judge = play_judge,           \
                .on_attempt = play_on_attempt, .on_report = play_on_report, .user = (play), __VA_ARGS__)

/* The virtual time of the last play_run(). */
extern struct fake_clock play_time;
/* Runs a node (taken) with {"goal": 42}; the test fails unless it ends so and nothing is alive. Gives its output. */
pawl_value *play_run(struct play *play, pawl_primitive *node, pawl_status expected);
void play_drop(struct play *play, pawl_value *out);
void expect_stop(const pawl_value *out, const char *reason, double rounds, double executions);
/* n of the output's candidate. */
double candidate_of(const pawl_value *out);

#endif
