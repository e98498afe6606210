/* Shared state of a run and its checkpoints. */
#include "context_internal.h"
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 256

static struct state_entry *find(struct root *root, const char *key) {
    for (size_t i = 0; i < root->state_count; i++)
        if (strcmp(root->state[i].key, key) == 0)
            return &root->state[i];
    return NULL;
}

static pawl_status check_target(const pawl_context *ctx, const char *key, pawl_error **err) {
    if (!ctx)
        return pawl_context_is_null(err);
    if (!key || !*key || strnlen(key, KEY_BYTES + 1) > KEY_BYTES)
        return pawl_error_set(err, PAWL_E_INVALID, "state: a key has 1 to %d bytes", KEY_BYTES);
    return PAWL_OK;
}

static pawl_status append(struct root *root, const char *key, pawl_value *value, pawl_error **err) {
    if (root->state_count == STATE_KEYS)
        return pawl_error_set(err, PAWL_E_LIMIT, "state: '%s' would be key %d; remove some", key, STATE_KEYS + 1);
    if (root->state_count == root->state_capacity) {
        size_t capacity = root->state_capacity ? root->state_capacity * 2 : 8;
        struct state_entry *more = realloc(root->state, capacity * sizeof *more);
        if (!more)
            return pawl_error_set(err, PAWL_E_NOMEM, "state: out of memory at key '%s'", key);
        root->state = more;
        root->state_capacity = capacity;
    }
    size_t bytes = strlen(key) + 1;
    char *copy = malloc(bytes);
    if (!copy)
        return pawl_error_set(err, PAWL_E_NOMEM, "state: out of memory at key '%s'", key);
    memcpy(copy, key, bytes);
    root->state[root->state_count++] = (struct state_entry){.key = copy, .value = value};
    return PAWL_OK;
}

/* Puts value (taken) under key, under the lock. Returns what it replaced, to be released without the lock. */
static pawl_status put(struct root *root, const char *key, pawl_value *value, pawl_value **ret_old, pawl_error **err) {
    struct state_entry *entry = find(root, key);
    if (entry && value) {
        *ret_old = entry->value;
        entry->value = value;
    } else if (entry) {
        *ret_old = entry->value;
        free(entry->key);
        *entry = root->state[--root->state_count];
    } else if (value) {
        pawl_status status = append(root, key, value, err);
        if (status != PAWL_OK)
            *ret_old = value;
        return status;
    }
    return PAWL_OK;
}

pawl_status pawl_context_set_state(pawl_context *ctx, const char *key, pawl_value *value, pawl_error **err) {
    pawl_value *old = NULL;
    pawl_status status = check_target(ctx, key, err);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&ctx->root->state_lock);
    status = put(ctx->root, key, pawl_value_ref(value), &old, err);
    pthread_mutex_unlock(&ctx->root->state_lock);
    pawl_value_unref(old);
    return status;
}

pawl_value *pawl_context_state(pawl_context *ctx, const char *key) {
    pthread_mutex_lock(&ctx->root->state_lock);
    struct state_entry *entry = key ? find(ctx->root, key) : NULL;
    pawl_value *value = entry ? pawl_value_ref(entry->value) : NULL;
    pthread_mutex_unlock(&ctx->root->state_lock);
    return value;
}

pawl_status pawl_context_state_update(pawl_context *ctx, const char *key, pawl_state_update update, void *user,
                                      pawl_error **err) {
    pawl_value *old = NULL;
    pawl_status status = check_target(ctx, key, err);
    if (status != PAWL_OK)
        return status;
    if (!update)
        return pawl_error_set(err, PAWL_E_INVALID, "state: update is NULL; pass a function that gives the new value");
    pthread_mutex_lock(&ctx->root->state_lock);
    struct state_entry *entry = find(ctx->root, key);
    pawl_value *value = update(user, entry ? entry->value : NULL);
    if (value)
        status = put(ctx->root, key, value, &old, err);
    pthread_mutex_unlock(&ctx->root->state_lock);
    pawl_value_unref(old);
    return status;
}

void pawl_context_checkpoint(pawl_context *ctx, const char *name) {
    struct root *root = ctx->root;
    uint64_t now = pawl_context_now(ctx);
    pthread_mutex_lock(&root->lock);
    if (!root->checkpoints)
        root->checkpoints = calloc(1, sizeof *root->checkpoints);
    if (root->checkpoints) {
        pawl_checkpoint *slot = &root->checkpoints->items[root->checkpoints->made++ % CHECKPOINTS];
        size_t length = strnlen(name ? name : "", sizeof slot->name - 1);
        *slot = (pawl_checkpoint){.time_ns = now};
        memcpy(slot->name, name ? name : "", length);
    }
    pthread_mutex_unlock(&root->lock);
}

size_t pawl_context_checkpoints(pawl_context *ctx, pawl_checkpoint *ret_items, size_t capacity) {
    struct root *root = ctx->root;
    pthread_mutex_lock(&root->lock);
    size_t made = root->checkpoints ? root->checkpoints->made : 0;
    size_t kept = made < CHECKPOINTS ? made : CHECKPOINTS, count = kept < capacity ? kept : capacity;
    for (size_t i = 0; i < count; i++)
        ret_items[i] = root->checkpoints->items[(made - count + i) % CHECKPOINTS];
    pthread_mutex_unlock(&root->lock);
    return made;
}
