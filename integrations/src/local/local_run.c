/* One program in one local sandbox: runs it, and turns what the helper tells into a result or an error. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context_internal.h"
#include "helper_parts.h"
#include "execution/copy_internal.h"
#include "local_parts.h"
#include "options_internal.h"

struct run {
    struct local_sandbox *sandbox;
    pawl_context *ctx;
    const pawl_execution_request *request;
    struct local_request made;
    struct local_output output;
    struct pawl_helper_result helper;
    pawl_execution_result *result;
};

static pawl_status no_memory(pawl_error **err) {
    return pawl_error_set(err, PAWL_E_NOMEM, "out of memory for the result of a program");
}

/* ---- the result's frame ---- */

static pawl_enforcement enforcement_of(pawl_limit limit, pawl_language language) {
    switch (limit) {
    case PAWL_LIMIT_CPU:
    case PAWL_LIMIT_OPEN_FILES:
        return PAWL_ENFORCED_PER_PROCESS;
    case PAWL_LIMIT_MEMORY:
        return language == PAWL_LANGUAGE_JAVASCRIPT ? PAWL_ENFORCED_BY_INTERPRETER : PAWL_ENFORCED_PER_PROCESS;
    default:
        return PAWL_ENFORCED;
    }
}

static bool name_files(pawl_execution_result *result, const pawl_execution_request *request) {
    if (request->collect_count == 0)
        return true;
    result->files = calloc((size_t)request->collect_count, sizeof *result->files);
    if (!result->files)
        return false;
    for (; result->file_count < request->collect_count; result->file_count++) {
        pawl_collected_file *file = &result->files[result->file_count];
        file->kind = PAWL_COLLECTED_ABSENT;
        file->path = pawl_copy_text(request->collect[result->file_count]);
        file->bytes = calloc(1, 1);
        if (file->path && file->bytes)
            continue;
        result->file_count++; /* so that both are released */
        return false;
    }
    return true;
}

static bool begin_result(struct run *run) {
    pawl_execution_result *result = run->result = pawl_execution_result_new();
    if (!result)
        return false;
    result->tier = "local";
    result->limits = run->made.limits;
    for (pawl_limit i = 0; i < PAWL_LIMIT_COUNT_; i++)
        result->enforced[i] = *pawl_limits_at(&result->limits, i) == PAWL_UNLIMITED
                                  ? PAWL_ENFORCED_NOT_ASKED
                                  : enforcement_of(i, run->made.language);
    result->sandbox_id = pawl_copy_text(run->sandbox->id);
    return result->sandbox_id && name_files(result, run->request);
}

/* ---- what the helper told ---- */

static char *names_of(uint64_t bits) {
    char text[PAWL_MECHANISMS * 32];
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < PAWL_MECHANISMS; i++)
        if (bits & 1u << i)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                                     pawl_mechanism_name(1u << i));
    return pawl_copy_text(text);
}

static bool set_mechanisms(struct run *run) {
    uint64_t in_force = run->helper.times.mechanisms, missing = PAWL_ALL_MECHANISMS & ~in_force;
    if (!run->helper.started)
        return true;
    run->result->mechanisms = names_of(in_force);
    run->result->missing = missing ? names_of(missing) : NULL;
    return run->result->mechanisms && (run->result->missing || !missing);
}

static uint64_t span(uint64_t from, uint64_t to) {
    return to > from ? to - from : 0;
}

static void set_timings(struct run *run) {
    const struct pawl_helper_result *helper = &run->helper;
    pawl_execution_timings *timings = &run->result->timings;
    timings->total_ns = span(helper->called_ns, helper->ended_ns);
    timings->create_ns = helper->started ? span(helper->called_ns, helper->times.exec_ns) : timings->total_ns;
    uint64_t rest =
        timings->total_ns - (timings->create_ns < timings->total_ns ? timings->create_ns : timings->total_ns);
    timings->run_ns = helper->exited && helper->exit.wall_ns < rest ? helper->exit.wall_ns : rest;
    timings->collect_ns = rest - timings->run_ns;
}

static void set_ending(struct run *run) {
    const struct pawl_wire_exit *ended = &run->helper.exit;
    pawl_execution_result *result = run->result;
    result->started = run->helper.started;
    if (!run->helper.exited)
        return;
    result->resources =
        (pawl_execution_resources){ended->user_ns, ended->system_ns, ended->max_rss_bytes, ended->processes};
    if (run->helper.end != PAWL_HELPER_EXITED)
        return; /* a kill's signal is our own */
    if (ended->kind == PAWL_EXIT_SIGNAL)
        result->signal = ended->status;
    else
        result->exit_status = ended->status;
}

static enum pawl_ended ended_by(struct run *run) {
    switch (run->helper.end) {
    case PAWL_HELPER_EXITED:
        return PAWL_ENDED_BY_ITSELF;
    case PAWL_HELPER_TIMED_OUT:
        return PAWL_ENDED_WALL;
    case PAWL_HELPER_DEADLINE:
        return PAWL_ENDED_DEADLINE;
    case PAWL_HELPER_STOPPED:
        return PAWL_ENDED_OUTPUT;
    case PAWL_HELPER_CANCELLED:
        if (pawl_context_cancelled(run->ctx) == PAWL_CANCEL_NONE)
            return PAWL_ENDED_KILLED;
        return pawl_context_cancelled(run->ctx) == PAWL_CANCEL_DEADLINE ? PAWL_ENDED_DEADLINE : PAWL_ENDED_CANCELLED;
    case PAWL_HELPER_LOST:
        return PAWL_ENDED_LOST;
    default:
        return PAWL_ENDED_UNSTARTED;
    }
}

static pawl_status conclude(struct run *run, pawl_error **err) {
    struct pawl_evidence evidence = {.language = run->made.language,
                                     .ended = ended_by(run),
                                     .cpu_limit = run->helper.exited && run->helper.exit.flags & PAWL_EXIT_CPU_LIMIT,
                                     .said = run->helper.text};
    evidence.stderr_tail = pawl_local_output_stderr(&run->output, &evidence.stderr_length);
    set_timings(run);
    set_ending(run);
    if (run->output.out_of_memory || !set_mechanisms(run) || !pawl_outcome_decide(run->result, &evidence))
        return no_memory(err);
    return PAWL_OK;
}

/* ---- errors: nothing ran ---- */

static bool is_passing(int error) {
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == EINTR;
}

/* How a refusal at a stage is reported; PAWL_OK: as a result, since it is about this program. */
static pawl_status status_of_refusal(const struct pawl_helper_result *helper) {
    switch (helper->stage) {
    case PAWL_STAGE_FILES:
    case PAWL_STAGE_CWD:
    case PAWL_STAGE_EXEC:
        return PAWL_OK;
    case PAWL_STAGE_REQUEST:
        return PAWL_E_INVALID;
    case PAWL_STAGE_NONE:
    case PAWL_STAGE_CONTROL:
    case PAWL_STAGE_BUSY:
    case PAWL_STAGE_LIMITS:
        return PAWL_E_UNAVAILABLE;
    default:
        return is_passing(helper->error) ? PAWL_E_UNAVAILABLE : PAWL_E_UNSUPPORTED;
    }
}

static pawl_status status_of(const struct pawl_helper_result *helper) {
    if (helper->end == PAWL_HELPER_REFUSED)
        return status_of_refusal(helper);
    if (helper->end == PAWL_HELPER_UNAVAILABLE)
        return PAWL_E_UNAVAILABLE;
    return helper->end == PAWL_HELPER_LOST && !helper->started ? PAWL_E_UNAVAILABLE : PAWL_OK;
}

static pawl_status report(const struct run *run, pawl_status status, pawl_error **err) {
    pawl_error_info info = {.size = sizeof info, .status = status, .started = PAWL_STARTED_NO};
    if (run->helper.may_have_run)
        info.started = PAWL_STARTED_MAYBE;
    return pawl_error_set_info(err, &info, "local sandbox: %s", run->helper.text);
}

/* ---- running ---- */

static void wake(void *user, pawl_cancel_reason reason) {
    const struct local_sandbox *sandbox = user;
    uint64_t one = 1;
    (void)reason;
    ssize_t wrote = write(sandbox->cancel_fd, &one, sizeof one);
    (void)wrote;
}

/* The helper waits by the real clock, whatever clock the runtime has. */
static uint64_t real_deadline(const pawl_context *ctx) {
    uint64_t left = pawl_context_remaining(ctx), now = pawl_helper_now_ns();
    return left == PAWL_NEVER || left > UINT64_MAX - 1 - now ? PAWL_UNBOUNDED : now + left;
}

static void perform(struct run *run) {
    pawl_cancel_registration registration;
    struct pawl_helper_sink sink = pawl_local_output_sink(&run->output);
    /* without the watchdog: the deadline is watched by the helper's client */
    pawl_cancel_register(run->ctx, &registration, wake, run->sandbox);
    pawl_helper_run(run->sandbox->local->client, &run->made.helper, &sink, run->sandbox->cancel_fd,
                    real_deadline(run->ctx), &run->helper);
    pawl_cancel_unregister(&registration);
}

static bool settle_early(struct run *run, enum pawl_ended ended, const char *said) {
    struct pawl_evidence evidence = {.language = run->made.language, .ended = ended, .said = said};
    return pawl_outcome_decide(run->result, &evidence);
}

static pawl_status execute(struct run *run, pawl_error **err) {
    if (!begin_result(run))
        return no_memory(err);
    if (run->request->install_count > 0)
        return settle_early(run, PAWL_ENDED_DENIED,
                            "the local sandbox installs no packages and has no network; install them for the "
                            "interpreter on this machine, or give the option of an interpreter that has them")
                   ? PAWL_OK
                   : no_memory(err);
    if (run->made.limits.wall_ns == 0)
        return settle_early(run, PAWL_ENDED_WALL, NULL) ? PAWL_OK : no_memory(err);
    pawl_local_output_init(&run->output, run->result, run->request->handlers);
    perform(run);
    pawl_status status = status_of(&run->helper);
    status = status == PAWL_OK ? conclude(run, err) : report(run, status, err);
    pawl_local_output_finish(&run->output);
    return status;
}

/* Copies what an older or newer caller filled in. */
static pawl_status copy_request(const pawl_execution_request *given, pawl_execution_request *ret_request,
                                pawl_execution_handlers *ret_handlers, pawl_error **err) {
    pawl_status status = pawl_options_copy(ret_request, sizeof *ret_request, given, "execution request", err);
    if (status != PAWL_OK || !ret_request->handlers)
        return status;
    status = pawl_options_copy(ret_handlers, sizeof *ret_handlers, ret_request->handlers, "execution handlers", err);
    ret_request->handlers = ret_handlers;
    return status;
}

pawl_status pawl_local_run(struct local_sandbox *sandbox, pawl_context *ctx, const pawl_execution_request *given,
                           pawl_execution_result **ret_result, pawl_error **err) {
    pawl_execution_request request;
    pawl_execution_handlers handlers;
    struct run run = {.sandbox = sandbox, .ctx = ctx, .request = &request};
    pawl_status status = copy_request(given, &request, &handlers, err);
    if (status == PAWL_OK)
        status = pawl_context_check(ctx, err);
    if (status == PAWL_OK)
        status = pawl_local_request_make(sandbox->local, &request, &run.made, err);
    if (status != PAWL_OK)
        return status;
    status = execute(&run, err);
    pawl_local_request_finish(&run.made);
    if (status == PAWL_OK)
        *ret_result = run.result;
    else
        pawl_execution_result_free(run.result);
    return status;
}
