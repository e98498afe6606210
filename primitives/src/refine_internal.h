/* What one run of refine remembers. Everything belongs to the thread that drives the run's loop. */
#ifndef PAWL_REFINE_INTERNAL_H
#define PAWL_REFINE_INTERNAL_H

#include <pawl/primitives/refine.h>

/* The digests of candidates that were executed, each with its attempt's number: open addressing, grown by doubling. */
struct refine_known_entry {
    pawl_digest digest;
    uint64_t number;     /* 0: the place is free */
    uint64_t may_repeat; /* its execution never came to a verdict */
};
struct refine_known {
    struct refine_known_entry *entries;
    size_t capacity, count, most;
};
void pawl_refine_known_free(struct refine_known *known);
struct refine_known_entry *pawl_refine_known_find(const struct refine_known *known, pawl_digest digest);
/* Does nothing once `most` are known. False without memory. */
bool pawl_refine_known_add(struct refine_known *known, pawl_digest digest, uint64_t number);

/* Digest of a candidate as JSON; the order of members does not count. False without memory. */
bool pawl_refine_digest(const pawl_value *candidate, pawl_digest *digest);
pawl_digest pawl_digest_start(void);
void pawl_refine_put_digest(pawl_attempt *attempt, pawl_digest digest);

/* An attempt that is kept, with what its readers need. */
struct refine_record {
    pawl_attempt attempt;  /* owns attempt.verdict.output */
    pawl_value *candidate; /* reference; NULL where it was not kept */
    pawl_value *result;    /* reference to the executor's value, only for the round's best */
    bool is_set;
};
/* Takes references of all three. */
void pawl_refine_record_set(struct refine_record *record, const pawl_attempt *attempt, pawl_value *candidate,
                            pawl_value *result);
void pawl_refine_record_clear(struct refine_record *record);

/* The last `most` records; the last `history` of them have their candidates. */
struct refine_records {
    struct refine_record *items; /* a ring once it has reached most */
    size_t count, capacity, first, most, history;
    uint64_t dropped;
};
void pawl_refine_records_free(struct refine_records *records);
/* References what the attempt and candidate hold. False without memory. */
bool pawl_refine_records_add(struct refine_records *records, const pawl_attempt *attempt, pawl_value *candidate);
/* index 0 is the oldest. */
struct refine_record *pawl_refine_records_at(const struct refine_records *records, size_t index);

enum refine_stop {
    REFINE_GOES_ON = 0,
    REFINE_ACCEPTED,
    REFINE_ROUNDS,
    REFINE_ATTEMPTS,
    REFINE_ELAPSED,
    REFINE_BUDGET,
    REFINE_STALLED_PROGRAM,
    REFINE_STALLED_ERROR,
    REFINE_GENERATOR_DONE,
    REFINE_DEADLINE,
    REFINE_CANCELLED,
    REFINE_FAILED, /* with run->failure, NULL: without memory */
};
const char *pawl_refine_stop_word(enum refine_stop stop);

/* One execution. */
struct refine_slot {
    pawl_value *candidate; /* reference; NULL: the slot is free */
    pawl_value *input;     /* of the executor; reference */
    pawl_digest digest;
    uint64_t number, parent, started_ns;
    uint8_t span_id[8];
};

/* The generator's last answer, handed out candidate by candidate, so that only those that run are copied. */
struct refine_answer {
    pawl_value *value; /* reference; NULL: none */
    const cJSON *next; /* of {"candidates"} */
    size_t index, count;
    uint64_t parent;
    bool done;
};

#define REFINE_SIGNATURES 16

struct refine_run {
    const pawl_refine_options *options;
    pawl_context *ctx;
    uint64_t started_ns, elapsed_at_ns; /* PAWL_NEVER: no max_elapsed */
    uint64_t round, numbers, executions, duplicates;
    double cost;
    bool generating, judged, cancelled_children;
    pawl_value *input; /* of the generator while it runs */
    struct refine_answer answer;
    /* this round */
    uint64_t round_executions, round_verdicts;
    bool round_has_signature, round_has_news;
    struct refine_record focus; /* the round's best */
    /* all rounds */
    struct refine_record best; /* or the accepted one */
    char *feedback;
    uint64_t repeats, same_errors;
    uint64_t signatures[REFINE_SIGNATURES]; /* the last ones, as digests; 0: none */
    size_t next_signature;
    struct refine_known known;
    struct refine_records records;
    enum refine_stop stop;
    pawl_error *failure, *last_infrastructure;
    size_t slot_count;
    struct refine_slot slots[];
};

/* refine_options.c: copies, fills in the defaults, checks; *err is set when something is wrong. */
void pawl_refine_read_options(pawl_refine_options *set, const pawl_refine_options *given, const char *name,
                              pawl_error **err);

struct refine_run *pawl_refine_run_new(const pawl_refine_options *options, pawl_context *ctx, uint64_t now_ns);
void pawl_refine_run_free(struct refine_run *run);
/* The first reason counts, but a pass that comes while what runs is waited for is still one. */
void pawl_refine_stop(struct refine_run *run, enum refine_stop stop);
/* Ends the run with an error. @param failure Taken; NULL: out of memory. */
void pawl_refine_fail(struct refine_run *run, pawl_error *failure);

/* refine_answer.c */
/* Reads an answer (takes the reference); false when it is refused, with *err. */
bool pawl_refine_answer_read(struct refine_run *run, pawl_value *value, pawl_error **err);
/* New reference to the next candidate; NULL without memory. index must be below count. */
pawl_value *pawl_refine_answer_next(struct refine_answer *answer);
void pawl_refine_answer_clear(struct refine_answer *answer);

/* refine_verdict.c: what an ended attempt changes. Each may stop the run. */
void pawl_refine_judge(struct refine_run *run, pawl_attempt *attempt, pawl_value *candidate, pawl_outcome *outcome);
void pawl_refine_keep(struct refine_run *run, const pawl_attempt *attempt, pawl_value *candidate);
void pawl_refine_end_round(struct refine_run *run);

/* refine_report.c: new references, NULL without memory. */
pawl_value *pawl_refine_input(struct refine_run *run, pawl_value *input);
pawl_value *pawl_refine_report(const struct refine_run *run, uint64_t now_ns);

#endif
