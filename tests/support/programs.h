/* Runs programs in local sandboxes through the public interface; sentences for integration tests. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <pawl/integrations/integrations.h>

/* Runtime and provider of a test group, with the helper that PAWL_HELPER names. As group set-up and tear-down. */
int start_programs(void **state);
int stop_programs(void **state);
pawl_runtime *programs_runtime(void);
pawl_sandbox_provider *programs_provider(void);
/* A provider of its own, for tests that break it. The test fails when there is none. */
pawl_sandbox_provider *new_local_provider(void);

/* A request for a program; set more fields before running it. */
pawl_execution_request program(const char *language, const char *code);
/* Runs a request in a fresh sandbox and expects a result. */
pawl_execution_result *run_program(const pawl_execution_request *request);
pawl_execution_result *run_python(const char *code);
pawl_execution_result *run_with_timeout(const char *language, const char *code, uint64_t wall_ns);
/* Runs a request and expects an error of this status; says is a part of its message. */
void assert_program_error(const pawl_execution_request *request, pawl_status status, const char *says);

const char *outcome_of(const pawl_execution_result *result);
/* Both also print what the program said when they fail. */
void assert_outcome(const pawl_execution_result *result, const char *word);
void assert_printed(const pawl_execution_result *result, const char *text);

/* Runs the code-execution node on JSON text. New reference; NULL when the run failed, with the error set then. */
pawl_value *run_node(pawl_primitive *node, const char *input, pawl_error **ret_error);

uint64_t now_ns(void);
/* Beside a deadline, on a machine that is busy with other tests. */
#define SLACK_NS PAWL_MS(500)
/* Text for a command line that no other process has; valid until the next call. */
const char *new_marker(void);
/* Number of processes on this machine whose command line contains marker; ret_uid: of one of them, may be NULL. */
size_t count_processes(const char *marker, unsigned *ret_uid);
/* Whether that number becomes 0 within the time. */
bool are_gone_within(const char *marker, uint64_t ns);

#endif
