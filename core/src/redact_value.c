/* Hiding in values and errors. */
#include "error_internal.h"
#include "redact_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- is there anything? ---- */

/* Without memory too: then making a copy fails as well. */
static bool text_needs(const struct pawl_redaction *redaction, const char *text) {
    char *hidden = NULL;
    size_t length = text ? strlen(text) : 0;
    if (!text || !pawl_redact_needed(redaction, text, length))
        return false;
    bool needs = !pawl_redact_text(redaction, text, length, &hidden, &length) || hidden;
    free(hidden);
    return needs;
}

static bool tree_needs(const struct pawl_redaction *redaction, const cJSON *json) {
    if (text_needs(redaction, json->string))
        return true;
    if (cJSON_IsString(json) &&
        (text_needs(redaction, json->valuestring) ||
         (redaction->shapes && json->string && pawl_shape_hides_member(redaction, json->string, json->valuestring))))
        return true;
    if (!cJSON_IsArray(json) && !cJSON_IsObject(json))
        return false;
    for (const cJSON *child = json->child; child; child = child->next) /* recursion: values are of bounded depth */
        if (tree_needs(redaction, child))
            return true;
    return false;
}

/* ---- the copy ---- */

struct rewriting {
    const struct pawl_redaction *redaction;
    bool changed, failed;
};

static void replace(struct rewriting *r, char **place, char *text) {
    r->failed |= !text;
    r->changed = true;
    if (!text)
        return;
    free(*place);
    *place = text;
}

static void rewrite_text(struct rewriting *r, char **place) {
    char *text = NULL;
    size_t length = 0;
    if (!*place)
        return;
    r->failed |= !pawl_redact_text(r->redaction, *place, strlen(*place), &text, &length);
    if (text)
        replace(r, place, text);
}

static void rewrite(struct rewriting *r, cJSON *json) {
    const struct pawl_redaction *redaction = r->redaction;
    if (cJSON_IsString(json) && json->valuestring && json->string && redaction->shapes &&
        pawl_shape_hides_member(redaction, json->string, json->valuestring)) {
        char *text = malloc(sizeof PAWL_REDACTED);
        replace(r, &json->valuestring, text ? memcpy(text, PAWL_REDACTED, sizeof PAWL_REDACTED) : NULL);
    } else if (cJSON_IsString(json)) {
        rewrite_text(r, &json->valuestring);
    }
    if (json->string && !(json->type & cJSON_StringIsConst)) /* a constant name is no secret, and not ours */
        rewrite_text(r, &json->string);
    for (cJSON *child = json->child; child && !r->failed; child = child->next)
        rewrite(r, child);
}

static pawl_value *redact_json(const struct pawl_redaction *redaction, pawl_value *value) {
    struct rewriting r = {.redaction = redaction};
    const cJSON *json = pawl_value_json(value);
    if (!json)
        return NULL;
    if (!tree_needs(redaction, json))
        return pawl_value_ref(value);
    cJSON *copy = cJSON_Duplicate(json, true);
    if (!copy)
        return NULL;
    rewrite(&r, copy);
    if (!r.failed && r.changed)
        return pawl_value_take(copy);
    cJSON_Delete(copy);
    return r.failed ? NULL : pawl_value_ref(value);
}

static pawl_value *redact_list(const struct pawl_redaction *redaction, pawl_value *list) {
    size_t count = pawl_value_count(list), made = 0;
    bool changed = false;
    pawl_value **items = calloc(count + 1, sizeof(pawl_value *)), *result = NULL;
    for (; items && made < count; made++) {
        pawl_value *item = pawl_value_item(list, made);
        items[made] = pawl_redact_value(redaction, item); /* recursion: values are of bounded depth */
        if (!items[made])
            break;
        changed |= items[made] != item;
    }
    if (items && made == count)
        result = changed ? pawl_value_list(items, count) : pawl_value_ref(list);
    for (size_t i = 0; i < made; i++)
        pawl_value_unref(items[i]);
    free((void *)items);
    return result;
}

pawl_value *pawl_redact_value(const struct pawl_redaction *redaction, pawl_value *value) {
    if (!value)
        return NULL;
    return pawl_value_is_list(value) ? redact_list(redaction, value) : redact_json(redaction, value);
}

/* ---- errors ---- */

/* A message that is as long as one gets was cut. */
static struct pawl_redaction redaction_of(const struct pawl_redaction *redaction, const pawl_error *error) {
    struct pawl_redaction own = *redaction;
    own.cut |= strlen(pawl_error_message(error)) + 4 >= PAWL_ERROR_MESSAGE_BYTES;
    return own;
}

static bool error_needs(const struct pawl_redaction *redaction, const pawl_error *error) {
    for (; error; error = pawl_error_cause(error)) {
        const struct pawl_redaction own = redaction_of(redaction, error);
        if (text_needs(&own, pawl_error_message(error)))
            return true;
    }
    return false;
}

static pawl_error *redact_error(const struct pawl_redaction *redaction, const pawl_error *error) {
    if (!error)
        return NULL;
    char message[PAWL_ERROR_MESSAGE_BYTES];
    const char *text = pawl_error_message(error);
    const struct pawl_redaction own = redaction_of(redaction, error);
    pawl_error_info info = {.size = sizeof info,
                            .status = pawl_error_status(error),
                            .failure_class = pawl_error_class(error),
                            .started = pawl_error_started(error),
                            .reason = pawl_error_cancel_reason(error),
                            .retry_after_ns = pawl_error_retry_after_ns(error),
                            .cause = redact_error(redaction, pawl_error_cause(error))}; /* at most 32 */
    pawl_redact_into(&own, text, strlen(text), message, sizeof message);
    return pawl_error_make(&info, pawl_error_path(error), message);
}

void pawl_redact_error(const struct pawl_redaction *redaction, pawl_error **error) {
    if (!*error || !error_needs(redaction, *error))
        return;
    pawl_error *made = redact_error(redaction, *error);
    pawl_error_unref(*error);
    *error = made;
}
