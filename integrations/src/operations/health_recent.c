/* A ring of how the last executions ended. */
#include "engine_internal.h"
#include "fix/signature_internal.h"
#include "health_internal.h"
#include "options_internal.h"
#include "redact_internal.h"
#include <pawl/integrations/fix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(pawl_health_options) == 2 * sizeof(uint64_t), "padding in a public struct");

static const char who[] = "health";
const char pawl_health_probe_node[] = "health probe";

#define LEAST 10
#define MOST 4096
#define ERRORS 10

struct entry {
    const char *word; /* how it ended; static */
    uint64_t duration_ns;
    bool is_failure; /* the sandbox's, not the program's */
    char provider[31];
    char signature[PAWL_SIGNATURE_BYTES]; /* "" of what ended well */
};

struct pawl_health {
    atomic_uint refs;
    size_t capacity;
    pthread_mutex_t lock; /* guards the rest */
    uint64_t count;       /* ever */
    struct entry entries[];
};

struct health_watcher {
    struct pawl_execution_watcher watcher; /* first */
    pawl_health *health;
};

/* ---- remembering ---- */

static bool is_sandbox_outcome(uint64_t outcome) {
    return outcome == PAWL_EXECUTION_SANDBOX_LOST || outcome == PAWL_EXECUTION_SANDBOX_NOT_READY ||
           outcome == PAWL_EXECUTION_TRANSPORT_ERROR || outcome == PAWL_EXECUTION_RATE_LIMITED ||
           outcome == PAWL_EXECUTION_QUOTA || outcome == PAWL_EXECUTION_INTERNAL;
}

static bool is_sandbox_status(pawl_status status) {
    return status == PAWL_E_UNAVAILABLE || status == PAWL_E_RATE_LIMITED || status == PAWL_E_PROTOCOL ||
           status == PAWL_E_UNSUPPORTED || status == PAWL_E_NOT_FOUND || status == PAWL_E_TIMEOUT ||
           status == PAWL_E_INTERNAL;
}

static void sign(const struct pawl_execution *execution, const pawl_execution_result *result, const pawl_error *error,
                 struct entry *entry) {
    const char *name = result ? result->error_name : NULL;
    const char *text = result ? result->error_value : error ? pawl_error_message(error) : NULL;
    char head[64], clean[512];
    struct pawl_redaction redaction = pawl_redaction_of(pawl_context_runtime(execution->ctx), true);
    snprintf(head, sizeof head, "%s%s%.40s", entry->word, name ? " " : "", name ? name : "");
    pawl_redact_into(&redaction, text ? text : "", text ? strlen(text) : 0, clean, sizeof clean);
    pawl_signature_of_text(head, clean, entry->signature, sizeof entry->signature);
}

static void end(struct pawl_execution_watcher *self, const struct pawl_execution *execution, pawl_status status,
                const pawl_execution_result *result, const pawl_error *error) {
    pawl_health *health = ((struct health_watcher *)(void *)self)->health;
    struct entry entry = {.word = pawl_execution_ending_word(status, result)};
    if (execution->node == pawl_health_probe_node)
        return;
    entry.duration_ns = pawl_context_now(execution->ctx) - execution->start_ns;
    entry.is_failure = result ? is_sandbox_outcome(result->outcome) : is_sandbox_status(status);
    snprintf(entry.provider, sizeof entry.provider, "%s", execution->provider);
    if (!result || result->outcome != PAWL_EXECUTION_OK)
        sign(execution, result, error, &entry);
    pthread_mutex_lock(&health->lock);
    health->entries[health->count++ % health->capacity] = entry;
    pthread_mutex_unlock(&health->lock);
}

/* ---- telling ---- */

static int by_time(const void *a, const void *b) {
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

uint64_t pawl_health_add_spread(struct json_writer *w, cJSON *object, const char *name, uint64_t *times, size_t count) {
    if (count == 0) {
        json_add(w, object, name, cJSON_CreateNull());
        return 0;
    }
    qsort(times, count, sizeof *times, by_time);
    uint64_t median = count % 2 ? times[count / 2] : times[count / 2 - 1] / 2 + times[count / 2] / 2;
    cJSON *spread = json_add_object(w, object, name);
    json_add(w, spread, "min", json_seconds(times[0]));
    json_add(w, spread, "median", json_seconds(median));
    json_add(w, spread, "max", json_seconds(times[count - 1]));
    return median;
}

static int by_signature(const void *a, const void *b) {
    const struct entry *one = *(const struct entry *const *)a, *other = *(const struct entry *const *)b;
    return strcmp(one->signature, other->signature);
}

/* The same text, so often. */
struct pattern {
    const struct entry *entry;
    uint64_t count;
};

static void note_pattern(struct pattern patterns[ERRORS], struct pattern one) {
    for (size_t i = 0; i < ERRORS && one.count > 0; i++)
        if (one.count > patterns[i].count) {
            struct pattern less = patterns[i];
            patterns[i] = one;
            one = less;
        }
}

static void add_errors(struct json_writer *w, cJSON *recent, const struct entry **entries, size_t count) {
    struct pattern patterns[ERRORS] = {{NULL, 0}}, now = {NULL, 0};
    cJSON *errors = json_add_array(w, recent, "errors");
    qsort(entries, count, sizeof *entries, by_signature);
    for (size_t i = 0; i < count; i++) {
        if (!entries[i]->signature[0])
            continue;
        if (now.entry && strcmp(now.entry->signature, entries[i]->signature) != 0) {
            note_pattern(patterns, now);
            now.count = 0;
        }
        now.entry = entries[i];
        now.count++;
    }
    note_pattern(patterns, now);
    for (size_t i = 0; i < ERRORS && patterns[i].count > 0; i++) {
        cJSON *error = json_append_object(w, errors);
        json_add(w, error, "signature", cJSON_CreateString(patterns[i].entry->signature));
        json_add(w, error, "count", json_number(patterns[i].count));
        json_add(w, error, "sandbox", cJSON_CreateBool(patterns[i].entry->is_failure));
    }
}

static void add_outcomes(struct json_writer *w, cJSON *recent, const struct entry **entries, size_t count) {
    cJSON *outcomes = json_add_object(w, recent, "outcomes");
    for (size_t i = 0; i < count; i++) {
        cJSON *before = cJSON_GetObjectItemCaseSensitive(outcomes, entries[i]->word);
        if (before)
            cJSON_SetNumberHelper(before, before->valuedouble + 1);
        else
            json_add(w, outcomes, entries[i]->word, json_number(1));
    }
}

static cJSON *rate(uint64_t part, size_t count) {
    return count ? cJSON_CreateNumber((double)part / (double)count) : cJSON_CreateNull();
}

/* What is known of a type of provider. */
struct selection {
    const struct entry *entries[MOST];
    uint64_t times[MOST];
    size_t count;
};

static struct pawl_health_rates add_selection(struct json_writer *w, cJSON *root, struct selection *s) {
    cJSON *recent = json_add_object(w, root, "recent");
    struct pawl_health_rates rates = {.executions = s->count};
    uint64_t ok = 0;
    for (size_t i = 0; i < s->count; i++) {
        ok += strcmp(s->entries[i]->word, "ok") == 0;
        rates.sandbox_failures += s->entries[i]->is_failure;
        s->times[i] = s->entries[i]->duration_ns;
    }
    json_add(w, recent, "executions", json_number(s->count));
    json_add(w, recent, "ok", json_number(ok));
    json_add(w, recent, "success_rate", rate(ok, s->count));
    json_add(w, recent, "sandbox_failures", json_number(rates.sandbox_failures));
    json_add(w, recent, "sandbox_failure_rate", rate(rates.sandbox_failures, s->count));
    pawl_health_add_spread(w, recent, "duration", s->times, s->count);
    add_outcomes(w, recent, s->entries, s->count);
    add_errors(w, recent, s->entries, s->count);
    return rates;
}

struct pawl_health_rates pawl_health_add_recent(struct json_writer *w, cJSON *root, pawl_health *health,
                                                const char *provider) {
    struct pawl_health_rates rates = {0, 0};
    struct selection *selection = health ? malloc(sizeof *selection) : NULL;
    w->failed |= health && !selection;
    if (!selection) {
        json_add(w, root, "recent", cJSON_CreateNull());
        return rates;
    }
    selection->count = 0;
    pthread_mutex_lock(&health->lock);
    size_t kept = health->count < health->capacity ? (size_t)health->count : health->capacity;
    for (size_t i = 0; i < kept; i++)
        if (strncmp(health->entries[i].provider, provider, sizeof health->entries[i].provider - 1) == 0)
            selection->entries[selection->count++] = &health->entries[i];
    rates = add_selection(w, root, selection);
    pthread_mutex_unlock(&health->lock);
    free(selection);
    return rates;
}

/* ---- life ---- */

pawl_health *pawl_health_new(const pawl_health_options *given, pawl_error **err) {
    pawl_health_options options;
    if (pawl_options_copy(&options, sizeof options, given, who, err) != PAWL_OK)
        return NULL;
    options.recent = options.recent ? options.recent : 256;
    if (options.recent < LEAST || options.recent > MOST) {
        pawl_error_set(err, PAWL_E_INVALID, "%s: recent is not between %d and %d", who, LEAST, MOST);
        return NULL;
    }
    pawl_health *health = calloc(1, sizeof *health + (size_t)options.recent * sizeof health->entries[0]);
    if (!health) {
        pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
        return NULL;
    }
    atomic_init(&health->refs, 1);
    health->capacity = (size_t)options.recent;
    pthread_mutex_init(&health->lock, NULL);
    return health;
}

pawl_health *pawl_health_ref(pawl_health *health) {
    if (health)
        atomic_fetch_add_explicit(&health->refs, 1, memory_order_relaxed);
    return health;
}

pawl_health *pawl_health_unref(pawl_health *health) {
    if (!health || atomic_fetch_sub_explicit(&health->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    pthread_mutex_destroy(&health->lock);
    free(health);
    return NULL;
}

static void destroy(struct pawl_attachment *attachment) {
    struct health_watcher *watcher = (struct health_watcher *)(void *)attachment;
    pawl_health_unref(watcher->health);
    free(watcher);
}

pawl_status pawl_health_attach(pawl_health *health, pawl_runtime *runtime, pawl_error **err) {
    if (!health)
        return pawl_error_set(err, PAWL_E_INVALID, "%s: it is NULL; pass what pawl_health_new() gave", who);
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    struct health_watcher *watcher = malloc(sizeof *watcher);
    if (!watcher)
        return pawl_error_set(err, PAWL_E_NOMEM, "%s: out of memory", who);
    *watcher = (struct health_watcher){.watcher = {.attachment.destroy = destroy, .end = end},
                                       .health = pawl_health_ref(health)};
    pawl_execution_watch(runtime, &watcher->watcher);
    return PAWL_OK;
}
