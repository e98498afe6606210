#include "play_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *copy(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *made = malloc(bytes);
    return made ? memcpy(made, text, bytes) : NULL;
}

static bool set_text(char **to, const char *text) {
    free(*to);
    *to = text ? copy(text) : NULL;
    return *to || !text;
}

static pawl_status play_error(const struct play *play, pawl_error **err) {
    const pawl_error_info info = {.size = sizeof info, .status = play->fails, .started = play->started};
    return pawl_error_set_info(err, &info, "play: %s", play->says ? play->says : "as the test wants it");
}

static pawl_execution_result *make_result(const struct play *play) {
    pawl_execution_result *result = pawl_execution_result_new();
    const char *prints = play->prints ? play->prints : "";
    if (!result)
        return NULL;
    result->outcome = play->outcome;
    result->exit_status = play->exit_status;
    result->started = !play->did_not_start;
    result->tier = "play";
    result->timings.create_ns = play->create_ns;
    result->timings.run_ns = play->run_ns;
    result->timings.total_ns = play->create_ns + play->run_ns;
    result->resources.user_cpu_ns = play->cpu_ns;
    result->limits.wall_ns = PAWL_S(30);
    result->enforced[PAWL_LIMIT_WALL] = PAWL_ENFORCED;
    result->stdout_stream.bytes_seen = result->stdout_stream.bytes_kept = strlen(prints);
    if (set_text(&result->error_name, play->error_name) && set_text(&result->error_value, play->error_value) &&
        set_text(&result->missing, play->missing) && set_text(&result->mechanisms, "play, acting") &&
        set_text(&result->stdout_stream.bytes, prints))
        return result;
    pawl_execution_result_free(result);
    return NULL;
}

static pawl_status run_code(void *self, pawl_context *ctx, const pawl_execution_request *request,
                            pawl_execution_result **ret_result, pawl_error **err) {
    struct play *play = self;
    (void)ctx;
    play->ran++;
    if (play->time)
        play->time->now_ns += play->create_ns + play->run_ns;
    if (play->lacks_language && request->language && strcmp(request->language, play->lacks_language) == 0)
        return pawl_error_set(err, PAWL_E_UNSUPPORTED, "play: there is no %s; install it", request->language);
    if (play->fails)
        return play_error(play, err);
    *ret_result = make_result(play);
    return *ret_result ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "play: out of memory");
}

static pawl_status kill_sandbox(void *self, pawl_context *ctx, pawl_error **err) {
    (void)self, (void)ctx, (void)err;
    return PAWL_OK;
}

static void destroy(void *self) {
    (void)self;
}

static const pawl_sandbox_vtable sandbox_vtable = {
    .size = sizeof sandbox_vtable, .run_code = run_code, .kill = kill_sandbox, .destroy = destroy};

static pawl_status create(void *self, pawl_context *ctx, const pawl_sandbox_options *options,
                          pawl_sandbox **ret_sandbox, pawl_error **err) {
    struct play *play = self;
    (void)ctx, (void)options;
    play->created++;
    if (play->create_fails)
        return play_error(play, err);
    *ret_sandbox = pawl_sandbox_new(&sandbox_vtable, play, "play-1");
    return *ret_sandbox ? PAWL_OK : pawl_error_set(err, PAWL_E_NOMEM, "play: out of memory");
}

static const pawl_sandbox_provider_vtable vtable = {
    .size = sizeof vtable, .type_name = "play", .create = create, .destroy = destroy};

pawl_sandbox_provider *play_provider_or_null(struct play *play) {
    return pawl_sandbox_provider_new(&vtable, play);
}

pawl_sandbox_provider *play_provider(struct play *play) {
    pawl_sandbox_provider *provider = play_provider_or_null(play);
    assert_non_null(provider);
    return provider;
}
