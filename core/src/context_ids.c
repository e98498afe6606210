/* Identity of a context: ids, baggage, tags, metadata, and the W3C headers they travel in. */
#include "ids_internal.h"
#include "bag_internal.h"
#include "baggage_internal.h"
#include "engine_internal.h"
#include "w3c_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES 256

static char *copy_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

static bool copy_optional(char **set, const char *text) {
    *set = text ? copy_text(text) : NULL;
    return !text || *set;
}

/* ---- life ---- */

static bool copy_metadata(struct root *root, const struct root *from) {
    if (from->metadata_count == 0)
        return true;
    root->metadata = calloc(METADATA_KEYS, sizeof *root->metadata);
    if (!root->metadata)
        return false;
    for (size_t i = 0; i < from->metadata_count; i++) {
        root->metadata[i].key = copy_text(from->metadata[i].key);
        if (!root->metadata[i].key)
            return false;
        root->metadata[i].value = pawl_value_ref(from->metadata[i].value);
        root->metadata_count++;
    }
    return true;
}

bool pawl_ids_copy(struct root *root, pawl_context *from) {
    struct root *source = from->root;
    pawl_root_need_trace_id(source);
    const char *correlation = pawl_context_id(from, PAWL_ID_CORRELATION);
    memcpy(root->trace_id, source->trace_id, 16);
    memcpy(root->parent_span_id, from->span ? from->span->span_id : source->parent_span_id, 8);
    atomic_store(&root->has_trace_id, true);
    root->parent_is_remote = !from->span && source->parent_is_remote;
    root->trace_flags = source->trace_flags;
    atomic_store(&root->observers, atomic_load(&source->observers));
    bool copied = copy_optional(&root->tracestate, source->tracestate) &&
                  copy_optional(&root->ids[PAWL_ID_CORRELATION], correlation) &&
                  pawl_baggage_copy(source->baggage, &root->baggage) && pawl_tags_copy(source->tags, &root->tags) &&
                  copy_metadata(root, source);
    for (int i = 0; copied && i < PAWL_ID_COUNT_; i++)
        if (i != PAWL_ID_CORRELATION)
            copied = copy_optional(&root->ids[i], source->ids[i]);
    return copied;
}

void pawl_ids_release(struct root *root) {
    free(root->tracestate);
    for (int i = 0; i < PAWL_ID_COUNT_; i++)
        free(root->ids[i]);
    pawl_baggage_free(root->baggage);
    pawl_tags_free(root->tags);
    for (size_t i = 0; i < root->metadata_count; i++) {
        free(root->metadata[i].key);
        pawl_value_unref(root->metadata[i].value);
    }
    free(root->metadata);
}

static void write_hex(char *text, const uint8_t *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}

bool pawl_ids_set_causation(struct root *root, pawl_context *parent) {
    uint8_t id[8];
    char text[17];
    pawl_context_span_id(parent, id);
    if (memcmp(id, (uint8_t[8]){0}, 8) == 0)
        return true;
    write_hex(text, id, 8);
    free(root->ids[PAWL_ID_CAUSATION]);
    return copy_optional(&root->ids[PAWL_ID_CAUSATION], text);
}

/* ---- trace ---- */

/* Made at the first need, since most untraced runs never ask. Under the root's lock because two threads may need it at
 * once. */
void pawl_root_make_trace_id(struct root *root) {
    uint64_t numbers[2] = {pawl_context_random(&root->scope), pawl_context_random(&root->scope) | 1};
    pthread_mutex_lock(&root->lock);
    if (!atomic_load(&root->has_trace_id)) {
        memcpy(root->trace_id, numbers, 16);
        atomic_store_explicit(&root->has_trace_id, true, memory_order_release);
    }
    pthread_mutex_unlock(&root->lock);
}

void pawl_context_trace_id(pawl_context *ctx, uint8_t ret_id[16]) {
    pawl_root_need_trace_id(ctx->root);
    memcpy(ret_id, ctx->root->trace_id, 16);
}

void pawl_context_span_id(pawl_context *ctx, uint8_t ret_id[8]) {
    memcpy(ret_id, ctx->span ? ctx->span->span_id : ctx->root->parent_span_id, 8);
}

void pawl_context_parent_span_id(pawl_context *ctx, uint8_t ret_id[8]) {
    if (ctx->span)
        memcpy(ret_id, ctx->span->parent_span_id, 8);
    else
        memset(ret_id, 0, 8);
}

uint8_t pawl_context_trace_flags(const pawl_context *ctx) {
    return ctx->root->trace_flags;
}

bool pawl_context_extract(pawl_context *ctx, const char *traceparent, const char *tracestate, const char *baggage) {
    struct root *root = ctx->root;
    struct pawl_traceparent parent;
    if (!ctx->is_root || atomic_load(&root->loop))
        return false;
    struct pawl_baggage *bag = pawl_baggage_parse(baggage);
    if (bag) {
        pawl_baggage_free(root->baggage);
        root->baggage = bag;
    }
    if (!pawl_w3c_parse_traceparent(traceparent, &parent))
        return false;
    memcpy(root->trace_id, parent.trace_id, 16);
    memcpy(root->parent_span_id, parent.parent_id, 8);
    root->parent_is_remote = true;
    root->trace_flags = parent.flags;
    atomic_store(&root->observers, UNDECIDED);
    atomic_store(&root->has_trace_id, true);
    free(root->tracestate);
    root->tracestate = pawl_w3c_normalise_tracestate(tracestate);
    return true;
}

void pawl_context_traceparent(pawl_context *ctx, char *ret_text) {
    struct pawl_traceparent parent = {.flags = ctx->root->trace_flags};
    pawl_context_trace_id(ctx, parent.trace_id);
    pawl_context_span_id(ctx, parent.parent_id);
    if (memcmp(parent.parent_id, (uint8_t[8]){0}, 8) == 0) { /* nothing observes: an id for this call alone */
        uint64_t number = pawl_context_random(ctx) | 1;
        memcpy(parent.parent_id, &number, 8);
    }
    pawl_w3c_format_traceparent(&parent, ret_text);
}

const char *pawl_context_tracestate(const pawl_context *ctx) {
    return ctx->root->tracestate ? ctx->root->tracestate : "";
}

char *pawl_context_baggage_header(const pawl_context *ctx) {
    return pawl_baggage_format(ctx->root->baggage);
}

/* ---- setters and getters ---- */

static bool may_change(const pawl_context *ctx, const char *what, pawl_error **err) {
    if (ctx && ctx->is_root && !atomic_load(&ctx->root->loop))
        return true;
    if (!ctx)
        pawl_context_is_null(err);
    else
        pawl_error_set(err, PAWL_E_INVALID, "context: %s is set before the run, on a context of one's own", what);
    return false;
}

pawl_status pawl_context_set_id(pawl_context *ctx, pawl_id which, const char *text, pawl_error **err) {
    if (!may_change(ctx, "an id", err))
        return PAWL_E_INVALID;
    if ((unsigned)which >= PAWL_ID_COUNT_)
        return pawl_error_set(err, PAWL_E_INVALID, "context: %d is none of pawl_id", (int)which);
    if (text && strnlen(text, ID_BYTES + 1) > ID_BYTES)
        return pawl_error_set(err, PAWL_E_LIMIT, "context: an id has at most %d bytes", ID_BYTES);
    char *copy = NULL;
    if (!copy_optional(&copy, text))
        return pawl_error_set(err, PAWL_E_NOMEM, "context: out of memory");
    free(ctx->root->ids[which]);
    ctx->root->ids[which] = copy;
    return PAWL_OK;
}

/* RFC 9562 section 5.4: version 4, from the runtime's generator. */
static void make_uuid(pawl_context *ctx, char text[37]) {
    uint64_t numbers[2] = {pawl_context_random(ctx), pawl_context_random(ctx)};
    uint8_t bytes[16];
    char hex[33];
    memcpy(bytes, numbers, 16);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    write_hex(hex, bytes, 16);
    snprintf(text, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static const char *make_correlation_id(pawl_context *ctx) {
    struct root *root = ctx->root;
    char text[37];
    make_uuid(ctx, text);
    pthread_mutex_lock(&root->lock);
    if (!root->ids[PAWL_ID_CORRELATION]) /* another thread may have been faster */
        root->ids[PAWL_ID_CORRELATION] = copy_text(text);
    const char *id = root->ids[PAWL_ID_CORRELATION];
    pthread_mutex_unlock(&root->lock);
    return id ? id : "";
}

const char *pawl_context_id(pawl_context *ctx, pawl_id which) {
    struct root *root = ctx->root;
    if ((unsigned)which >= PAWL_ID_COUNT_)
        return NULL;
    if (which != PAWL_ID_CORRELATION)
        return root->ids[which];
    pthread_mutex_lock(&root->lock);
    const char *id = root->ids[which];
    pthread_mutex_unlock(&root->lock);
    return id ? id : make_correlation_id(ctx);
}

pawl_status pawl_context_set_baggage(pawl_context *ctx, const char *key, const char *value, pawl_error **err) {
    return may_change(ctx, "baggage", err) ? pawl_baggage_set(&ctx->root->baggage, key, value, err) : PAWL_E_INVALID;
}

const char *pawl_context_baggage(const pawl_context *ctx, const char *key) {
    return pawl_baggage_get(ctx->root->baggage, key);
}

pawl_status pawl_context_set_tag(pawl_context *ctx, const char *key, const char *value, pawl_error **err) {
    return may_change(ctx, "a tag", err) ? pawl_tags_set(&ctx->root->tags, key, value, err) : PAWL_E_INVALID;
}

const char *pawl_context_tag(const pawl_context *ctx, const char *key) {
    return pawl_tags_get(ctx->root->tags, key);
}

static struct state_entry *find_metadata(const struct root *root, const char *key) {
    for (size_t i = 0; key && i < root->metadata_count; i++)
        if (strcmp(root->metadata[i].key, key) == 0)
            return &root->metadata[i];
    return NULL;
}

static void remove_metadata(struct root *root, struct state_entry *entry) {
    free(entry->key);
    pawl_value_unref(entry->value);
    *entry = root->metadata[--root->metadata_count];
}

static pawl_status add_metadata(struct root *root, const char *key, pawl_value *value, pawl_error **err) {
    if (root->metadata_count == METADATA_KEYS)
        return pawl_error_set(err, PAWL_E_LIMIT, "context: metadata has at most %d keys", METADATA_KEYS);
    if (!root->metadata)
        root->metadata = calloc(METADATA_KEYS, sizeof *root->metadata);
    char *copy = root->metadata ? copy_text(key) : NULL;
    if (!copy)
        return pawl_error_set(err, PAWL_E_NOMEM, "context: out of memory");
    root->metadata[root->metadata_count++] = (struct state_entry){.key = copy, .value = pawl_value_ref(value)};
    return PAWL_OK;
}

pawl_status pawl_context_set_metadata(pawl_context *ctx, const char *key, pawl_value *value, pawl_error **err) {
    if (!may_change(ctx, "metadata", err))
        return PAWL_E_INVALID;
    if (!key || !*key || strnlen(key, ID_BYTES + 1) > ID_BYTES)
        return pawl_error_set(err, PAWL_E_INVALID, "context: a metadata key has 1 to %d bytes", ID_BYTES);
    struct state_entry *entry = find_metadata(ctx->root, key);
    if (!entry)
        return value ? add_metadata(ctx->root, key, value, err) : PAWL_OK;
    if (!value) {
        remove_metadata(ctx->root, entry);
        return PAWL_OK;
    }
    pawl_value_ref(value);
    pawl_value_unref(entry->value);
    entry->value = value;
    return PAWL_OK;
}

pawl_value *pawl_context_metadata(const pawl_context *ctx, const char *key) {
    struct state_entry *entry = find_metadata(ctx->root, key);
    return entry ? entry->value : NULL;
}
