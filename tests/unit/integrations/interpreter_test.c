/* Which interpreter is taken, what is shown beside it, and what is said when there is none. */
#include "local/interpreter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "failing_malloc.h"

/* A folder of its own for each test, open to all. */
static char root[64];

static int make_root(void **state) {
    (void)state;
    strcpy(root, "/tmp/interpreter_test.XXXXXX");
    return mkdtemp(root) && chmod(root, 0755) == 0 ? 0 : -1;
}

static int remove_root(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static const char *at(const char *path) {
    static char text[4][512];
    static unsigned next;
    char *to = text[next++ % 4];
    snprintf(to, 512, "%s/%s", root, path);
    return to;
}

static void folder(const char *path, mode_t mode) {
    assert_int_equal(mkdir(at(path), 0755), 0);
    assert_int_equal(chmod(at(path), mode), 0);
}

static void file(const char *path, const char *content, mode_t mode) {
    FILE *out = fopen(at(path), "w");
    assert_non_null(out);
    fwrite(content, 1, strlen(content), out);
    fclose(out);
    assert_int_equal(chmod(at(path), mode), 0);
}

#define ELF "\177ELF and so on"
#define SHIM "#!/usr/bin/env bash\nexec manager \"$@\"\n"

static pawl_interpreter found;
static pawl_error *fault;

static pawl_status find(pawl_language language, const char *given, const char *path, bool other) {
    struct pawl_interpreter_search search = {
        .language = language, .given = given, .path = path, .guest_is_other = other};
    return pawl_interpreter_find(&search, &found, &fault);
}

static void forget(void) {
    pawl_interpreter_finish(&found);
    fault = pawl_error_unref(fault);
}

static bool shows(const char *path) {
    for (size_t i = 0; i < found.bind_count; i++)
        if (strcmp(found.binds[i], path) == 0)
            return true;
    return false;
}

static void the_first_real_binary_in_path_is_taken(void **state) {
    (void)state;
    char path[256];
    folder("a", 0755), folder("b", 0755), folder("c", 0755);
    file("a/node", SHIM, 0755);
    file("b/node", ELF, 0755);
    file("c/node", ELF, 0755);
    snprintf(path, sizeof path, "relative::%s:%s:%s", at("a"), at("b"), at("c"));
    assert_int_equal(find(PAWL_LANGUAGE_JAVASCRIPT, NULL, path, true), PAWL_OK);
    assert_string_equal(found.exec, at("b/node"));
    assert_int_equal(found.bind_count, 1); /* the binary alone: its folder may be anything */
    assert_true(shows(at("b/node")));
    forget();
}

static void a_link_to_a_version_manager_is_passed_over(void **state) {
    (void)state;
    char path[256];
    folder("shims", 0755), folder("real", 0755);
    file("real/manager", ELF, 0755);
    file("real/python3.99", ELF, 0755);
    assert_int_equal(symlink(at("real/manager"), at("shims/python3")), 0);
    assert_int_equal(symlink("python3.99", at("real/python3")), 0);
    snprintf(path, sizeof path, "%s:%s", at("shims"), at("real"));
    assert_int_equal(find(PAWL_LANGUAGE_PYTHON, NULL, path, false), PAWL_OK);
    assert_string_equal(found.exec, at("real/python3.99"));
    forget();
}

static void what_the_guest_cannot_read_is_passed_over(void **state) {
    (void)state;
    char path[256];
    folder("private", 0700), folder("open", 0755);
    folder("private/bin", 0755);
    file("private/bin/node", ELF, 0755);
    file("open/node", ELF, 0755);
    snprintf(path, sizeof path, "%s:%s", at("private/bin"), at("open"));
    assert_int_equal(find(PAWL_LANGUAGE_JAVASCRIPT, NULL, path, true), PAWL_OK);
    assert_string_equal(found.exec, at("open/node"));
    forget();
    assert_int_equal(find(PAWL_LANGUAGE_JAVASCRIPT, NULL, path, false), PAWL_OK); /* the guest is this user */
    assert_string_equal(found.exec, at("private/bin/node"));
    forget();
    assert_int_equal(chmod(at("open/node"), 0700), 0);
    assert_int_equal(find(PAWL_LANGUAGE_JAVASCRIPT, at("open/node"), NULL, true), PAWL_E_UNSUPPORTED);
    assert_non_null(strstr(pawl_error_message(fault), "the sandbox's user cannot read it"));
    forget();
}

static void of_pythons_prefix_only_binary_and_library_are_shown(void **state) {
    (void)state;
    folder("home", 0755), folder("home/bin", 0755), folder("home/lib", 0755), folder("home/secret", 0755);
    file("home/bin/python3.99", ELF, 0755);
    assert_int_equal(find(PAWL_LANGUAGE_PYTHON, at("home/bin/python3.99"), NULL, true), PAWL_OK);
    assert_int_equal(found.bind_count, 2);
    assert_true(shows(at("home/bin/python3.99")));
    assert_true(shows(at("home/lib")));
    forget();
}

static void a_virtual_environment_runs_as_itself(void **state) {
    (void)state;
    folder("base", 0755), folder("base/bin", 0755), folder("base/lib", 0755);
    folder("venv", 0755), folder("venv/bin", 0755), folder("venv/lib", 0755), folder("venv/project", 0755);
    file("base/bin/python3.99", ELF, 0755);
    file("venv/pyvenv.cfg", "home = base\n", 0644);
    assert_int_equal(symlink(at("base/bin/python3.99"), at("venv/bin/python3")), 0);
    assert_int_equal(find(PAWL_LANGUAGE_PYTHON, NULL, at("venv/bin"), true), PAWL_OK);
    assert_string_equal(found.exec, at("venv/bin/python3"));
    assert_int_equal(found.bind_count, 5);
    assert_true(shows(at("base/bin/python3.99")) && shows(at("base/lib")));
    assert_true(shows(at("venv/bin")) && shows(at("venv/lib")) && shows(at("venv/pyvenv.cfg")));
    forget();
}

static void a_missing_interpreter_is_named_with_what_to_install(void **state) {
    (void)state;
    file("node", SHIM, 0755);
    assert_int_equal(find(PAWL_LANGUAGE_JAVASCRIPT, at("node"), NULL, true), PAWL_E_UNSUPPORTED);
    assert_non_null(strstr(pawl_error_message(fault), "a script"));
    assert_non_null(strstr(pawl_error_message(fault), "install node"));
    forget();
    assert_int_equal(find(PAWL_LANGUAGE_PYTHON, at("none"), NULL, true), PAWL_E_UNSUPPORTED);
    assert_non_null(strstr(pawl_error_message(fault), "no python interpreter"));
    assert_non_null(strstr(pawl_error_message(fault), "No such file"));
    assert_non_null(strstr(pawl_error_message(fault), "install python3"));
    forget();
}

static void the_machines_own_bash_is_found_without_path(void **state) {
    (void)state;
    assert_int_equal(find(PAWL_LANGUAGE_BASH, NULL, NULL, true), PAWL_OK);
    assert_non_null(strstr(found.exec, "/bin/bash"));
    forget();
}

static void without_memory_the_search_fails_and_leaks_nothing(void **state) {
    (void)state;
    for_each_failing_allocation(n) {
        pawl_status status = find(PAWL_LANGUAGE_BASH, NULL, NULL, true);
        assert_int_equal(status, allocations_failed() ? PAWL_E_NOMEM : PAWL_OK);
        forget();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_real_binary_in_path_is_taken, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_link_to_a_version_manager_is_passed_over, make_root, remove_root),
        cmocka_unit_test_setup_teardown(what_the_guest_cannot_read_is_passed_over, make_root, remove_root),
        cmocka_unit_test_setup_teardown(of_pythons_prefix_only_binary_and_library_are_shown, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_virtual_environment_runs_as_itself, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_missing_interpreter_is_named_with_what_to_install, make_root, remove_root),
        cmocka_unit_test(the_machines_own_bash_is_found_without_path),
        cmocka_unit_test(without_memory_the_search_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
