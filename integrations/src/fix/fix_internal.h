/* One run of pawl_fix(): what its steps and its report share. */
#ifndef PAWL_FIX_INTERNAL_H
#define PAWL_FIX_INTERNAL_H

#include <pawl/integrations/fix.h>

struct fix {
    pawl_fix_options options; /* language is the fix's own copy */
    pawl_judge *judge;
    char name[64]; /* for messages, cut */
};

/* The input, checked; texts are borrowed from it. */
struct fix_task {
    const char *program, *test, *holdout, *file, *language; /* holdout may be NULL */
    const cJSON *files;                                     /* may be NULL */
};

enum fix_phase { FIX_ORIGINAL = 0, FIX_LOOP, FIX_HOLDOUT };

struct fix_run {
    enum fix_phase phase;
    struct fix_task task;
    uint64_t started_ns, test_started_ns;
    pawl_value *child_input;        /* of the child that runs */
    pawl_attempt original, holdout; /* each owns verdict.output */
    bool has_holdout;
    pawl_value *report;      /* of the loop; NULL: the original passed */
    const char *program;     /* accepted or best; borrowed from report or task */
    const char *description; /* may be NULL */
};

/* fix_task.c. Each gives a new reference, or NULL with *err. */
pawl_status pawl_fix_read_task(const struct fix *fix, const pawl_value *in, struct fix_task *ret_task,
                               pawl_error **err);
/* What a test's execution gets (see fix_proof_internal.h): the test, and the program under its name beside it. */
pawl_value *pawl_fix_execution_input(const struct fix *fix, const struct fix_task *task, const char *test,
                                     const char *program, pawl_error **err);
/* What the loop gets: the task without its held-back test, with what the original's run showed. */
pawl_value *pawl_fix_loop_input(const struct fix_task *task, const pawl_attempt *original, const pawl_value *result,
                                pawl_error **err);
/* Text of a candidate, {"program": text} or a string; NULL when it has none. */
const char *pawl_fix_program_of(const pawl_value *candidate);

/* fix_hints.c: [{"line", "weight"}] of the lines of file in a traceback; NULL without memory. */
cJSON *pawl_fix_hints(const char *traceback, const char *file);

/* fix_report.c: the output; NULL without memory. */
pawl_value *pawl_fix_report(const struct fix_run *run, uint64_t now_ns);

#endif
