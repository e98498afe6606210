/* pawl_fix() over a generator that answers by a script, and an executor that only looks: a program passes a test when
 * it contains the test's text. */
#ifndef FIX_PLAY_H
#define FIX_PLAY_H

#include "virtual_runtime.h"

#include <pawl/integrations/fix.h>

struct fix_play {
    const char *answers[8]; /* of the generator; the last one again and again */
    size_t asked, executions, attempts;
    char *told, *ran; /* last input of generator and executor */
    const char *says; /* execution value instead */
    bool cheats;      /* what passes has no proof that the test ran to its end */
};

pawl_primitive *play_generator(struct fix_play *play);
pawl_primitive *play_executor(struct fix_play *play);
void count_attempt(void *play, const pawl_attempt *attempt, pawl_value *candidate);
#define fixing(play, ...)                                                                                              \
    pawl_fix("fix", play_generator(play), play_executor(play), .on_attempt = count_attempt, .user = (play), __VA_ARGS__)

/* What passes when it contains both "c" and "d". */
#define TASK "{\"program\": \"a\\nb\\n\", \"test\": \"c\", \"holdout\": \"d\"}"
/* 32 hex digits: what a driver proves the end of its test with. */
const char *nonce_of(const char *driver);

/* Runs a node (taken) with JSON text; the test fails unless it ends so and nothing is alive. part: of the error. Gives
 * the output. */
pawl_value *run_fix(pawl_primitive *node, const char *in, pawl_status expected, const char *part);
/* Gives the output back. */
void end_fix(struct fix_play *play, pawl_value *out);

void assert_word(const pawl_value *out, const char *key, const char *word);
void assert_flag(const pawl_value *out, const char *key, bool expected);
void assert_number(const pawl_value *out, const char *key, double expected);

#endif
