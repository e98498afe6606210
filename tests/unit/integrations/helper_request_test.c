/* The request's way from the library's encoder to the helper's decoder, and what the decoder refuses. */
#include "local/helper/request.c"
#include "local/helper_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct received {
    struct request request;
    char path[8][64];
    uint8_t *content[8];
    size_t length[8];
    unsigned files, messages;
    enum request_event last;
};

static void keep(struct received *received, enum request_event event, const struct request_item *item) {
    if (event == REQUEST_FILE)
        snprintf(received->path[received->files++], 64, "%u:%o:%.40s", item->folder, item->mode, item->path);
    if (event != REQUEST_DATA)
        return;
    unsigned file = received->files - 1;
    received->content[file] = realloc(received->content[file], received->length[file] + item->length + 1);
    assert_non_null(received->content[file]);
    memcpy(received->content[file] + received->length[file], item->bytes, item->length);
    received->length[file] += item->length;
}

/* Encodes, decodes, and stops at the first fault of either side. */
static struct received *transfer(const struct pawl_helper_request *request, const char **ret_fault) {
    static uint8_t message[PAWL_WIRE_MESSAGE_MAX];
    static struct request_item item;
    struct pawl_helper_encoder encoder = {.request = request};
    struct received *received = calloc(1, sizeof *received);
    assert_non_null(received);
    received->last = REQUEST_HEAD;
    for (size_t length; received->last != REQUEST_BAD && (length = pawl_helper_encode(&encoder, message)) > 0;) {
        received->messages++;
        assert_true(length <= PAWL_WIRE_MESSAGE_MAX);
        for (size_t offset = 0; offset < length && received->last != REQUEST_BAD;) {
            received->last = request_next(&received->request, message, length, &offset, &item);
            keep(received, received->last, &item);
        }
    }
    *ret_fault = encoder.fault ? encoder.fault : received->last == REQUEST_BAD ? received->request.fault : NULL;
    return received;
}

static void release(struct received *received) {
    for (unsigned i = 0; i < 8; i++)
        free(received->content[i]);
    free(received);
}

static const char *const one_argument[] = {"echo", NULL};

static struct pawl_helper_request echo_request(void) {
    struct pawl_helper_request request = {.exec = "/bin/echo", .argv = one_argument};
    request.limits.scratch_bytes = 1 << 20;
    return request;
}

static void assert_refused(const struct pawl_helper_request *request, const char *reason) {
    const char *fault;
    struct received *received = transfer(request, &fault);
    assert_non_null(fault);
    assert_non_null(strstr(fault, reason));
    release(received);
}

static void an_ordinary_request_is_one_message(void **state) {
    (void)state;
    const char *const argv[] = {"python3", "", "-I", NULL}, *const env[] = {"A=b", "EMPTY=", NULL};
    const char *const binds[] = {"/opt/python", NULL}, *const collect[] = {"out/a.txt", "b", NULL};
    const struct pawl_helper_file files[] = {{"main.py", PAWL_FOLDER_PROGRAM, 0644, "print(1)", 8},
                                             {"empty", PAWL_FOLDER_WORK, 0600, NULL, 0}};
    struct pawl_helper_request request = {
        "/usr/bin/python3", argv, env, binds, collect, "sub/folder", files, 2, NULL, 0, 0, {.open_files = 77}};
    const char *fault;
    struct received *received = transfer(&request, &fault);
    assert_null(fault);
    assert_int_equal(received->messages, 1);
    assert_int_equal(received->last, REQUEST_END);
    const struct request *got = &received->request;
    assert_int_equal(got->limits.open_files, 77);
    assert_string_equal(got->exec, "/usr/bin/python3");
    assert_string_equal(got->cwd, "sub/folder");
    assert_int_equal(got->argc, 3);
    assert_string_equal(got->argv[1], "");
    assert_string_equal(got->argv[2], "-I");
    assert_null(got->argv[3]);
    assert_string_equal(got->env[1], "EMPTY=");
    assert_string_equal(got->binds[0], "/opt/python");
    assert_string_equal(got->collect[1], "b");
    assert_string_equal(received->path[0], "1:644:main.py");
    assert_memory_equal(received->content[0], "print(1)", 8);
    assert_string_equal(received->path[1], "0:600:empty");
    assert_int_equal(received->length[1], 0);
    release(received);
}

static void large_files_arrive_whole_over_many_messages(void **state) {
    (void)state;
    enum { SIZE = 300001 };
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    const struct pawl_helper_file files[] = {{"a", 0, 0644, bytes, SIZE}, {"b", 0, 0644, bytes, 65536 - 8}};
    struct pawl_helper_request request = echo_request();
    request.files = files;
    request.file_count = 2;
    const char *fault;
    struct received *received = transfer(&request, &fault);
    assert_null(fault);
    assert_int_equal(received->last, REQUEST_END);
    assert_int_equal(received->messages, 6);
    assert_int_equal(received->length[0], SIZE);
    assert_memory_equal(received->content[0], bytes, SIZE);
    assert_int_equal(received->length[1], 65536 - 8);
    assert_memory_equal(received->content[1], bytes, 65536 - 8);
    release(received);
    free(bytes);
}

static void arguments_may_fill_whole_messages(void **state) {
    (void)state;
    char *longest = malloc(PAWL_WIRE_PAYLOAD_MAX + 2);
    assert_non_null(longest);
    memset(longest, 'x', PAWL_WIRE_PAYLOAD_MAX + 1);
    longest[PAWL_WIRE_PAYLOAD_MAX + 1] = '\0';
    const char *argv[] = {longest + 1, longest + 1, "short", NULL};
    struct pawl_helper_request request = echo_request();
    request.argv = argv;
    const char *fault;
    struct received *received = transfer(&request, &fault);
    assert_null(fault);
    assert_int_equal(received->request.argc, 3);
    assert_int_equal(strlen(received->request.argv[1]), PAWL_WIRE_PAYLOAD_MAX);
    release(received);
    argv[1] = longest;
    assert_refused(&request, "longer than 65528 bytes");
    free(longest);
}

static void paths_that_could_leave_their_folder_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *path, *reason;
    } bad[] = {{"", "empty"},    {"/etc/passwd", "absolute"}, {"..", "'..'"},
               {"../x", "'..'"}, {"a/../../x", "'..'"},       {"a/..", "'..'"},
               {"./a", "'.'"},   {"a//b", "empty component"}, {"a/", "empty component"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct pawl_helper_file file = {bad[i].path, 0, 0644, "x", 1};
        const char *const list[] = {bad[i].path, NULL};
        struct pawl_helper_request upload = echo_request(), result = echo_request(), folder = echo_request();
        upload.files = &file;
        upload.file_count = 1;
        result.collect = list;
        folder.cwd = bad[i].path;
        assert_refused(&upload, bad[i].reason);
        assert_refused(&result, bad[i].reason);
        assert_refused(&folder, bad[i].reason);
    }
}

static void path_components_are_bounded(void **state) {
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name);
    assert_null(pawl_wire_path_fault(name, 255));
    assert_non_null(strstr(pawl_wire_path_fault(name, 256), "255"));
    assert_non_null(strstr(pawl_wire_path_fault("a\0b", 3), "NUL"));
    assert_null(pawl_wire_path_fault("...", 3));
    assert_null(pawl_wire_path_fault("a/..b/.c", 8));
}

static void requests_that_lack_or_repeat_a_part_are_refused(void **state) {
    (void)state;
    const char *const relative[] = {"opt/python", NULL}, *const nameless[] = {"=x", NULL}, *const none[] = {NULL};
    struct pawl_helper_request request = echo_request();
    request.exec = NULL;
    assert_refused(&request, "no EXEC");
    request.exec = "echo";
    assert_refused(&request, "'echo' is not absolute");
    request = echo_request();
    request.argv = none;
    assert_refused(&request, "no arguments");
    request = echo_request();
    request.env = nameless;
    assert_refused(&request, "NAME=value");
    request = echo_request();
    request.binds = relative;
    assert_refused(&request, "not absolute");
}

static void essential_mechanisms_cannot_be_waived_nor_budgets_be_infinite(void **state) {
    (void)state;
    struct pawl_helper_request request = echo_request();
    request.limits.allow_missing = PAWL_HAS_SECCOMP;
    assert_refused(&request, "cannot be without");
    request = echo_request();
    request.limits.scratch_bytes = PAWL_UNBOUNDED;
    assert_refused(&request, "finite");
}

static void counts_are_bounded(void **state) {
    (void)state;
    static const char *many[PAWL_WIRE_ARGS_MAX + 2];
    for (size_t i = 0; i <= PAWL_WIRE_ARGS_MAX; i++)
        many[i] = "A=b";
    struct pawl_helper_request request = echo_request();
    request.argv = many;
    assert_refused(&request, "more than 1024 arguments");
    request = echo_request();
    request.env = many;
    assert_refused(&request, "more than 1024 environment variables");
    request = echo_request();
    request.collect = many;
    assert_refused(&request, "more than 256 result files");
}

static void truncated_frames_are_refused(void **state) {
    (void)state;
    static struct request request;
    static struct request_item item;
    const uint32_t frame[3] = {PAWL_REQUEST_ARG, 5, 0};
    const uint8_t *bytes = (const uint8_t *)frame;
    for (size_t length = 1; length <= sizeof frame; length++) {
        size_t offset = 0;
        assert_int_equal(request_next(&request, bytes, length, &offset, &item), REQUEST_BAD);
        assert_int_equal(offset, 0);
    }
    assert_string_equal(request.fault, "a frame is longer than its message");
}

static void every_mechanism_has_a_name(void **state) {
    (void)state;
    for (unsigned i = 0; i < PAWL_MECHANISMS; i++)
        assert_string_not_equal(pawl_mechanism_name(UINT64_C(1) << i), "unknown");
    assert_string_equal(pawl_mechanism_name(UINT64_C(1) << PAWL_MECHANISMS), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_request_is_one_message),
        cmocka_unit_test(large_files_arrive_whole_over_many_messages),
        cmocka_unit_test(arguments_may_fill_whole_messages),
        cmocka_unit_test(paths_that_could_leave_their_folder_are_refused),
        cmocka_unit_test(path_components_are_bounded),
        cmocka_unit_test(requests_that_lack_or_repeat_a_part_are_refused),
        cmocka_unit_test(essential_mechanisms_cannot_be_waived_nor_budgets_be_infinite),
        cmocka_unit_test(counts_are_bounded),
        cmocka_unit_test(truncated_frames_are_refused),
        cmocka_unit_test(every_mechanism_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
