/* What a runtime hides, and hiding in whole texts. */
#include "engine_internal.h"
#include "options_internal.h"
#include "redact_internal.h"
#include "utf8_internal.h"
#include <stdlib.h>
#include <string.h>

#define NAMES 64u
#define NAME_BYTES 64u
#define LEAST_LONG 19u /* bytes of a text in which more than '=' and ':' can make a shape: "sk-" and 16 */
#define FIRST_CAPACITY 256u

struct pawl_redactor {
    struct pawl_secrets *secrets;
    char **names; /* one block; NULL for none */
    bool no_shapes;
};

/* ---- of a runtime ---- */

void pawl_redactor_free(struct pawl_redactor *redactor) {
    if (!redactor)
        return;
    pawl_secrets_free(redactor->secrets);
    free(redactor->names);
    free(redactor);
}

/* Made when first needed and then there to the runtime's end; the caller has runtime->lock. */
static struct pawl_redactor *get_redactor(pawl_runtime *runtime) {
    struct pawl_redactor *redactor = atomic_load_explicit(&runtime->redactor, memory_order_acquire);
    if (redactor)
        return redactor;
    redactor = calloc(1, sizeof *redactor);
    if (redactor)
        redactor->secrets = pawl_secrets_new();
    if (!redactor || !redactor->secrets) {
        free(redactor);
        return NULL;
    }
    atomic_store_explicit(&runtime->redactor, redactor, memory_order_release);
    return redactor;
}

pawl_status pawl_runtime_add_secret(pawl_runtime *runtime, const char *value, size_t length, pawl_error **err) {
    if (!value)
        return pawl_error_set(err, PAWL_E_INVALID, "runtime: the secret is NULL; pass its text");
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    pthread_mutex_lock(&runtime->lock);
    struct pawl_redactor *redactor = get_redactor(runtime);
    pawl_status status = redactor ? pawl_secrets_add(redactor->secrets, value, length, "runtime", err)
                                  : pawl_error_set(err, PAWL_E_NOMEM, "runtime: out of memory for a secret");
    pthread_mutex_unlock(&runtime->lock);
    return status;
}

/* ---- options ---- */

static pawl_status count_names(const char *const *names, size_t *ret_count, pawl_error **err) {
    size_t count = 0;
    for (; names && names[count]; count++) {
        size_t length = strnlen(names[count], NAME_BYTES + 1);
        if (count == NAMES)
            return pawl_error_set(err, PAWL_E_INVALID, "redaction: there are more than %u names; use '*' to say less",
                                  NAMES);
        if (length == 0 || length > NAME_BYTES)
            return pawl_error_set(err, PAWL_E_INVALID, "redaction: names[%zu] is %s; give 1 to %u bytes", count,
                                  length ? "too long" : "empty", NAME_BYTES);
    }
    *ret_count = count;
    return PAWL_OK;
}

/* One block: the list and then the texts. */
static char **copy_names(const char *const *names, size_t count) {
    size_t bytes = (count + 1) * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(names[i]) + 1;
    char **copy = calloc(1, bytes);
    if (!copy)
        return NULL;
    char *at = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]) + 1;
        copy[i] = memcpy(at, names[i], length);
        at += length;
    }
    return copy;
}

pawl_status pawl_runtime_set_redaction(pawl_runtime *runtime, const pawl_redaction_options *options, pawl_error **err) {
    pawl_redaction_options set;
    size_t count = 0;
    pawl_status status = pawl_options_copy(&set, sizeof set, options, "redaction", err);
    if (status == PAWL_OK)
        status = count_names(set.names, &count, err);
    if (status != PAWL_OK)
        return status;
    if (!pawl_runtime_is_usable(runtime, err))
        return PAWL_E_INVALID;
    if (atomic_load(&runtime->started))
        return pawl_error_set(err, PAWL_E_INVALID, "redaction: it is set before the first run of a runtime");
    char **names = count ? copy_names(set.names, count) : NULL;
    pthread_mutex_lock(&runtime->lock);
    struct pawl_redactor *redactor = get_redactor(runtime);
    if (!redactor || (count && !names)) {
        free(names);
        status = pawl_error_set(err, PAWL_E_NOMEM, "redaction: out of memory");
    } else {
        free(redactor->names);
        redactor->names = names;
        redactor->no_shapes = set.no_shapes != 0;
    }
    pthread_mutex_unlock(&runtime->lock);
    return status;
}

struct pawl_redaction pawl_redaction_of(const pawl_runtime *runtime, bool shapes) {
    struct pawl_redaction redaction = {.shapes = shapes};
    const struct pawl_redactor *redactor =
        runtime ? atomic_load_explicit(&runtime->redactor, memory_order_acquire) : NULL;
    if (!redactor)
        return redaction;
    redaction.sets[0] = redactor->secrets;
    redaction.names = (const char *const *)redactor->names;
    redaction.shapes = shapes && !redactor->no_shapes;
    return redaction;
}

struct pawl_redaction pawl_redaction_here(bool shapes) {
    const pawl_runtime *runtime = pawl_leaf_context ? pawl_leaf_context->root->runtime
                                  : pawl_driving    ? pawl_driving->runtime
                                                    : NULL;
    return pawl_redaction_of(runtime, shapes);
}

/* ---- the quick look ---- */

/* Whether one of eight bytes is c (Bit Twiddling Hacks, "Determine if a word has a byte equal to n"). */
static inline uint64_t has_byte(uint64_t eight, unsigned char c) {
    uint64_t ones = UINT64_C(0x0101010101010101), zero = eight ^ (ones * c);
    return (zero - ones) & ~zero & (ones << 7);
}

static inline uint64_t load(const char *text, size_t bytes) {
    uint64_t eight = 0;
    memcpy(&eight, text, bytes);
    return eight;
}

/* Of NAME=value and URLs. */
static inline uint64_t has_separator(uint64_t eight) {
    return has_byte(eight, '=') | has_byte(eight, ':');
}

/* Of keys with a well-known beginning: each has one of these. */
static inline uint64_t has_mark(uint64_t eight) {
    return has_byte(eight, '-') | has_byte(eight, '_') | has_byte(eight, '.') | has_byte(eight, 'I') |
           has_byte(eight, 'B');
}

static inline bool may_have_shape(const char *text, size_t length) {
    if (length < 4)
        return false;
    if (length < 8)
        return has_separator(load(text, 4) | load(text + length - 4, 4) << 32) != 0;
    for (size_t at = 0; at < length; at += 8) {
        uint64_t eight = load(text + (at + 8 <= length ? at : length - 8), 8);
        if (has_separator(eight) || (length >= LEAST_LONG && has_mark(eight)))
            return true;
    }
    return false;
}

static inline bool has_value(const struct pawl_redaction *redaction, const char *text, size_t length) {
    return (redaction->sets[0] || redaction->sets[1]) && pawl_secrets_possible(redaction, text, length);
}

/* ---- whole texts ---- */

/* A copy that is made at the first thing hidden. */
struct copy {
    const char *from;
    size_t taken; /* of from */
    char *text;
    size_t used, capacity;
    bool failed;
};

static void put(struct copy *copy, const char *bytes, size_t length) {
    if (copy->failed || length == 0)
        return;
    if (copy->capacity - copy->used <= length) {
        size_t capacity = 2 * copy->capacity + length + FIRST_CAPACITY;
        char *text = realloc(copy->text, capacity);
        copy->failed = !text;
        if (!text)
            return;
        copy->text = text;
        copy->capacity = capacity;
    }
    memcpy(copy->text + copy->used, bytes, length);
    copy->used += length;
    copy->text[copy->used] = '\0';
}

static void hide(struct copy *copy, size_t start, size_t end) {
    put(copy, copy->from + copy->taken, start - copy->taken);
    put(copy, PAWL_REDACTED, PAWL_REDACTED_BYTES);
    copy->taken = end;
}

/* Overlapping and touching values are one. */
static void hide_values(const struct pawl_redaction *redaction, struct copy *copy, size_t length) {
    size_t at = pawl_secrets_skip(redaction, copy->from, 0, length);
    while (at < length && !copy->failed) {
        size_t end = at + pawl_secrets_match(redaction, copy->from, at, length);
        if (end == at) {
            at = pawl_secrets_skip(redaction, copy->from, at + 1, length);
            continue;
        }
        size_t start = at, next;
        for (at++; at <= end && at < length; at++) {
            next = at + pawl_secrets_match(redaction, copy->from, at, length);
            end = next > end ? next : end;
        }
        hide(copy, start, end);
        at = pawl_secrets_skip(redaction, copy->from, end, length);
    }
}

static void hide_shapes(const struct pawl_redaction *redaction, struct copy *copy, size_t length) {
    struct pawl_redact_range range = {0, 0};
    while (!copy->failed && pawl_shape_next(redaction, copy->from, length, range.end, &range))
        hide(copy, range.start, range.end);
}

/* Puts what is behind the last thing hidden. False without memory. */
static bool finish(struct copy *copy, size_t length) {
    if (copy->text)
        put(copy, copy->from + copy->taken, length - copy->taken);
    if (!copy->failed)
        return true;
    free(copy->text);
    copy->text = NULL;
    return false;
}

bool pawl_redact_text(const struct pawl_redaction *redaction, const char *text, size_t length, char **ret_text,
                      size_t *ret_length) {
    struct copy values = {.from = text};
    *ret_text = NULL;
    if (has_value(redaction, text, length))
        hide_values(redaction, &values, length);
    if (!finish(&values, length))
        return false;
    if (values.text) {
        *ret_text = values.text;
        *ret_length = length = values.used;
    }
    struct copy shapes = {.from = values.text ? values.text : text};
    if (redaction->shapes && may_have_shape(shapes.from, length))
        hide_shapes(redaction, &shapes, length);
    bool finished = finish(&shapes, length);
    if (shapes.text) {
        *ret_text = shapes.text;
        *ret_length = shapes.used;
    }
    if (shapes.text || !finished)
        free(values.text);
    if (!finished)
        *ret_text = NULL;
    return finished;
}

bool pawl_redact_needed(const struct pawl_redaction *redaction, const char *text, size_t length) {
    if (length < PAWL_SECRET_LEAST)
        return false;
    return (redaction->shapes && may_have_shape(text, length)) || has_value(redaction, text, length);
}

size_t pawl_redact_into(const struct pawl_redaction *redaction, const char *text, size_t length, char *buffer,
                        size_t size) {
    char *hidden = NULL;
    if (pawl_redact_needed(redaction, text, length) && !pawl_redact_text(redaction, text, length, &hidden, &length)) {
        text = PAWL_REDACTED;
        length = PAWL_REDACTED_BYTES;
    }
    text = hidden ? hidden : text;
    if (length >= size)
        length = pawl_utf8_cut(text, size - 1);
    memcpy(buffer, text, length);
    buffer[length] = '\0';
    free(hidden);
    return length;
}

/* Our own keys are not named like secrets; asking would be most of what a span costs here. */
static bool is_own_key(const char *key) {
    return strncmp(key, "pawl.", 5) == 0;
}

const char *pawl_redact_shown(const struct pawl_redaction *redaction, const char *key, const char *text, size_t length,
                              char **ret_made) {
    *ret_made = NULL;
    if (key && !is_own_key(key) && pawl_shape_hides_member(redaction, key, text))
        return PAWL_REDACTED;
    if (!pawl_redact_needed(redaction, text, length))
        return text;
    if (!pawl_redact_text(redaction, text, length, ret_made, &length))
        return PAWL_REDACTED;
    return *ret_made ? *ret_made : text;
}

char *pawl_runtime_redact(const pawl_runtime *runtime, const char *text) {
    const struct pawl_redaction redaction = pawl_redaction_of(runtime, true);
    size_t length = text ? strlen(text) : 0;
    char *hidden = NULL;
    if (!text || !pawl_redact_text(&redaction, text, length, &hidden, &length) || hidden)
        return hidden;
    char *copy = malloc(length + 1);
    return copy ? memcpy(copy, text, length + 1) : NULL;
}
