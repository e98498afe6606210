/* The resource: what it always says, who wins, and what a fork changes. */
#include "failing_malloc.h"
#include "resource_internal.h"
#include <pawl/version.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const pawl_attribute *find(const pawl_resource *resource, const char *key) {
    size_t count;
    const pawl_attribute *attributes = pawl_resource_attributes(resource, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(attributes[i].key, key) == 0)
            return &attributes[i];
    return NULL;
}

static const char *text_of(const pawl_resource *resource, const char *key) {
    const pawl_attribute *attribute = find(resource, key);
    return attribute && attribute->type == PAWL_ATTRIBUTE_STRING ? attribute->value.string : "(none)";
}

static void names_the_program_when_nobody_says_more(void **state) {
    (void)state;
    pawl_resource *resource = pawl_resource_new(NULL, NULL);
    assert_non_null(resource);
    assert_string_equal(text_of(resource, "service.name"), "unknown_service:unit_observability_resource_test");
    assert_string_equal(text_of(resource, "process.executable.name"), "unit_observability_resource_test");
    assert_int_equal(strlen(text_of(resource, "service.instance.id")), 36);
    assert_int_equal(text_of(resource, "service.instance.id")[14], '4');
    assert_string_equal(text_of(resource, "telemetry.sdk.name"), "pawl");
    assert_string_equal(text_of(resource, "telemetry.sdk.language"), "c");
    assert_string_equal(text_of(resource, "telemetry.sdk.version"), PAWL_VERSION_STRING);
    assert_string_equal(text_of(resource, "os.type"), "linux");
    assert_int_equal(find(resource, "process.pid")->value.integer, getpid());
    assert_string_not_equal(text_of(resource, "host.name"), "(none)");
    pawl_resource_unref(resource);
}

static void is_sorted_by_key(void **state) {
    (void)state;
    size_t count;
    pawl_attribute more[] = {pawl_attribute_string("zone", "b"), pawl_attribute_int("a", 1)};
    pawl_resource *resource = pawl_resource_with(NULL, .attributes = more, .attribute_count = 2);
    const pawl_attribute *attributes = pawl_resource_attributes(resource, &count);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(attributes[i - 1].key, attributes[i].key) < 0);
    pawl_resource_unref(resource);
}

static void detects_nothing_when_told(void **state) {
    (void)state;
    pawl_resource *resource = pawl_resource_with(NULL, .no_detection = 1, .service_version = "7");
    assert_null(find(resource, "process.pid"));
    assert_null(find(resource, "host.name"));
    assert_string_equal(text_of(resource, "service.version"), "7");
    pawl_resource_unref(resource);
}

static void lets_code_win_over_the_environment(void **state) {
    (void)state;
    pawl_attribute given = pawl_attribute_string("team", "code");
    setenv("OTEL_SERVICE_NAME", "from env", 1);
    setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=loses, team=env,city=K%C3%B6ln%2C%20old", 1);
    pawl_resource *resource =
        pawl_resource_with(NULL, .read_environment = 1, .attributes = &given, .attribute_count = 1);
    assert_string_equal(text_of(resource, "service.name"), "from env");
    assert_string_equal(text_of(resource, "team"), "code");
    assert_string_equal(text_of(resource, "city"), "K\xc3\xb6ln, old");
    pawl_resource_unref(resource);
    resource = pawl_resource_with(NULL, .service_name = "mine", .read_environment = 1);
    assert_string_equal(text_of(resource, "service.name"), "mine");
    pawl_resource_unref(resource);
    resource = pawl_resource_with(NULL, .service_name = "mine");
    assert_null(find(resource, "city"));
    pawl_resource_unref(resource);
    unsetenv("OTEL_SERVICE_NAME");
    unsetenv("OTEL_RESOURCE_ATTRIBUTES");
}

static void takes_nothing_of_a_broken_list(void **state) {
    (void)state;
    static const char *const broken[] = {"a=1,b",  "a=1,b=%",   "a=1,b=%4", "a=1,b=%zz",
                                         "a=1,=x", "a=1,b=%ff", "a=1,b=%00"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        pawl_resource *resource = pawl_resource_with(NULL, .no_detection = 1);
        assert_int_equal(pawl_resource_set_listed(resource, broken[i], NULL), PAWL_OK);
        if (find(resource, "a"))
            fail_msg("took a part of '%s'", broken[i]);
        pawl_resource_unref(resource);
    }
}

static void takes_nothing_of_a_list_that_is_too_long(void **state) {
    (void)state;
    char list[1000];
    size_t used = 0;
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "k%d=1,", i);
    unsigned wrong = 0;
    assert_int_equal(pawl_resource_check_listed(list, &wrong, NULL), PAWL_OK);
    assert_int_equal(wrong, 0);
    setenv("OTEL_RESOURCE_ATTRIBUTES", list, 1);
    pawl_resource *resource = pawl_resource_with(NULL, .read_environment = 1);
    assert_string_equal(text_of(resource, "k99"), "1");
    pawl_resource_unref(resource);
    strcat(list, "k100=1");
    setenv("OTEL_RESOURCE_ATTRIBUTES", list, 1);
    resource = pawl_resource_with(NULL, .read_environment = 1);
    assert_non_null(resource);
    assert_null(find(resource, "k0"));
    pawl_resource_unref(resource);
    unsetenv("OTEL_RESOURCE_ATTRIBUTES");
}

static void has_room_for_128_attributes(void **state) {
    (void)state;
    static char keys[129][8];
    pawl_attribute many[129];
    pawl_error *error = NULL;
    for (int i = 0; i < 129; i++) {
        snprintf(keys[i], sizeof keys[i], "k%03d", i);
        many[i] = pawl_attribute_bool(keys[i], true);
    }
    assert_null(pawl_resource_with(&error, .attributes = many, .attribute_count = 129));
    assert_int_equal(pawl_error_status(error), PAWL_E_LIMIT);
    pawl_error_unref(error);
    error = NULL;
    assert_null(pawl_resource_with(&error, .attribute_count = 1));
    assert_int_equal(pawl_error_status(error), PAWL_E_INVALID);
    pawl_error_unref(error);
}

static void gives_a_forked_child_an_instance_of_its_own(void **state) {
    (void)state;
    pawl_resource *parent = pawl_resource_new(NULL, NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        pawl_resource *child = pawl_resource_after_fork(parent, NULL);
        bool right = child && find(child, "process.pid")->value.integer == getpid() &&
                     strcmp(text_of(parent, "service.instance.id"), text_of(child, "service.instance.id")) != 0 &&
                     strcmp(text_of(parent, "service.name"), text_of(child, "service.name")) == 0;
        pawl_resource_unref(child);
        pawl_resource_unref(parent);
        _exit(right ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    pawl_resource_unref(parent);
}

static void keeps_an_instance_id_that_was_given(void **state) {
    (void)state;
    pawl_attribute given = pawl_attribute_string("service.instance.id", "mine");
    pawl_resource *parent = pawl_resource_with(NULL, .attributes = &given, .attribute_count = 1);
    pawl_resource *child = pawl_resource_after_fork(parent, NULL);
    assert_string_equal(text_of(child, "service.instance.id"), "mine");
    pawl_resource_unref(child);
    pawl_resource_unref(parent);
}

static void survives_any_allocation_failing(void **state) {
    (void)state;
    pawl_attribute given = pawl_attribute_string("service.name", "again");
    for_each_failing_allocation(n) {
        pawl_error *error = NULL;
        pawl_resource *resource = pawl_resource_with(&error, .attributes = &given, .attribute_count = 1);
        pawl_resource *child = resource ? pawl_resource_after_fork(resource, &error) : NULL;
        assert_true(child != NULL || (allocations_failed() > 0 && pawl_error_status(error) == PAWL_E_NOMEM));
        pawl_resource_unref(child);
        pawl_resource_unref(resource);
        pawl_error_unref(error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_program_when_nobody_says_more),
        cmocka_unit_test(is_sorted_by_key),
        cmocka_unit_test(detects_nothing_when_told),
        cmocka_unit_test(lets_code_win_over_the_environment),
        cmocka_unit_test(takes_nothing_of_a_broken_list),
        cmocka_unit_test(takes_nothing_of_a_list_that_is_too_long),
        cmocka_unit_test(has_room_for_128_attributes),
        cmocka_unit_test(gives_a_forked_child_an_instance_of_its_own),
        cmocka_unit_test(keeps_an_instance_id_that_was_given),
        cmocka_unit_test(survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
