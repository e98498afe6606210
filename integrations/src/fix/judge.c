/* Judges: one small interface, a handful of checks on an execution value. */
#include "execution_view_internal.h"
#include "feedback_internal.h"
#include "fix_proof_internal.h"
#include "json_put_internal.h"
#include "redact_internal.h"
#include "signature_internal.h"
#include "utf8_internal.h"
#include <pawl/integrations/fix.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_BYTES 2000u

enum judge_kind { JUDGE_OUTCOME, JUDGE_EXIT_STATUS, JUDGE_OUTPUT, JUDGE_STDERR, JUDGE_TEST, JUDGE_CALLBACK, JUDGE_ALL };

struct pawl_judge {
    atomic_uint refs;
    enum judge_kind kind;
    char name[32];
    int exit_status;
    bool negated, has_regex, bad_list;
    char *text; /* expected output or pattern */
    regex_t regex;
    pawl_judge_callback_fn callback;
    void *user;
    size_t part_count; /* of JUDGE_ALL */
    pawl_judge *parts[PAWL_VERDICT_CHECKS];
};

/* What out of memory makes: it says so when it judges. */
static pawl_judge without_memory = {.kind = JUDGE_ALL, .name = "?"};

/* ---- life ---- */

static pawl_judge *make(const char *name, enum judge_kind kind) {
    pawl_judge *judge = calloc(1, sizeof *judge);
    if (!judge)
        return &without_memory;
    atomic_init(&judge->refs, 1);
    judge->kind = kind;
    const char *text = name && name[0] ? name : "check";
    snprintf(judge->name, sizeof judge->name, "%s", text);
    judge->name[pawl_utf8_cut(judge->name, strlen(judge->name))] = '\0';
    return judge;
}

static pawl_judge *make_with_text(const char *name, enum judge_kind kind, const char *text) {
    pawl_judge *judge = make(name, kind);
    if (judge == &without_memory)
        return judge;
    judge->text = strdup(text ? text : "");
    return judge->text ? judge : (pawl_judge_unref(judge), &without_memory);
}

pawl_judge *pawl_judge_ref(pawl_judge *judge) {
    if (judge && judge != &without_memory)
        atomic_fetch_add_explicit(&judge->refs, 1, memory_order_relaxed);
    return judge;
}

pawl_judge *pawl_judge_unref(pawl_judge *judge) {
    if (!judge || judge == &without_memory || atomic_fetch_sub_explicit(&judge->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    for (size_t i = 0; i < judge->part_count; i++)
        pawl_judge_unref(judge->parts[i]);
    if (judge->has_regex)
        regfree(&judge->regex);
    free(judge->text);
    free(judge);
    return NULL;
}

pawl_judge *pawl_judge_outcome(const char *name) {
    return make(name, JUDGE_OUTCOME);
}

pawl_judge *pawl_judge_exit_status(const char *name, int status) {
    pawl_judge *judge = make(name, JUDGE_EXIT_STATUS);
    if (judge != &without_memory)
        judge->exit_status = status;
    return judge;
}

pawl_judge *pawl_judge_output(const char *name, const char *expected) {
    return make_with_text(name, JUDGE_OUTPUT, expected);
}

pawl_judge *pawl_judge_stderr(const char *name, const char *pattern, bool negated) {
    pawl_judge *judge = make_with_text(name, JUDGE_STDERR, pattern);
    if (judge == &without_memory)
        return judge;
    judge->negated = negated;
    judge->has_regex = pattern && regcomp(&judge->regex, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) == 0;
    return judge;
}

pawl_judge *pawl_judge_test(const char *name) {
    return make(name, JUDGE_TEST);
}

pawl_judge *pawl_judge_callback(const char *name, pawl_judge_callback_fn fn, void *user) {
    pawl_judge *judge = make(name, JUDGE_CALLBACK);
    if (judge == &without_memory)
        return judge;
    judge->callback = fn;
    judge->user = user;
    return judge;
}

pawl_judge *pawl_judge_all(pawl_judge *const *judges) {
    pawl_judge *all = make("all", JUDGE_ALL);
    bool made = all != &without_memory;
    for (; judges && *judges; judges++) {
        if (made && *judges != &without_memory && (*judges)->kind != JUDGE_ALL &&
            all->part_count < PAWL_VERDICT_CHECKS) {
            all->parts[all->part_count++] = *judges;
            continue;
        }
        if (made)
            all->bad_list = true;
        pawl_judge_unref(*judges);
    }
    if (made && all->part_count == 0)
        all->bad_list = true;
    return all;
}

/* ---- checks ---- */

struct trial {
    pawl_value *candidate, *result;
    struct execution_view view;
    char *out, *err; /* the whole streams */
    size_t out_length, err_length;
    bool printed_failure; /* console.assert */
    struct pawl_redaction redaction;
    pawl_value *shown; /* the result without secrets: verdicts are found on what was printed, and told by this */
};

static bool check_outcome(const struct trial *t, char message[96]) {
    if (strcmp(t->view.outcome, "ok") == 0)
        return true;
    snprintf(message, 96, "outcome is %s", t->view.outcome);
    return false;
}

static bool check_exit_status(const pawl_judge *judge, const struct trial *t, char message[96]) {
    if (t->view.exit_status == judge->exit_status)
        return true;
    if (t->view.exit_status < 0)
        snprintf(message, 96, "expected exit status %d, it did not end by itself", judge->exit_status);
    else
        snprintf(message, 96, "expected exit status %d, got %d", judge->exit_status, (int)t->view.exit_status);
    return false;
}

static size_t content_length(const char *line, size_t length) {
    while (length > 0 && strchr(" \t\r\n\v\f", line[length - 1]))
        length--;
    return length;
}

static size_t take_line(const char **at) {
    const char *end = strchr(*at, '\n');
    size_t length = end ? (size_t)(end - *at) : strlen(*at);
    *at += length + (end != NULL);
    return length;
}

/* Line by line, without white space at their ends and without empty lines at the end. */
static bool check_output(const pawl_judge *judge, const struct trial *t, char message[96]) {
    const char *expected = judge->text, *got = t->out;
    for (size_t line = 1; *expected || *got; line++) {
        const char *e = expected, *g = got;
        size_t e_length = content_length(e, take_line(&expected)), g_length = content_length(g, take_line(&got));
        if (e_length == g_length && memcmp(e, g, e_length) == 0)
            continue;
        char e_text[29], g_text[29];
        pawl_redact_into(&t->redaction, e, e_length, e_text, sizeof e_text);
        pawl_redact_into(&t->redaction, g, g_length, g_text, sizeof g_text);
        snprintf(message, 96, "line %zu: expected '%s', got '%s'", line, e_text, g_text);
        return false;
    }
    return true;
}

static bool check_stderr(const pawl_judge *judge, const struct trial *t, char message[96]) {
    bool matches = regexec(&judge->regex, t->err, 0, NULL, 0) == 0;
    if (matches != judge->negated)
        return true;
    snprintf(message, 96, "stderr %s '%.60s'", matches ? "matches" : "does not match", judge->text);
    return false;
}

static bool check_test(const struct trial *t, char message[96]) {
    if (!t->printed_failure && !t->view.unended)
        return check_outcome(t, message);
    snprintf(message, 96, "%s", t->printed_failure ? "an assertion failed" : PAWL_NOT_ENDED);
    return false;
}

static bool judge_one(const pawl_judge *judge, const struct trial *t, char message[96]) {
    switch (judge->kind) {
    case JUDGE_OUTCOME:
        return check_outcome(t, message);
    case JUDGE_EXIT_STATUS:
        return check_exit_status(judge, t, message);
    case JUDGE_OUTPUT:
        return check_output(judge, t, message);
    case JUDGE_STDERR:
        return check_stderr(judge, t, message);
    case JUDGE_TEST:
        return check_test(t, message);
    default:
        return judge->callback(judge->user, t->candidate, t->result, message);
    }
}

static void add_check(const pawl_judge *judge, const struct trial *t, pawl_verdict *verdict) {
    pawl_check *check = &verdict->checks[verdict->check_count++];
    memcpy(check->name, judge->name, sizeof check->name);
    char message[96] = "";
    check->pass = judge_one(judge, t, message);
    message[sizeof message - 1] = '\0';
    message[pawl_utf8_cut(message, strlen(message))] = '\0';
    if (check->pass)
        return;
    struct pawl_redaction redaction = t->redaction;
    redaction.cut = true;
    char clean[sizeof message];
    pawl_utf8_lossy_into(message, strlen(message), clean, sizeof clean);
    pawl_redact_into(&redaction, clean, strlen(clean), check->message, sizeof check->message);
}

static pawl_status check_judge(const pawl_judge *judge, pawl_error **err) {
    if (judge == &without_memory)
        return pawl_error_set(err, PAWL_E_NOMEM, "judge: out of memory when it was made");
    if (judge->bad_list)
        return pawl_error_set(err, PAWL_E_INVALID, "judge: pawl_judge_all takes 1 to %d judges, none of them a list",
                              PAWL_VERDICT_CHECKS);
    if (judge->kind == JUDGE_STDERR && !judge->has_regex)
        return pawl_error_set(err, PAWL_E_INVALID, "judge '%s': '%s' is no extended regular expression", judge->name,
                              judge->text);
    if (judge->kind == JUDGE_CALLBACK && !judge->callback)
        return pawl_error_set(err, PAWL_E_INVALID, "judge '%s': its function is NULL; pass one", judge->name);
    for (size_t i = 0; i < judge->part_count; i++) {
        pawl_status status = check_judge(judge->parts[i], err);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

/* ---- the verdict ---- */

static bool has_printed_failure(const char *err) {
    static const char mark[] = "Assertion failed";
    for (const char *at = err; *at; take_line(&at))
        if (strncmp(at, mark, sizeof mark - 1) == 0)
            return true;
    return false;
}

static bool has_kind(const pawl_judge *judge, enum judge_kind kind) {
    for (size_t i = 0; i < judge->part_count; i++)
        if (judge->parts[i]->kind == kind)
            return true;
    return judge->kind == kind;
}

static void fill_record(const struct trial *t, pawl_verdict *verdict) {
    const struct execution_view *view = &t->view;
    verdict->out = view->out_bytes;
    verdict->err = view->err_bytes;
    verdict->queue_ns = view->queue_ns;
    verdict->create_ns = view->create_ns;
    verdict->run_ns = view->run_ns;
    verdict->exit_status = view->exit_status;
    verdict->is_infrastructure = pawl_execution_is_infrastructure(view->outcome);
    snprintf(verdict->outcome, sizeof verdict->outcome, "%s", view->outcome);
}

/* A program that ran on to a check that failed is half way there; one that ended the test itself is not. */
static void fill_score(const pawl_judge *judge, const struct trial *t, pawl_verdict *verdict) {
    size_t passed = 0;
    for (uint64_t i = 0; i < verdict->check_count; i++)
        passed += verdict->checks[i].pass != 0;
    verdict->pass = passed == verdict->check_count;
    bool half = !verdict->pass && !t->view.unended && strcmp(verdict->outcome, "check_failed") == 0 &&
                (has_kind(judge, JUDGE_TEST) || has_kind(judge, JUDGE_OUTCOME));
    verdict->score = ((double)passed + (half ? 0.5 : 0)) / (double)verdict->check_count;
}

static void fill_signature(const struct trial *t, pawl_verdict *verdict) {
    pawl_error_signature(t->shown, verdict->signature);
    if (verdict->pass || verdict->signature[0])
        return;
    for (uint64_t i = 0; i < verdict->check_count; i++)
        if (!verdict->checks[i].pass) {
            pawl_signature_of_text(verdict->checks[i].name, verdict->checks[i].message, verdict->signature,
                                   sizeof verdict->signature);
            return;
        }
}

static bool put_trimmed(cJSON *json, const char *key, const char *text, size_t length) {
    char trimmed[OUTPUT_BYTES + 1];
    trimmed[pawl_feedback_trim(text, length, OUTPUT_BYTES, trimmed)] = '\0';
    return json_put_text(json, key, trimmed);
}

static bool put_streams(cJSON *json, const struct execution_view *view) {
    size_t out_length = 0, err_length = 0;
    char *out = pawl_execution_log_text(view->out, &out_length);
    char *err = pawl_execution_log_text(view->err, &err_length);
    bool put =
        out && err && put_trimmed(json, "stdout", out, out_length) && put_trimmed(json, "stderr", err, err_length);
    free(out);
    free(err);
    return put;
}

static pawl_value *make_output(const struct trial *t) {
    char error[OUTPUT_BYTES + 1];
    struct execution_view view;
    cJSON *json = cJSON_CreateObject();
    if (json && pawl_execution_view_read(t->shown, &view)) {
        snprintf(error, sizeof error, "%s%s%s", view.error_name, view.error_value[0] ? ": " : "", view.error_value);
        error[pawl_utf8_cut(error, strlen(error))] = '\0';
        if (put_streams(json, &view) && put_trimmed(json, "error", error, strlen(error)))
            return pawl_value_take(json);
    }
    cJSON_Delete(json);
    return NULL;
}

static pawl_status judge_execution(const pawl_judge *judge, struct trial *t, pawl_verdict *verdict, pawl_error **err) {
    t->out = pawl_execution_log_text(t->view.out, &t->out_length);
    t->err = pawl_execution_log_text(t->view.err, &t->err_length);
    t->shown = pawl_redact_value(&t->redaction, t->result);
    if (!t->out || !t->err || !t->shown)
        return pawl_error_set(err, PAWL_E_NOMEM, "judge: out of memory");
    fill_record(t, verdict);
    t->printed_failure =
        has_kind(judge, JUDGE_TEST) && strcmp(t->view.outcome, "ok") == 0 && has_printed_failure(t->err);
    bool unended = has_kind(judge, JUDGE_TEST) && t->view.unended && strcmp(t->view.outcome, "ok") == 0;
    if (t->printed_failure || unended)
        snprintf(verdict->outcome, sizeof verdict->outcome, "check_failed");
    if (judge->kind != JUDGE_ALL)
        add_check(judge, t, verdict);
    for (size_t i = 0; i < judge->part_count; i++)
        add_check(judge->parts[i], t, verdict);
    fill_score(judge, t, verdict);
    fill_signature(t, verdict);
    verdict->output = make_output(t);
    return verdict->output ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "judge: out of memory");
}

/* The executor itself failed or timed out: no check can pass. */
static void judge_failure(const pawl_judge *judge, const pawl_outcome *outcome, pawl_verdict *verdict) {
    const char *word = pawl_status_word(pawl_outcome_status(outcome));
    const char *message = pawl_error_message(pawl_outcome_error(outcome));
    const struct pawl_redaction redaction = pawl_redaction_here(true);
    char shown[1024];
    pawl_redact_into(&redaction, message, strlen(message), shown, sizeof shown);
    snprintf(verdict->outcome, sizeof verdict->outcome, "%s", word);
    pawl_signature_of_text(word, shown, verdict->signature, sizeof verdict->signature);
    pawl_check *check = &verdict->checks[verdict->check_count++];
    memcpy(check->name, judge->name, sizeof check->name);
    snprintf(check->message, sizeof check->message, "the execution ended with %s", word);
}

pawl_status pawl_judge_run(void *user, pawl_value *candidate, const pawl_outcome *outcome, pawl_verdict *ret_verdict,
                           pawl_error **err) {
    const pawl_judge *judge = user;
    struct trial trial = {
        .candidate = candidate, .result = pawl_outcome_value(outcome), .redaction = pawl_redaction_here(true)};
    pawl_status status = check_judge(judge, err);
    if (status != PAWL_OK)
        return status;
    if (pawl_outcome_status(outcome) != PAWL_OK) {
        judge_failure(judge, outcome, ret_verdict);
        return PAWL_OK;
    }
    if (!pawl_execution_view_read(trial.result, &trial.view))
        return pawl_error_set(err, PAWL_E_PROTOCOL,
                              "judge: the executor's value has no outcome; use pawl_code_execution() or give what it "
                              "gives");
    status = judge_execution(judge, &trial, ret_verdict, err);
    free(trial.out);
    free(trial.err);
    pawl_value_unref(trial.shown);
    return status;
}
