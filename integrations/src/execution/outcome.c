#include "outcome_internal.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "text_internal.h"
#include "utf8_internal.h"

#define DETAIL_BYTES 512

struct verdict {
    pawl_execution_result *result;
    const struct pawl_evidence *evidence;
    struct pawl_text tail;
    struct pawl_uncaught uncaught;
    bool has_uncaught;
    bool out_of_memory; /* of ours */
};

static void __attribute__((format(printf, 3, 4)))
settle(struct verdict *v, pawl_execution_outcome outcome, const char *format, ...) {
    char text[DETAIL_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    v->result->outcome = outcome;
    free(v->result->detail);
    v->result->detail = pawl_utf8_lossy(text, pawl_utf8_cut(text, strlen(text)), NULL);
    v->out_of_memory |= !v->result->detail;
}

static double seconds(uint64_t ns) {
    return (double)ns / 1e9;
}

/* ---- the program was ended from outside ---- */

static void settle_killed(struct verdict *v) {
    const pawl_execution_limits *limits = &v->result->limits;
    const char *said = v->evidence->said ? v->evidence->said : "";
    switch (v->evidence->ended) {
    case PAWL_ENDED_WALL:
        settle(v, PAWL_EXECUTION_WALL_TIMEOUT,
               "killed after %.6g s, its time limit; raise the timeout or make the program faster",
               seconds(limits->wall_ns));
        break;
    case PAWL_ENDED_DEADLINE:
        settle(v, PAWL_EXECUTION_CANCELLED, "killed because the deadline of the whole run passed");
        break;
    case PAWL_ENDED_CANCELLED:
        settle(v, PAWL_EXECUTION_CANCELLED, "killed because the run was cancelled");
        break;
    case PAWL_ENDED_KILLED:
        settle(v, PAWL_EXECUTION_CANCELLED, "killed because its sandbox was ended");
        break;
    case PAWL_ENDED_OUTPUT:
        settle(v, PAWL_EXECUTION_OUTPUT_LIMIT,
               "killed after %llu bytes of output; raise the limit output_total_bytes or print less",
               (unsigned long long)limits->output_total_bytes);
        break;
    case PAWL_ENDED_LOST:
        settle(v, PAWL_EXECUTION_SANDBOX_LOST, "%s", said);
        break;
    case PAWL_ENDED_DENIED:
        settle(v, PAWL_EXECUTION_DENIED, "%s", said);
        break;
    default:
        settle(v, PAWL_EXECUTION_SPAWN_ERROR, "%s", said);
        break;
    }
}

/* ---- the kernel ended it ---- */

static bool is_over_cpu(const struct verdict *v) {
    const pawl_execution_result *result = v->result;
    uint64_t used = result->resources.user_cpu_ns + result->resources.system_cpu_ns;
    if (v->evidence->cpu_limit)
        return true;
    if (result->limits.cpu_ns == PAWL_UNLIMITED || used < result->limits.cpu_ns)
        return false;
    /* a shell reports a child's signal in its own status */
    return result->signal == SIGXCPU || result->signal == SIGKILL || result->exit_status == 128 + SIGXCPU;
}

/* The loader's words (glibc's elf/dl-load.c, dl-map-segments.h) before the interpreter has any. */
static bool is_unloadable(const struct verdict *v) {
    return v->result->exit_status == 127 && pawl_text_has(v->tail, ": error while loading shared libraries: ") &&
           (pawl_text_has(v->tail, "failed to map segment") || pawl_text_has(v->tail, "annot allocate memory") ||
            pawl_text_has(v->tail, "cannot map zero-fill pages"));
}

/* What the program said of its memory; NULL: nothing, or there was no limit to run into. */
static const char *memory_words(const struct verdict *v) {
    pawl_language language = v->evidence->language;
    if (v->result->limits.memory_bytes == PAWL_UNLIMITED)
        return NULL;
    if (language == PAWL_LANGUAGE_JAVASCRIPT && pawl_text_has(v->tail, "JavaScript heap out of memory"))
        return "that its heap is out of memory";
    if (v->has_uncaught)
        return pawl_text_is(v->uncaught.name, "MemoryError") ? "MemoryError" : NULL;
    if (language == PAWL_LANGUAGE_BASH && pawl_text_has(v->tail, "alloc: cannot allocate "))
        return "that it cannot allocate";
    return is_unloadable(v) ? "that its libraries cannot be loaded" : NULL;
}

static void settle_memory(struct verdict *v) {
    settle(v, PAWL_EXECUTION_MEMORY_LIMIT,
           "the program reported %s under a limit of %llu bytes; raise memory_bytes or use less", memory_words(v),
           (unsigned long long)v->result->limits.memory_bytes);
}

static const char *signal_advice(int64_t signal) {
    switch (signal) {
    case SIGSYS:
        return ": it made a system call that sandboxes forbid";
    case SIGXFSZ:
        return ": it wrote a file larger than the limit file_bytes";
    case SIGKILL:
        return ": pawl did not kill it, perhaps the machine is out of memory";
    case SIGSEGV:
        return ": it touched memory that is not its own, its stack ran over, or memory_bytes is too small for it";
    default:
        return "";
    }
}

static void settle_signal(struct verdict *v) {
    const char *name = sigabbrev_np((int)v->result->signal);
    settle(v, PAWL_EXECUTION_SIGNALLED, "ended by signal %lld (SIG%s)%s", (long long)v->result->signal,
           name ? name : "?", signal_advice(v->result->signal));
}

/* ---- it ended with a status of its own ---- */

static bool is_uncaught(struct verdict *v) {
    int64_t status = v->result->exit_status;
    if (v->evidence->language == PAWL_LANGUAGE_PYTHON) /* Python/pythonrun.c: always 1 */
        return status == 1 && pawl_uncaught_python(v->tail.at, v->tail.length, &v->uncaught);
    if (v->evidence->language == PAWL_LANGUAGE_JAVASCRIPT) /* node's doc/api/process.md: 1, or 7 from a handler */
        return (status == 1 || status == 7) && pawl_uncaught_node(v->tail.at, v->tail.length, &v->uncaught);
    return false;
}

/* The text just before the exception's own line names what was called. */
static bool came_from_fork(const struct verdict *v) {
    const char *at = v->uncaught.name.at;
    size_t before = (size_t)(at - v->uncaught.trace.at);
    size_t looked = before < 300 ? before : 300;
    return pawl_text_has((struct pawl_text){at - looked, looked}, "fork");
}

static bool is_process_limit(const struct verdict *v) {
    if (v->result->limits.processes == PAWL_UNLIMITED)
        return false;
    if (!v->has_uncaught)
        return v->evidence->language == PAWL_LANGUAGE_BASH &&
               pawl_text_has(v->tail, "fork: Resource temporarily unavailable");
    if (pawl_text_is(v->uncaught.name, "BlockingIOError"))
        return came_from_fork(v);
    if (pawl_text_is(v->uncaught.name, "RuntimeError"))
        return pawl_text_is(v->uncaught.value, "can't start new thread");
    return v->evidence->language == PAWL_LANGUAGE_JAVASCRIPT && pawl_text_begins(v->uncaught.value, "spawn ") &&
           pawl_text_has(v->uncaught.value, " EAGAIN");
}

static void settle_uncaught(struct verdict *v) {
    bool check = pawl_text_is(v->uncaught.name, "AssertionError");
    int shown = v->uncaught.value.length < 200 ? (int)v->uncaught.value.length : 200;
    settle(v, check ? PAWL_EXECUTION_CHECK_FAILED : PAWL_EXECUTION_EXCEPTION, "%s: %.*s%s%.*s",
           check ? "a check failed" : "uncaught error", (int)v->uncaught.name.length, v->uncaught.name.at,
           shown ? ": " : "", shown, v->uncaught.value.at);
}

static void settle_status(struct verdict *v) {
    long long status = v->result->exit_status;
    const char *advice = status == 126   ? " (as shells say: found, but not executable)"
                         : status == 127 ? " (as shells say: a command was not found)"
                                         : "";
    settle(v, PAWL_EXECUTION_NONZERO_EXIT, "ended with status %lld%s", status, advice);
}

static char *keep(struct verdict *v, struct pawl_text text, size_t most, bool keep_end) {
    if (text.length > most) {
        text.at += keep_end ? text.length - most : 0;
        text.length = keep_end ? most : pawl_utf8_cut(text.at, most);
    }
    char *copy = pawl_utf8_lossy(text.at, text.length, NULL);
    v->out_of_memory |= !copy;
    return copy;
}

static void keep_uncaught(struct verdict *v) {
    pawl_execution_result *result = v->result;
    result->error_name = keep(v, v->uncaught.name, 256, false);
    result->error_value = keep(v, v->uncaught.value, PAWL_ERROR_VALUE_BYTES, false);
    result->traceback = keep(v, v->uncaught.trace, PAWL_TRACEBACK_BYTES, true);
}

static void settle_ended(struct verdict *v) {
    pawl_execution_result *result = v->result;
    v->has_uncaught = is_uncaught(v);
    if (v->has_uncaught)
        keep_uncaught(v);
    if (result->signal == 0 && result->exit_status == 0)
        result->outcome = PAWL_EXECUTION_OK;
    else if (is_over_cpu(v))
        settle(v, PAWL_EXECUTION_CPU_LIMIT, "used up its %.6g s of CPU time; raise the limit cpu or make it faster",
               seconds(result->limits.cpu_ns));
    else if (memory_words(v))
        settle_memory(v);
    else if (result->signal != 0)
        settle_signal(v);
    else if (is_process_limit(v))
        settle(v, PAWL_EXECUTION_PROCESS_LIMIT,
               "was refused a process or thread under a limit of %llu; raise the limit processes or start fewer",
               (unsigned long long)result->limits.processes);
    else if (v->has_uncaught)
        settle_uncaught(v);
    else
        settle_status(v);
}

bool pawl_outcome_decide(pawl_execution_result *result, const struct pawl_evidence *evidence) {
    struct verdict v = {.result = result, .evidence = evidence};
    v.tail = (struct pawl_text){evidence->stderr_tail ? evidence->stderr_tail : "", evidence->stderr_length};
    if (evidence->ended == PAWL_ENDED_BY_ITSELF)
        settle_ended(&v);
    else
        settle_killed(&v);
    return !v.out_of_memory;
}
