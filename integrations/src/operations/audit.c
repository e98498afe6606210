/* The audit log: a watcher that writes a record of each execution before it lets go of it. */
#include "audit_internal.h"
#include "engine_internal.h"
#include "execution/copy_internal.h"
#include "options_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pawl/integrations/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(pawl_audit_options) == 7 * sizeof(uint64_t), "padding in a public struct");
_Static_assert(sizeof(pawl_audit_stats) == 4 * sizeof(uint64_t), "padding in a public struct");

static const char who[] = "audit log";

struct audit {
    struct pawl_execution_watcher watcher; /* first */
    pawl_audit_options options;            /* texts are ours */
    char *path, *subject_tag;
    pawl_runtime *runtime; /* its memory holds us */
    int fd;                /* -1: none */
    pthread_mutex_t lock;  /* guards the rest: records are in the order of seq */
    uint64_t id, seq, written, lost, denied;
    bool is_torn; /* the last line has no end */
    int failed;   /* errno of the last write; 0: it was written */
};

/* ---- writing ---- */

/* Nobody can read what goes into a file without a name. */
static bool is_deleted(const struct audit *audit) {
    struct stat is;
    return fstat(audit->fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_nlink == 0;
}

/* Under the lock. One write, so that lines of several processes do not mix. */
static bool write_file(struct audit *audit, const char *line, size_t length) {
    ssize_t wrote;
    audit->failed = ENOENT;
    if (is_deleted(audit))
        return false;
    do
        wrote = write(audit->fd, line, length);
    while (wrote < 0 && errno == EINTR);
    audit->failed = wrote < 0 ? errno : (size_t)wrote < length ? ENOSPC : 0;
    if (wrote > 0)
        audit->is_torn = (size_t)wrote < length;
    if (audit->failed == 0 && audit->options.sync && fdatasync(audit->fd) != 0 && errno != EINVAL && errno != EROFS)
        audit->failed = errno; /* EINVAL: a device that needs none */
    return audit->failed == 0;
}

/* "{...}" as a line with its seq. A torn line before it is ended first. */
static bool write_record(struct audit *audit, const char *record) {
    size_t room = strlen(record) + 72;
    char *line = malloc(room);
    audit->failed = ENOMEM;
    if (!line)
        return false;
    int length = snprintf(line, room, "%s{\"log\":\"%016" PRIx64 "\",\"seq\":%" PRIu64 ",%s\n",
                          audit->is_torn ? "\n" : "", audit->id, audit->seq, record + 1);
    audit->failed = EIO;
    bool kept = audit->fd >= 0 ? write_file(audit, line, (size_t)length)
                               : audit->options.write(audit->options.user, line, (size_t)length);
    free(line);
    return kept;
}

static bool keep(struct audit *audit, const struct pawl_execution *execution, const struct pawl_audit_ending *ending,
                 char reason[128]) {
    char *record = pawl_audit_record(execution, ending, audit->subject_tag);
    pthread_mutex_lock(&audit->lock);
    bool was_failing = audit->failed != 0;
    audit->seq++;
    audit->failed = ENOMEM;
    bool kept = record && write_record(audit, record);
    int failed = audit->failed = kept ? 0 : audit->failed;
    if (kept)
        audit->written++;
    else
        audit->lost++;
    pthread_mutex_unlock(&audit->lock);
    free(record);
    if (kept)
        return true;
    snprintf(reason, 128, "%s", audit->fd < 0 && failed == EIO ? "its callback did not keep it" : strerror(failed));
    if (!was_failing)
        pawl_runtime_log(audit->runtime, PAWL_LOG_ERROR, "audit log '%s': a record is lost: %s",
                         audit->path ? audit->path : "", reason);
    return false;
}

static pawl_status begin(struct pawl_execution_watcher *self, const struct pawl_execution *execution,
                         pawl_error **err) {
    struct audit *audit = (struct audit *)(void *)self;
    const struct pawl_audit_ending ending = {.is_end = false};
    const pawl_error_info info = {.size = sizeof info, .status = PAWL_E_DENIED, .started = PAWL_STARTED_NO};
    char reason[128];
    if (keep(audit, execution, &ending, reason))
        return PAWL_OK;
    pthread_mutex_lock(&audit->lock);
    audit->denied++;
    pthread_mutex_unlock(&audit->lock);
    return pawl_error_set_info(err, &info,
                               "audit log '%s': the program is not run, since its record cannot be written: %s; make "
                               "room for the log, or attach it without fail_closed",
                               audit->path ? audit->path : "", reason);
}

static void end(struct pawl_execution_watcher *self, const struct pawl_execution *execution, pawl_status status,
                const pawl_execution_result *result, const pawl_error *error) {
    const struct pawl_audit_ending ending = {.is_end = true, .status = status, .result = result, .error = error};
    char reason[128];
    (void)keep((struct audit *)(void *)self, execution, &ending, reason);
}

/* ---- making it ---- */

static void free_audit(struct audit *audit) {
    if (audit->fd >= 0)
        close(audit->fd);
    pthread_mutex_destroy(&audit->lock);
    free(audit->path);
    free(audit->subject_tag);
    free(audit);
}

static void destroy(struct pawl_attachment *attachment) {
    free_audit((struct audit *)(void *)attachment);
}

static pawl_status cannot_open(const char *path, int error, pawl_error **err) {
    pawl_status status = error == EACCES || error == EPERM || error == EROFS ? PAWL_E_DENIED
                         : error == ENOENT || error == ENOTDIR               ? PAWL_E_NOT_FOUND
                                                                             : PAWL_E_FAILED;
    return pawl_error_set(err, status, "%s: '%s' cannot be opened for appending: %s", who, path, strerror(error));
}

static bool is_link(const char *path) {
    struct stat is;
    return lstat(path, &is) == 0 && S_ISLNK(is.st_mode);
}

/* Not blocking, so that neither a device nor a FIFO can hold up an execution. A link is not followed: whoever may make
 * files in the folder could have records appended to any file of ours. */
static pawl_status open_file(struct audit *audit, pawl_error **err) {
    struct stat is;
    audit->fd = open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    int number = errno;
    if (audit->fd < 0 && number == ELOOP && is_link(audit->path))
        return pawl_error_set(err, PAWL_E_INVALID,
                              "%s: '%s' is a symbolic link, which is not followed; give the file's own path", who,
                              audit->path);
    if (audit->fd < 0)
        return cannot_open(audit->path, number, err);
    if (fstat(audit->fd, &is) == 0 && (S_ISREG(is.st_mode) || S_ISCHR(is.st_mode)))
        return PAWL_OK;
    return pawl_error_set(err, PAWL_E_INVALID, "%s: '%s' is no regular file; give one, or a write callback", who,
                          audit->path);
}

static pawl_status fill(struct audit *audit, const pawl_audit_options *given, pawl_error **err) {
    pawl_audit_options *options = &audit->options;
    if (pawl_options_copy(options, sizeof *options, given, who, err) != PAWL_OK)
        return PAWL_E_INVALID;
    if (!options->path == !options->write)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: give either path or write", who);
    audit->subject_tag = pawl_copy_text(options->subject_tag ? options->subject_tag : "subject");
    audit->path = options->path ? pawl_copy_text(options->path) : NULL;
    if (!audit->subject_tag || (options->path && !audit->path))
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
    return audit->path ? open_file(audit, err) : PAWL_OK;
}

pawl_status pawl_audit_attach(pawl_runtime *runtime, const pawl_audit_options *options, pawl_error **err) {
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    struct audit *audit = calloc(1, sizeof *audit);
    if (!audit)
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
    audit->fd = -1;
    audit->runtime = runtime;
    audit->id = pawl_runtime_random(runtime);
    pthread_mutex_init(&audit->lock, NULL);
    pawl_status status = fill(audit, options, err);
    if (status != PAWL_OK) {
        free_audit(audit);
        return status;
    }
    audit->watcher = (struct pawl_execution_watcher){
        .attachment.destroy = destroy, .begin = audit->options.fail_closed ? begin : NULL, .end = end};
    pawl_execution_watch(runtime, &audit->watcher);
    return PAWL_OK;
}

void pawl_audit_get_stats(pawl_runtime *runtime, pawl_audit_stats *ret_stats) {
    if (!ret_stats)
        return;
    pawl_audit_stats stats = {.size = ret_stats->size};
    const struct pawl_execution_watcher *at = NULL;
    while (runtime && !pawl_runtime_is_forked(runtime) && (at = pawl_execution_next_watcher(runtime, at))) {
        struct audit *audit = (struct audit *)(void *)at;
        if (at->end != end)
            continue;
        pthread_mutex_lock(&audit->lock);
        stats.written += audit->written;
        stats.lost += audit->lost;
        stats.denied += audit->denied;
        pthread_mutex_unlock(&audit->lock);
    }
    memcpy(ret_stats, &stats, stats.size < sizeof stats ? stats.size : sizeof stats); /* an older caller knows less */
}
