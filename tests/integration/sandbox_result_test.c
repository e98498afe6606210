/*
 * What comes out of a sandbox, when the program wants it to be something else: result files, uploads, streams, code.
 * The numbers are those of the catalogue of sandbox tests.
 */
#include "programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

static pawl_execution_result *collect(const char *code, const char *const *paths, uint64_t count) {
    pawl_execution_request request = program("python", code);
    request.collect = paths;
    request.collect_count = count;
    return run_program(&request);
}

static void test_34_a_sandbox_sees_nothing_of_the_one_before(void **state) {
    (void)state;
    static const char look[] =
        "import glob, os, socket\n"
        "print([p for p in ('/home/user/left', '/tmp/left', '/dev/shm/left') if os.path.exists(p)],"
        " [n for n in os.environ if 'LEFT' in n], len([p for p in os.listdir('/proc') if p.isdigit()]) > 2,"
        " 'left' in open('/proc/self/mountinfo').read())\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "print(s.connect_ex('\\0left'))\n";
    static const char leave[] = "import os, socket\n"
                                "for p in ('/home/user/left', '/tmp/left', '/dev/shm/left'): open(p, 'w').write('x')\n"
                                "s = socket.socket(socket.AF_UNIX)\ns.bind('\\0left')\ns.listen()\n"
                                "if os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(600)\n";
    char both[2048];
    static const char *const env[] = {"LEFT=1"};
    snprintf(both, sizeof both, "%s%s", leave, look);
    pawl_execution_request request = program("python", both);
    request.env = env, request.env_count = 1;
    pawl_execution_result *result = run_program(&request);
    assert_printed(result, "['/home/user/left', '/tmp/left', '/dev/shm/left'] ['LEFT'] False False\n0\n"); /* control */
    pawl_execution_result_free(result);
    result = run_python(look);
    assert_printed(result, "[] [] False False\n111\n");
    pawl_execution_result_free(result);
}

static void test_35_result_files_of_every_kind_are_described_and_never_followed(void **state) {
    (void)state;
    static const char *const paths[] = {"shadow", "hard", "fifo",       "proc",   "folder/shadow", "loop",
                                        "socket", "dir",  "link/inner", "sparse", "unreadable"};
    pawl_execution_result *result =
        collect("import os, socket\n"
                "os.symlink('/etc/shadow', 'shadow')\nos.mkfifo('fifo')\nos.symlink('/proc/1/environ', 'proc')\n"
                "os.symlink('/etc', 'folder')\nos.symlink('loop', 'loop')\nos.mkdir('dir')\n"
                "os.mkdir('real')\nopen('real/inner', 'w').write('x')\nos.symlink('real', 'link')\n"
                "socket.socket(socket.AF_UNIX).bind('socket')\n"
                "try: os.link('/etc/passwd', 'hard')\nexcept OSError: pass\n"
                "open('sparse', 'w').truncate(50 << 20)\n"
                "open('unreadable', 'w').write('x')\nos.chmod('unreadable', 0)\n",
                paths, 11);
    static const pawl_collected_kind kinds[] = {
        PAWL_COLLECTED_SYMLINK,    PAWL_COLLECTED_ABSENT,    PAWL_COLLECTED_OTHER,     PAWL_COLLECTED_SYMLINK,
        PAWL_COLLECTED_UNREADABLE, PAWL_COLLECTED_SYMLINK,   PAWL_COLLECTED_OTHER,     PAWL_COLLECTED_FOLDER,
        PAWL_COLLECTED_UNREADABLE, PAWL_COLLECTED_TOO_LARGE, PAWL_COLLECTED_UNREADABLE};
    assert_outcome(result, "ok");
    for (size_t i = 0; i < 11; i++) {
        if (result->files[i].kind != (uint64_t)kinds[i])
            print_message("%s: %s\n", paths[i], pawl_collected_kind_word((pawl_collected_kind)result->files[i].kind));
        assert_int_equal(result->files[i].kind, kinds[i]);
    }
    assert_string_equal(result->files[0].bytes, "/etc/shadow");
    assert_string_equal(result->files[3].bytes, "/proc/1/environ");
    assert_int_equal(result->files[4].length, 0);
    assert_true(result->timings.collect_ns < PAWL_S(1)); /* no FIFO was waited for */
    pawl_execution_result_free(result);
}

static void test_35_deep_and_outer_paths_are_refused_or_absent(void **state) {
    (void)state;
    static char deep[5000];
    static const char *const outer[] = {"..", "../x", "/etc/shadow", "a/../../x", "", "a//b", "./a"};
    const char *paths[] = {deep};
    for (size_t i = 0; i + 1 < 4000; i += 2)
        memcpy(deep + i, "d/", 2);
    deep[3999] = 'd';
    pawl_execution_result *result = collect("import os\nfor i in range(500): os.mkdir('d'); os.chdir('d')", paths, 1);
    assert_int_equal(result->files[0].kind, PAWL_COLLECTED_ABSENT);
    pawl_execution_result_free(result);
    for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++) {
        pawl_execution_request request = program("python", "");
        request.collect = &outer[i];
        request.collect_count = 1;
        assert_program_error(&request, PAWL_E_INVALID, "collect: path");
    }
}

static void test_36_a_race_of_renames_ends_before_results_are_read(void **state) {
    (void)state;
    static const char *const paths[] = {"d/secret"};
    for (int round = 0; round < 5; round++) {
        pawl_execution_result *result =
            collect("import os, time\nos.mkdir('real')\nopen('real/secret', 'w').write('mine')\n"
                    "os.symlink('/etc', 'link')\nos.rename('real', 'd')\n"
                    "if os.fork() == 0:\n    os.setsid()\n    while True:\n"
                    "        os.rename('d', 'real'); os.rename('link', 'd')\n"
                    "        os.rename('d', 'link'); os.rename('real', 'd')\n"
                    "time.sleep(0.05)",
                    paths, 1);
        const pawl_collected_file *file = &result->files[0];
        assert_outcome(result, "ok");
        if (file->kind == PAWL_COLLECTED_FILE)
            assert_string_equal(file->bytes, "mine");
        else
            assert_true(file->kind == PAWL_COLLECTED_UNREADABLE || file->kind == PAWL_COLLECTED_ABSENT);
        pawl_execution_result_free(result);
    }
}

static void test_37_uploads_stay_in_the_work_folder(void **state) {
    (void)state;
    static char long_name[300];
    memset(long_name, 'n', sizeof long_name - 1);
    static const char *const names[] = {"../x", "/etc/x", "", ".", "..", "a/..", "a/../b", "a//b", "a/", long_name};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const pawl_execution_file files[] = {{names[i], "x", 1, 0}};
        pawl_execution_request request = program("python", "");
        request.files = files;
        request.file_count = 1;
        assert_program_error(&request, PAWL_E_INVALID, "files: path");
    }
    const pawl_execution_file odd[] = {{"...", "x", 1, 0}, {" \n\xff", "y", 1, 0}, {"-rf", "z", 1, 0}};
    pawl_execution_request request = program("python", "import os\nprint(sorted(os.listdir(b'.')))");
    request.files = odd;
    request.file_count = 3;
    pawl_execution_result *result = run_program(&request);
    assert_printed(result, "[b' \\n\\xff', b'-rf', b'...', b'main.py']\n");
    pawl_execution_result_free(result);
}

static long memory_in_use(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss; /* KiB */
}

static void test_47_floods_are_counted_cut_and_ended(void **state) {
    (void)state;
    static const char *const floods[] = {"import os\nb = b'x' * 65536\nwhile True: os.write(1, b)",
                                         "import os\nb = b'x' * 65536\nwhile True: os.write(2, b)",
                                         "import os\nb = b'x' * 65536\nwhile True: os.write(1, b); os.write(2, b)"};
    const pawl_execution_limits limits = {
        .size = sizeof limits, .output_bytes = 100000, .output_total_bytes = PAWL_MIB(200)};
    long before = memory_in_use();
    for (size_t i = 0; i < 3; i++) {
        pawl_execution_request request = program("python", floods[i]);
        request.limits = &limits;
        pawl_execution_result *result = run_program(&request);
        uint64_t seen = result->stdout_stream.bytes_seen + result->stderr_stream.bytes_seen;
        assert_outcome(result, "output_limit");
        assert_true(result->truncated);
        assert_int_equal(result->stdout_stream.bytes_kept, i == 1 ? 0 : 100000);
        assert_int_equal(result->stderr_stream.bytes_kept, i == 0 ? 0 : 100000);
        assert_true(seen > PAWL_MIB(200) && seen <= PAWL_MIB(200) + 65536); /* at most one read too much */
        pawl_execution_result_free(result);
    }
    assert_true(memory_in_use() - before < 20 << 10);
}

static void test_47_what_is_past_the_cap_is_dropped_and_the_program_goes_on(void **state) {
    (void)state;
    pawl_execution_result *result = run_python("import sys\nprint('x' * 5000000)\nsys.exit(3)");
    assert_outcome(result, "nonzero_exit");
    assert_int_equal(result->exit_status, 3);
    assert_int_equal(result->stdout_stream.bytes_seen, 5000001);
    assert_int_equal(result->stdout_stream.bytes_kept, PAWL_MIB(1));
    assert_true(result->truncated);
    pawl_execution_result_free(result);
}

struct sum {
    uint64_t bytes, value;
};

static void add(void *user, const void *bytes, size_t length) {
    struct sum *sum = user;
    sum->bytes += length;
    for (size_t i = 0; i < length; i++)
        sum->value = sum->value * 31 + ((const unsigned char *)bytes)[i];
}

static void test_48_streams_are_exact_whatever_the_bytes(void **state) {
    (void)state;
    static const char *const codes[] = {
        "import os\nfor i in range(40): os.write(1, b'y' * 50000)",                           /* no end of line */
        "import sys\nsys.stdout.buffer.write(b''.join(b'%d\\n' % i for i in range(100000)))", /* tiny lines */
        "import os\nos.write(1, bytes(range(256)) * 1000)",                                   /* NUL, broken UTF-8 */
        "import os\nfor i in range(2000): os.write(1, bytes([i % 256]))"};
    for (size_t i = 0; i < 4; i++) {
        struct sum streamed = {0}, kept = {0};
        const pawl_execution_handlers handlers = {.size = sizeof handlers, .on_stdout = add, .user = &streamed};
        pawl_execution_request request = program("python", codes[i]);
        request.handlers = &handlers;
        pawl_execution_result *result = run_program(&request);
        assert_outcome(result, "ok");
        assert_int_equal(streamed.bytes, result->stdout_stream.bytes_seen);
        struct sum whole = {0};
        static unsigned char expected[2 << 20];
        size_t length = 0;
        for (int n = 0; i == 1 && n < 100000; n++)
            length += (size_t)sprintf((char *)expected + length, "%d\n", n);
        for (; i == 0 && length < 2000000; length++)
            expected[length] = 'y';
        for (; (i == 2 && length < 256000) || (i == 3 && length < 2000); length++)
            expected[length] = (unsigned char)length;
        add(&whole, expected, length);
        assert_int_equal(streamed.bytes, length);
        assert_true(streamed.value == whole.value);
        add(&kept, result->stdout_stream.bytes, (size_t)result->stdout_stream.bytes_kept);
        assert_memory_equal(result->stdout_stream.bytes, expected, (size_t)result->stdout_stream.bytes_kept);
        pawl_execution_result_free(result);
    }
}

static void test_61_frames_of_the_protocol_are_just_output(void **state) {
    (void)state;
    pawl_execution_result *result = run_python(
        "import os, struct\n"
        "frames = [struct.pack('=II', t, n) + b'x' * min(n, 100) for t in range(60, 72) for n in (0, 8, 56, 1 << 20)]\n"
        "frames += [struct.pack('=IHHIIQ', 0x4c574150, 1, t, 0, 0, 1) for t in range(4)]\n"
        "for fd in range(3, 1024):\n"
        "    for f in frames:\n"
        "        try: os.write(fd, f)\n"
        "        except OSError: break\n"
        "for f in frames: os.write(1, f); os.write(2, f)\n"
        "print(sum(map(len, frames)), end='')\n"
        "os._exit(5)");
    assert_outcome(result, "nonzero_exit");
    assert_int_equal(result->exit_status, 5);
    assert_int_equal(result->stderr_stream.bytes_seen, result->stdout_stream.bytes_seen - 4);
    assert_memory_equal(result->stdout_stream.bytes + result->stdout_stream.bytes_kept - 4, "2448", 4);
    pawl_execution_result_free(result);
}

static void test_62_any_code_has_a_defined_outcome(void **state) {
    (void)state;
    static const struct {
        const char *language, *code;
        size_t length;
        const char *outcome;
    } list[] = {{"python", "", 0, "ok"},
                {"javascript", "", 0, "ok"},
                {"bash", "", 0, "ok"},
                {"python", "# \xff\nprint(1)", 12, "exception"},
                {"python", "def f(:", 7, "exception"},
                {"javascript", "let x = ;", 9, "exception"},
                {"bash", "if", 2, "nonzero_exit"}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        pawl_execution_request request = program(list[i].language, "");
        request.code = list[i].code;
        request.code_length = list[i].length;
        pawl_execution_result *result = run_program(&request);
        assert_outcome(result, list[i].outcome);
        if (strcmp(list[i].outcome, "exception") == 0)
            assert_string_equal(result->error_name, "SyntaxError");
        pawl_execution_result_free(result);
    }
}

static void test_62_code_with_nul_is_cut_or_refused_by_the_interpreter(void **state) {
    (void)state;
    pawl_execution_request request = program("python", "");
    request.code = "print(1)\0print(2)"; /* CPython reads to the NUL before 3.12 and refuses it since */
    request.code_length = 17;
    pawl_execution_result *result = run_program(&request);
    if (result->exit_status == 0)
        assert_printed(result, "1\n");
    else
        assert_outcome(result, "exception");
    pawl_execution_result_free(result);
}

static void test_62_ten_megabytes_of_code_run(void **state) {
    (void)state;
    static const char line[] = "# a comment that is as long as a line of code may be\n";
    size_t length = 10 << 20;
    char *code = malloc(length + 1);
    assert_non_null(code);
    for (size_t i = 0; i < length; i++)
        code[i] = line[i % (sizeof line - 1)];
    memcpy(code + length - 22, "\nprint('at the end')\n\n", 22);
    pawl_execution_request request = program("python", "");
    request.code = code;
    request.code_length = length;
    pawl_execution_result *result = run_program(&request);
    assert_printed(result, "at the end\n");
    pawl_execution_result_free(result);
    free(code);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_34_a_sandbox_sees_nothing_of_the_one_before),
        cmocka_unit_test(test_35_result_files_of_every_kind_are_described_and_never_followed),
        cmocka_unit_test(test_35_deep_and_outer_paths_are_refused_or_absent),
        cmocka_unit_test(test_36_a_race_of_renames_ends_before_results_are_read),
        cmocka_unit_test(test_37_uploads_stay_in_the_work_folder),
        cmocka_unit_test(test_47_floods_are_counted_cut_and_ended),
        cmocka_unit_test(test_47_what_is_past_the_cap_is_dropped_and_the_program_goes_on),
        cmocka_unit_test(test_48_streams_are_exact_whatever_the_bytes),
        cmocka_unit_test(test_61_frames_of_the_protocol_are_just_output),
        cmocka_unit_test(test_62_any_code_has_a_defined_outcome),
        cmocka_unit_test(test_62_code_with_nul_is_cut_or_refused_by_the_interpreter),
        cmocka_unit_test(test_62_ten_megabytes_of_code_run),
    };
    return cmocka_run_group_tests(tests, start_programs, stop_programs);
}
