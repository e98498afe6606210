/* Proof that a test has run to its end: a number that only its main program knows, written at the end. */
#ifndef PAWL_FIX_PROOF_INTERNAL_H
#define PAWL_FIX_PROOF_INTERNAL_H

#include <pawl/primitive.h>

#define PAWL_PROOF_FILE ".pawl_test_ended" /* in the work folder */
#define PAWL_NOT_ENDED "the test did not run to its end"

/* fix_driver.c: name of the test beside its driver; NULL for a language without one (static). */
const char *pawl_proof_test_name(const char *language);
/* The main program; released with free(); NULL without memory. Only for a language with a name as above. */
char *pawl_proof_driver(const char *language, const char *program, const char *nonce);

/* fix_proof.c: a node around the executor (taken). Its input is an execution input with "program" added, the name of
 * the program's file; its output is the executor's, and of one with outcome "ok" has "completed": whether the proof
 * came back. Where it did not, the outcome is "check_failed". */
pawl_primitive *pawl_proof_new(pawl_primitive *executor);

#endif
