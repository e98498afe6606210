/* What is wrong with telemetry: told to a callback, else to the runtime's log, but to no observer of logs, which might
 * export it and fail again. */
#include "engine_internal.h"
#include "redact_internal.h"
#include "setup_internal.h"
#include <string.h>

static void say_to_log(const pawl_runtime *runtime, const char *text) {
    char clean[1024];
    if (!runtime || !runtime->options.log || (uint64_t)PAWL_LOG_WARN < runtime->options.log_level)
        return;
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    pawl_redact_into(&redaction, text, strlen(text), clean, sizeof clean);
    runtime->options.log(runtime->options.log_user, PAWL_LOG_WARN, clean);
}

void pawl_voice_say(struct pawl_voice *voice, const char *text) {
    pthread_mutex_lock(&voice->lock);
    if (!voice->silent && voice->runtime && voice->warn)
        voice->warn(voice->user, text);
    else if (!voice->silent)
        say_to_log(voice->runtime, text);
    pthread_mutex_unlock(&voice->lock);
}

void pawl_voice_tell(void *voice, const char *text) {
    pawl_voice_say(voice, text);
}
