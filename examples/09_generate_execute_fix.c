/* The whole loop: a generator that learns from feedback, the sandbox, a judge. The generator here is a C function that
 * stands for a model: it reads what went wrong and answers with the next program. */
#include <pawl/integrations/fix.h>
#include <pawl/pawl.h>
#include <stdio.h>
#include <string.h>

static pawl_status write_program(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out,
                                 pawl_error **err) {
    (void)user, (void)ctx;
    const char *feedback = pawl_value_get_string(in, "feedback", "");
    const char *code = "print(avrage([1, 2, 3]))"; /* first idea: a function that does not exist */
    if (strstr(feedback, "avrage"))
        code = "def average(n): return sum(n) / len(m)\nprint(average([1, 2, 3]))";
    else if (*feedback)
        code = "def average(n): return sum(n) / len(n)\nprint(average([1, 2, 3]))";
    cJSON *candidate = cJSON_CreateObject();
    cJSON_AddStringToObject(candidate, "code", code);
    *ret_out = pawl_value_take(candidate);
    return *ret_out ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "out of memory");
}

int main(void) {
    pawl_judge *judge = pawl_judge_all(PAWL_JUDGES(pawl_judge_outcome("ran"), pawl_judge_output("average", "2.0\n")));
    pawl_primitive *pipeline = pawl_timeout(
        "limit",
        pawl_refine("fix", pawl_function("write", write_program, NULL),
                    pawl_code_execution("run", .language = "python", .timeout_ns = PAWL_S(5)), .judge = pawl_judge_run,
                    .feedback = pawl_feedback_for_refine, .user = judge, .max_rounds = 5),
        .after_ns = PAWL_S(60));
    pawl_value *output = NULL;
    pawl_error *error = NULL;
    pawl_status status = pawl_run(pipeline, NULL, NULL, &output, &error);
    if (status == PAWL_OK)
        printf("%s after %.0f rounds\n", pawl_value_get_string(output, "stop_reason", "?"),
               pawl_value_get_number(output, "rounds", 0));
    else
        printf("%s\n", pawl_error_message(error));
    bool fixed = pawl_value_get_bool(output, "success", false);
    pawl_error_unref(error);
    pawl_value_unref(output);
    pawl_primitive_unref(pipeline);
    pawl_judge_unref(judge);
    return !fixed;
}
