#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

pawl_helper_client *helper_client;

int start_helper(void **state) {
    (void)state;
    char text[1200];
    const char *path = getenv("PAWL_HELPER");
    helper_client = path ? pawl_helper_client_new(path, text, sizeof text, NULL) : NULL;
    if (!helper_client)
        print_error("%s\n", path ? text : "PAWL_HELPER must name the helper");
    return helper_client ? 0 : -1;
}

int stop_helper(void **state) {
    (void)state;
    helper_client = pawl_helper_client_free(helper_client);
    return 0;
}

static bool on_output(void *user, int stream, const uint8_t *bytes, size_t length) {
    struct seen *seen = user;
    size_t room = sizeof seen->text[0] - 1 - seen->bytes[stream];
    if (seen->bytes[stream] < sizeof seen->text[0] - 1)
        memcpy(seen->text[stream] + seen->bytes[stream], bytes, length < room ? length : room);
    seen->bytes[stream] += length;
    return seen->stop_after == 0 || seen->bytes[1] <= seen->stop_after;
}

static void on_file(void *user, const struct pawl_wire_result *file) {
    struct seen *seen = user;
    if (seen->file_count < 8)
        seen->files[seen->file_count++] = *file;
}

static void on_file_data(void *user, uint32_t index, const uint8_t *bytes, size_t length) {
    struct seen *seen = user;
    size_t used = strlen(seen->data[index]);
    if (used + length < sizeof seen->data[index])
        memcpy(seen->data[index] + used, bytes, length);
}

static struct pawl_wire_limits usual_limits(void) {
    return (struct pawl_wire_limits){.address_space_bytes = PAWL_UNBOUNDED,
                                     .cpu_ns = PAWL_UNBOUNDED,
                                     .file_bytes = PAWL_UNBOUNDED,
                                     .stack_bytes = 8 << 20,
                                     .open_files = 256,
                                     .processes = 64,
                                     .scratch_bytes = 16 << 20,
                                     .scratch_inodes = 1024,
                                     .collect_file_bytes = 1000,
                                     .collect_total_bytes = 1500,
                                     .allow_missing = PAWL_OPTIONAL_MECHANISMS};
}

struct shell *shell(const char *script) {
    struct shell *shell = calloc(1, sizeof *shell);
    assert_non_null(shell);
    shell->argv[0] = "bash", shell->argv[1] = "-c", shell->argv[2] = script;
    shell->request = (struct pawl_helper_request){.exec = "/bin/bash", .timeout_ns = PAWL_UNBOUNDED};
    shell->request.argv = shell->argv;
    shell->request.limits = usual_limits();
    shell->cancel_fd = -1;
    shell->deadline_ns = PAWL_UNBOUNDED;
    return shell;
}

void run_shell(struct shell *shell) {
    const struct pawl_helper_sink sink = {
        .on_output = on_output, .on_file = on_file, .on_file_data = on_file_data, .user = &shell->seen};
    pawl_helper_run(helper_client, &shell->request, &sink, shell->cancel_fd, shell->deadline_ns, &shell->result);
}

void assert_exited(const struct shell *shell, enum pawl_exit_kind kind, unsigned status) {
    if (shell->result.end != PAWL_HELPER_EXITED)
        print_message("end %d: %s\n", shell->result.end, shell->result.text);
    assert_int_equal(shell->result.end, PAWL_HELPER_EXITED);
    assert_int_equal(shell->result.exit.kind, kind);
    assert_int_equal(shell->result.exit.status, status);
}
