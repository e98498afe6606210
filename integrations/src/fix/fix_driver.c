/* The main programs that run a test and write a proof when it has run to its end; see fix.h for what that means. */
#include "execution/language_internal.h"
#include "fix_internal.h"
#include "fix_proof_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fresh __main__, so that unittest.main() and `if __name__ == "__main__"` work. A SystemExit with status 0 is an end
 * of the test unless the program under test is on its traceback. Frames of this file are left out of tracebacks. */
static const char python[] =
    "import os, sys, types\n"
    "def run(program, nonce):\n"
    "    folder = os.path.dirname(os.path.abspath(__file__))\n"
    "    test = os.path.join(folder, 'pawl_test.py')\n"
    "    def prove():\n"
    "        with open(os.path.join(folder, '" PAWL_PROOF_FILE "'), 'w') as proof:\n"
    "            proof.write(nonce)\n"
    "    def is_of_program(trace):\n"
    "        while trace:\n"
    "            if os.path.basename(trace.tb_frame.f_code.co_filename) == program:\n"
    "                return True\n"
    "            trace = trace.tb_next\n"
    "        return False\n"
    "    main = types.ModuleType('__main__')\n"
    "    main.__file__ = sys.argv[0] = test\n"
    "    main.__builtins__ = __builtins__\n"
    "    sys.modules['__main__'] = main\n"
    "    try:\n"
    "        with open(test, 'rb') as source:\n"
    "            code = compile(source.read(), test, 'exec', dont_inherit=True)\n"
    "        exec(code, main.__dict__)\n"
    "    except SystemExit as end:\n"
    "        if (end.code is None or end.code == 0) and not is_of_program(end.__traceback__):\n"
    "            prove()\n"
    "        raise\n"
    "    except BaseException as error:\n"
    "        trace = error.__traceback__.tb_next\n"
    "        sys.excepthook(type(error), error.with_traceback(trace), trace)\n"
    "    else:\n"
    "        return prove()\n"
    "    sys.exit(1)\n"
    "run(%s, '%s')\n";

/* "beforeExit" comes when the event loop is empty and not after process.exit() (Node's doc/api/process.md). */
static const char javascript[] =
    "((load, nonce) => {\n"
    "    const fs = load('fs'), path = load('path'), exit = process.exit;\n"
    "    const folder = path.dirname(path.resolve(process.argv[1])), test = path.join(folder, 'pawl_test.js');\n"
    "    let ended = false, broken = false;\n"
    "    process.exit = function (code) {\n"
    "        ended = String(new Error().stack).split('\\n').slice(2, 3).some((frame) => frame.includes(test + ':'));\n"
    "        return exit.call(process, code);\n"
    "    };\n"
    "    process.on('uncaughtExceptionMonitor', () => { broken = true; });\n"
    "    process.on('exit', (code) => {\n"
    "        if (ended && !broken && code === 0)\n"
    "            fs.writeFileSync(path.join(folder, '" PAWL_PROOF_FILE "'), nonce);\n"
    "    });\n"
    "    process.argv[1] = test;\n"
    "    load('module').runMain();\n"
    "    process.once('beforeExit', () => { ended = true; });\n"
    "})(typeof require === 'function' ? require : process.getBuiltinModule, '%s');\n";

/* BASH_SOURCE[1] is the file that called exit; $$ is the main shell's id in a subshell too. BASH_ARGV0 sets $0 (bash
 * 5).
 */
static const char bash[] =
    "exit() {\n"
    "    local status=${1-$?}\n"
    "    if [ \"$status\" = 0 ] && [ \"$BASHPID\" = $$ ] &&\n"
    "        [[ ${BASH_SOURCE[1]} == \"$0\" || ${BASH_SOURCE[1]} == \"${BASH_SOURCE[0]}\" ]]; then\n"
    "        printf %%s '%s' >\"${0%%/*}/" PAWL_PROOF_FILE "\"\n"
    "    fi\n"
    "    builtin exit \"$status\"\n"
    "}\n"
    "BASH_ARGV0=${BASH_SOURCE[0]%%/*}/pawl_test.sh\n"
    "source \"$0\"\n"
    "exit\n";

const char *pawl_proof_test_name(const char *language) {
    switch (pawl_language_of(language)) {
    case PAWL_LANGUAGE_PYTHON:
        return "pawl_test.py";
    case PAWL_LANGUAGE_JAVASCRIPT:
        return "pawl_test.js";
    case PAWL_LANGUAGE_BASH:
        return "pawl_test.sh";
    default:
        return NULL;
    }
}

/* A JSON string is a Python one. */
static char *print_python(const char *program, const char *nonce) {
    cJSON *text = cJSON_CreateString(program);
    char *quoted = text ? cJSON_PrintUnformatted(text) : NULL, *driver = NULL;
    if (quoted && asprintf(&driver, python, quoted, nonce) < 0)
        driver = NULL;
    cJSON_free(quoted);
    cJSON_Delete(text);
    return driver;
}

char *pawl_proof_driver(const char *language, const char *program, const char *nonce) {
    char *driver = NULL;
    pawl_language which = pawl_language_of(language);
    if (which == PAWL_LANGUAGE_PYTHON)
        return print_python(program, nonce);
    if (which == PAWL_LANGUAGE_JAVASCRIPT)
        return asprintf(&driver, javascript, nonce) < 0 ? NULL : driver;
    return asprintf(&driver, bash, nonce) < 0 ? NULL : driver;
}
