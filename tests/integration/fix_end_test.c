/* What counts as the end of a test, in the real sandbox: no exit of the program under test, in whatever way. */
#include "programs.h"
#include <pawl/pawl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct trial {
    const char *program, *test;
};

static pawl_status no_ideas(void *user, pawl_context *ctx, pawl_value *in, pawl_value **ret_out, pawl_error **err) {
    (void)user, (void)ctx, (void)in, (void)err;
    *ret_out = pawl_value_null();
    return PAWL_OK;
}

/* The report on the program as it is; the held-back test is the same test, as it must end too. */
static pawl_value *report_on(const char *language, const struct trial *trial) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "program", trial->program);
    cJSON_AddStringToObject(json, "test", trial->test);
    cJSON_AddStringToObject(json, "holdout", trial->test);
    pawl_value *in = pawl_value_take(json), *out = NULL;
    pawl_context *ctx = pawl_context_new(programs_runtime());
    pawl_primitive *fix =
        pawl_fix("fix", pawl_inline("generate", no_ideas, NULL), NULL, .language = language, .timeout_ns = PAWL_S(20));
    pawl_error *err = NULL;
    if (pawl_run(fix, ctx, in, &out, &err) != PAWL_OK)
        fail_msg("%s", pawl_error_message(err));
    pawl_primitive_unref(fix);
    pawl_context_unref(ctx);
    pawl_value_unref(in);
    return out;
}

static void expect_ends(const char *language, const struct trial *trials, size_t count) {
    for (size_t i = 0; i < count; i++) {
        pawl_value *out = report_on(language, &trials[i]);
        if (strcmp(pawl_value_get_string(out, "outcome", ""), "already_passes") != 0 ||
            !pawl_value_get_bool(out, "passed_holdout", false))
            fail_msg("no end: %s\n%s", trials[i].program, trials[i].test);
        pawl_value_unref(out);
    }
}

static void expect_no_end(const char *language, const struct trial *trials, size_t count) {
    for (size_t i = 0; i < count; i++) {
        pawl_value *out = report_on(language, &trials[i]);
        const cJSON *original = pawl_value_get(out, "original");
        const cJSON *check = cJSON_GetObjectItem(cJSON_GetObjectItem(original, "checks"), "test");
        const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(check, "message"));
        if (pawl_value_get_bool(out, "passed_checks", true) || !message ||
            strcmp(message, "the test did not run to its end") != 0)
            fail_msg("'%s' of: %s\n%s", message ? message : "", trials[i].program, trials[i].test);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(original, "outcome")), "check_failed");
        pawl_value_unref(out);
    }
}

#define EXPECT(expect, language, ...)                                                                                  \
    expect(language, (const struct trial[]){__VA_ARGS__},                                                              \
           sizeof((const struct trial[]){__VA_ARGS__}) / sizeof(struct trial))

/* ---- Python ---- */

#define PY_TEST "from program import f\nassert f() == 1\n"
#define PY_UNITTEST                                                                                                    \
    "import unittest\nfrom program import f\nclass T(unittest.TestCase):\n    def test_f(self):\n        "             \
    "self.assertEqual(f(), 1)\nif __name__ == '__main__':\n    unittest.main()\n"

static void no_exit_of_a_python_program_ends_its_test(void **state) {
    (void)state;
    EXPECT(
        expect_no_end, "python",
        {"import sys\ndef f():\n    return 2\ndef main():\n    sys.exit(0)\nif __name__ != '__main__':\n    main()\n",
         PY_TEST},
        {"def f():\n    raise SystemExit\n", PY_TEST}, {"import os\nos._exit(0)\n", PY_TEST},
        {"import os, sys\nsys.excepthook = lambda *_: os._exit(0)\ndef f():\n    return 2\n", PY_TEST},
        {"import sys\nsys.exit()\n", PY_UNITTEST});
}

static void a_python_test_may_end_itself(void **state) {
    (void)state;
    EXPECT(expect_ends, "python", {"def f():\n    return 1\n", "from program import f\nassert f() == 1"},
           {"def f():\n    return 1\n", PY_UNITTEST},
           {"def f():\n    return 1\n", "import sys\nfrom program import f\nsys.exit(f() - 1)\n"},
           {"def f():\n    return 1\n",
            "from __future__ import annotations\nimport os, pickle\nfrom program import f\nclass A:\n    pass\n"
            "assert type(pickle.loads(pickle.dumps(A()))) is A\nassert __file__.endswith('pawl_test.py')\n"
            "os.chdir('/tmp')\nassert f() == 1\n"});
}

static void tracebacks_name_the_test_and_the_program_alone(void **state) {
    (void)state;
    pawl_value *out = report_on("python", &(struct trial){"def f():\n    return 1 / 0\n", PY_TEST});
    const cJSON *output = cJSON_GetObjectItem(pawl_value_get(out, "original"), "output");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(output, "stderr"));
    assert_non_null(strstr(text, "Traceback (most recent call last):\n  File \"/home/user/pawl_test.py\", line 2, in "
                                 "<module>\n"));
    assert_non_null(strstr(text, "  File \"/home/user/program.py\", line 2, in f\n"));
    assert_null(strstr(text, "main.py"));
    pawl_value_unref(out);
}

/* ---- JavaScript ---- */

#define JS_TEST "const f = require('./program.js');\nrequire('assert').equal(f(), 1);\n"
#define JS_LATER "const f = require('./program.js');\nf().then((x) => require('assert').equal(x, 1));\n"

static void no_exit_of_a_javascript_program_ends_its_test(void **state) {
    (void)state;
    EXPECT(expect_no_end, "javascript", {"module.exports = () => 2;\nprocess.exit(0);\n", JS_TEST},
           {"module.exports = () => process.exit(0);\n", JS_TEST},
           {"module.exports = async () => {\n    await null;\n    process.exit();\n};\n", JS_LATER},
           {"process.on('uncaughtException', () => {});\nmodule.exports = async () => 2;\n", JS_LATER},
           {"process.on('uncaughtException', () => {});\nmodule.exports = () => 2;\n", JS_TEST});
}

static void a_javascript_test_may_end_itself(void **state) {
    (void)state;
    EXPECT(expect_ends, "javascript", {"module.exports = () => 1;\n", JS_TEST},
           {"module.exports = async () => 1;\n", JS_LATER},
           {"module.exports = async () => 1;\n",
            "#!/usr/bin/env node\n'use strict';\nprocess.exitCode = 1;\nconst f = require('./program.js');\nif "
            "(require.main === module)\n    f().then((x) => {\n        require('assert').equal(x, 1);\n        "
            "process.exit(0);\n    });\n"});
}

/* ---- bash ---- */

static void no_exit_of_a_bash_program_ends_its_test(void **state) {
    (void)state;
    EXPECT(expect_no_end, "bash", {"exit 0\n", ". ./program.sh\n[ \"$(f)\" = 1 ]\n"},
           {"f() { exit 0; }\n", ". ./program.sh\nf\nexit 1\n"},
           {"f() { builtin exit 0; }\n", ". ./program.sh\n(exit 0)\nf\nexit 1\n"});
}

static void a_bash_test_may_end_itself(void **state) {
    (void)state;
    EXPECT(expect_ends, "bash", {"f() { echo 1; }\n", ". ./program.sh\n[ \"$(f)\" = 1 ]"},
           {"f() { echo 1; }\n",
            "#!/bin/bash\nset -euo pipefail\ntrap true EXIT\n. ./program.sh\n[ \"$(f)\" = 1 ] || exit 1\nexit\n"},
           {"echo 1\n",
            "if [ \"$0\" = \"${BASH_SOURCE[0]}\" ]; then\n    cd /\n    [ \"$(bash ${0%/*}/program.sh)\" = 1 "
            "]\nelse\n    exit 3\nfi\n"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_exit_of_a_python_program_ends_its_test),
        cmocka_unit_test(a_python_test_may_end_itself),
        cmocka_unit_test(tracebacks_name_the_test_and_the_program_alone),
        cmocka_unit_test(no_exit_of_a_javascript_program_ends_its_test),
        cmocka_unit_test(a_javascript_test_may_end_itself),
        cmocka_unit_test(no_exit_of_a_bash_program_ends_its_test),
        cmocka_unit_test(a_bash_test_may_end_itself),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
