/* The code-execution node's JSON input as a request. */
#ifndef PAWL_EXECUTION_INPUT_H
#define PAWL_EXECUTION_INPUT_H

#include <pawl/integrations/sandbox.h>
#include <pawl/value.h>

/* What the node's options say. */
struct pawl_input_defaults {
    const char *node; /* name, for messages */
    const char *language;
    uint64_t timeout_ns;          /* as in the options: 0 means the limits' */
    pawl_execution_limits limits; /* as in the options: what is not 0 is default and bound */
};

/* The request and what it points to: texts of the JSON, which must outlive it, and memory of its own. */
struct pawl_input {
    pawl_execution_request request;
    pawl_execution_limits limits;
    const char **lists; /* args, env, collect, install, secret_env */
    const char *const *secret_env;
    uint64_t secret_env_count;
    pawl_execution_file *files;
    void **owned; /* decoded bytes and "NAME=value" texts */
    size_t owned_count;
};

/* Places after request.env_count and request.collect_count for the caller's. */
#define PAWL_INPUT_SPARE_ENV 3
#define PAWL_INPUT_SPARE_COLLECT 1

/*
 * Reads an input. PAWL_E_INVALID: names node, field, value and remedy; PAWL_E_LIMIT: more than the options allow;
 * PAWL_E_NOMEM. On failure nothing is to be released.
 */
pawl_status pawl_input_read(const struct pawl_input_defaults *defaults, const cJSON *json, struct pawl_input *ret_input,
                            pawl_error **err);
void pawl_input_finish(struct pawl_input *input);

#endif
