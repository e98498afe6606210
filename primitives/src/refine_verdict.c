/* What an ended attempt changes: the best, the signatures, the round's news, and whether the loop goes on. */
#include "refine_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t text_digest(const char *text) {
    pawl_digest digest = pawl_digest_start();
    pawl_digest_add(&digest, text, strlen(text));
    return digest.low_ ? digest.low_ : 1;
}

/* Whether the last signatures lack this one, which joins them. */
static bool is_new_signature(struct refine_run *run, const char *signature) {
    uint64_t digest = text_digest(signature);
    for (size_t i = 0; i < REFINE_SIGNATURES; i++)
        if (run->signatures[i] == digest)
            return false;
    run->signatures[run->next_signature] = digest;
    run->next_signature = (run->next_signature + 1) % REFINE_SIGNATURES;
    return true;
}

/* A judge is a stranger: texts end, counts fit, numbers order. */
static void tame(pawl_verdict *verdict) {
    verdict->outcome[sizeof verdict->outcome - 1] = '\0';
    verdict->signature[sizeof verdict->signature - 1] = '\0';
    if (verdict->check_count > PAWL_VERDICT_CHECKS)
        verdict->check_count = PAWL_VERDICT_CHECKS;
    for (size_t i = 0; i < PAWL_VERDICT_CHECKS; i++) {
        verdict->checks[i].name[sizeof verdict->checks[i].name - 1] = '\0';
        verdict->checks[i].message[sizeof verdict->checks[i].message - 1] = '\0';
    }
    if (isnan(verdict->score))
        verdict->score = -INFINITY;
    if (!(verdict->cost > 0) || !isfinite(verdict->cost))
        verdict->cost = 0;
    if (verdict->is_infrastructure)
        verdict->pass = 0;
}

static bool is_better(const pawl_verdict *verdict, const struct refine_record *than) {
    return !than->is_set || verdict->score > than->attempt.verdict.score;
}

static void note_signature(struct refine_run *run, const pawl_verdict *verdict) {
    if (!verdict->signature[0])
        return;
    run->round_has_signature = true;
    if (is_new_signature(run, verdict->signature))
        run->round_has_news = true;
}

/* Best, news and stalls; the attempt was judged and the candidate is to blame or to praise. */
static void weigh(struct refine_run *run, const pawl_attempt *attempt, pawl_value *candidate, pawl_value *result) {
    const pawl_verdict *verdict = &attempt->verdict;
    if (run->stop == REFINE_ACCEPTED)
        return; /* it ended while the others were on their way out */
    run->judged = true;
    run->round_verdicts++;
    if (verdict->pass) {
        pawl_refine_record_set(&run->best, attempt, candidate, NULL);
        pawl_refine_stop(run, REFINE_ACCEPTED);
        return;
    }
    note_signature(run, verdict);
    if (is_better(verdict, &run->focus))
        pawl_refine_record_set(&run->focus, attempt, candidate, result);
    if (is_better(verdict, &run->best)) {
        pawl_refine_record_set(&run->best, attempt, candidate, NULL);
        run->round_has_news = true;
    }
}

void pawl_refine_judge(struct refine_run *run, pawl_attempt *attempt, pawl_value *candidate, pawl_outcome *outcome) {
    pawl_verdict *verdict = &attempt->verdict;
    pawl_error *err = NULL;
    pawl_status status = run->options->judge(run->options->user, candidate, outcome, verdict, &err);
    if (status != PAWL_OK) {
        if (!err)
            pawl_error_set(&err, status, "the judge failed without saying why; set *err to tell");
        pawl_refine_fail(run, err);
        return;
    }
    pawl_error_unref(err);
    tame(verdict);
    run->cost += verdict->cost;
    if (!verdict->is_infrastructure)
        weigh(run, attempt, candidate, pawl_outcome_value(outcome));
}

void pawl_refine_keep(struct refine_run *run, const pawl_attempt *attempt, pawl_value *candidate) {
    if (run->options->on_attempt)
        run->options->on_attempt(run->options->user, attempt, candidate);
    if (!pawl_refine_records_add(&run->records, attempt, candidate))
        pawl_refine_fail(run, NULL);
}

/* ---- the end of a round ---- */

static char *default_feedback(const pawl_attempt *attempt) {
    char text[sizeof attempt->verdict.outcome + sizeof attempt->verdict.signature + 4];
    const char *word =
        attempt->verdict.outcome[0] ? attempt->verdict.outcome : pawl_status_word((pawl_status)attempt->status);
    snprintf(text, sizeof text, "%s%s%s", word, attempt->verdict.signature[0] ? ": " : "", attempt->verdict.signature);
    return strdup(text);
}

static void make_feedback(struct refine_run *run) {
    const struct refine_record *focus = &run->focus;
    pawl_error *err = NULL;
    char *text = NULL;
    free(run->feedback);
    run->feedback = NULL;
    if (!run->options->feedback) {
        run->feedback = default_feedback(&focus->attempt);
        if (!run->feedback)
            pawl_refine_fail(run, NULL);
        return;
    }
    pawl_status status =
        run->options->feedback(run->options->user, &focus->attempt, focus->candidate, focus->result, &text, &err);
    run->feedback = text;
    if (status == PAWL_OK) {
        pawl_error_unref(err);
        return;
    }
    if (!err)
        pawl_error_set(&err, status, "the feedback callback failed without saying why; set *err to tell");
    pawl_refine_fail(run, err);
}

static void look_for_stalls(struct refine_run *run) {
    if (run->answer.count > 0 && run->round_executions == 0 && ++run->repeats >= run->options->max_repeats)
        pawl_refine_stop(run, REFINE_STALLED_PROGRAM);
    if (run->round_verdicts == 0)
        return; /* nothing but known candidates, or infrastructure: no news and no stall */
    if (run->round_has_news || !run->round_has_signature)
        run->same_errors = run->round_has_signature ? 1 : 0;
    else
        run->same_errors++;
    if (run->same_errors >= run->options->max_same_errors)
        pawl_refine_stop(run, REFINE_STALLED_ERROR);
}

void pawl_refine_end_round(struct refine_run *run) {
    look_for_stalls(run);
    if (run->stop == REFINE_GOES_ON && run->focus.is_set)
        make_feedback(run);
    pawl_refine_record_clear(&run->focus);
    run->round_executions = run->round_verdicts = 0;
    run->round_has_signature = run->round_has_news = false;
}
