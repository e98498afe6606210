/* Primitives: making, counting and checking nodes. The tree fixes the memory of a run, so it is computed here, once. */
#include "engine_internal.h"
#include "error_internal.h"
#include "utf8_internal.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 255
#define PATH_BYTES 1024
#define DESCRIBE_DEPTH 64
#define MOST_BYTES ((size_t)PAWL_MIB(256)) /* frames of one run; a block's size is 32 bits */

static pawl_primitive end_mark = {.immortal = true, .name = "", .type = "end"};
static pawl_primitive without_memory = {.immortal = true, .broken = true, .name = "?", .type = "primitive"};

pawl_primitive *pawl_primitive_end(void) {
    return &end_mark;
}

static_assert(sizeof(pawl_frame) == 168, "a frame has grown: is it worth it?");

static size_t aligned(size_t bytes) {
    return (bytes + FRAME_ALIGN - 1) & ~(size_t)(FRAME_ALIGN - 1);
}

/* ---- life ---- */

pawl_primitive *pawl_primitive_ref(pawl_primitive *node) {
    if (node && !node->immortal)
        atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

static void destroy(pawl_primitive *node) {
    if (node->vtable && node->vtable->destroy && node->state)
        node->vtable->destroy(node->state);
    if (node->user_destroy)
        node->user_destroy(node->user);
    for (size_t i = 0; i < node->child_count; i++)
        pawl_primitive_unref(node->children[i]);
    pawl_error_unref(node->failure);
    free(node);
}

pawl_primitive *pawl_primitive_unref(pawl_primitive *node) {
    if (node && !node->immortal && atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1)
        destroy(node);
    return NULL;
}

/* ---- making ---- */

static size_t count_children(pawl_primitive *const *children) {
    size_t count = 0;
    while (children && children[count] != &end_mark)
        count++;
    return count;
}

static uint64_t new_serial(void) {
    static _Atomic uint64_t serials;
    return atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed) + 1;
}

static pawl_primitive *allocate(const char *name, const char *type, size_t child_count) {
    type = type && *type ? type : "primitive";
    size_t name_length = strnlen(name ? name : "", NAME_BYTES + 1), type_length = strlen(type);
    size_t list_bytes = child_count * sizeof(pawl_primitive *);
    pawl_primitive *node = calloc(1, sizeof *node + list_bytes + name_length + 1 + type_length + 1);
    if (!node)
        return NULL;
    node->children = (pawl_primitive **)(void *)(node + 1);
    char *text = (char *)(node + 1) + list_bytes;
    memcpy(text, name ? name : "", name_length);
    memcpy(text + name_length + 1, type, type_length);
    node->name = text;
    node->type = text + name_length + 1;
    node->name_length = (uint32_t)name_length;
    node->type_length = (uint32_t)type_length;
    node->serial = new_serial();
    node->lanes = 1;
    atomic_init(&node->refs, 1);
    return node;
}

/* First byte that may not stand in a line of text; the length when all may. */
static size_t first_bad_byte(const char *name, size_t length) {
    size_t valid = pawl_utf8_valid(name, length);
    for (size_t i = 0; i < valid; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return i;
    return valid;
}

/* A bad name is mended, since the error that says so is shown with it. */
static void check_name(pawl_primitive *node) {
    char *name = (char *)node->name;
    size_t length = strlen(name), bad = length > NAME_BYTES ? length : first_bad_byte(name, length);
    if (!node->failure && (length == 0 || length > NAME_BYTES))
        pawl_error_set(&node->failure, PAWL_E_INVALID, "%s: a node needs a name of 1 to %d bytes, this one has %s",
                       node->type, NAME_BYTES, length ? "more" : "none");
    else if (!node->failure && bad < length)
        pawl_error_set(&node->failure, PAWL_E_INVALID,
                       "%s: byte %zu of its name is 0x%02x; a name is UTF-8 without control characters", node->type,
                       bad + 1, (unsigned)(unsigned char)name[bad]);
    for (; bad < length; bad += first_bad_byte(name + bad, length - bad))
        name[bad] = '?';
}

static void check_children(pawl_primitive *node) {
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i] && node->children[i]->broken)
            node->broken = true;
        if (!node->children[i] && !node->failure)
            pawl_error_set(&node->failure, PAWL_E_INVALID, "%s '%s': child %zu is NULL; pass a primitive", node->type,
                           node->name, i + 1);
    }
}

/* An inline leaf that nothing observes needs no frame, unless it is started in a lane. */
static size_t bytes_of_child(const pawl_primitive *child, int observed, bool has_lanes) {
    if (!child || (child->kind == NODE_INLINE && !observed && !has_lanes))
        return 0;
    return child->bytes[observed];
}

/* Frame, then its lanes of children side by side; each lane fits the largest child. */
static void compute_bytes(pawl_primitive *node, size_t frame_bytes, bool has_lanes) {
    for (int observed = 0; observed < 2; observed++) {
        size_t lane = 0;
        for (size_t i = 0; i < node->child_count; i++) {
            size_t bytes = bytes_of_child(node->children[i], observed, has_lanes);
            lane = bytes > lane ? bytes : lane;
        }
        node->own_bytes[0] = aligned(sizeof(pawl_frame) + frame_bytes);
        node->own_bytes[1] = node->own_bytes[0] + aligned(sizeof(pawl_span));
        node->lane_bytes[observed] = lane;
        node->bytes[observed] = node->own_bytes[observed] + lane * node->lanes;
    }
    for (size_t i = 0; i < node->child_count; i++)
        if (node->children[i] && node->children[i]->peak_ops * node->lanes > node->peak_ops)
            node->peak_ops = node->children[i]->peak_ops * node->lanes;
    node->frame_bytes = frame_bytes;
}

static pawl_primitive *finish(pawl_primitive *node, size_t frame_bytes, bool has_lanes) {
    check_name(node);
    check_children(node);
    compute_bytes(node, frame_bytes, has_lanes);
    if (!node->failure && node->bytes[1] > MOST_BYTES)
        pawl_error_set(&node->failure, PAWL_E_LIMIT,
                       "%s '%s': a run would need %zu bytes for what may run at once; lower max_concurrency",
                       node->type, node->name, node->bytes[1]);
    if (node->failure)
        node->broken = true;
    return node;
}

static pawl_primitive *give_up(const pawl_primitive_spec *spec) {
    if (spec->vtable->destroy && spec->state)
        spec->vtable->destroy(spec->state);
    for (size_t i = 0; spec->children && spec->children[i] != &end_mark; i++)
        pawl_primitive_unref(spec->children[i]);
    pawl_error_unref(spec->failure);
    return &without_memory;
}

pawl_primitive *pawl_primitive_new(const pawl_primitive_spec *spec) {
    size_t count = count_children(spec->children);
    pawl_primitive *node = allocate(spec->name, spec->vtable->type_name, count);
    if (!node)
        return give_up(spec);
    node->kind = NODE_STEP;
    node->vtable = spec->vtable;
    node->state = spec->state;
    node->failure = spec->failure;
    node->child_count = count;
    if (count)
        memcpy(node->children, spec->children, count * sizeof *node->children);
    node->lanes = spec->lanes ? (uint32_t)spec->lanes : 1;
    return finish(node, spec->frame_bytes, spec->lanes > 0);
}

pawl_primitive *pawl_leaf_new(const struct leaf_spec *spec) {
    pawl_primitive *node = allocate(spec->name, spec->type, 0);
    if (!node) {
        if (spec->user_destroy)
            spec->user_destroy(spec->user);
        pawl_error_unref(spec->failure);
        return &without_memory;
    }
    node->kind = (uint8_t)spec->kind;
    node->fn = spec->fn;
    node->async = spec->async;
    node->user = spec->user;
    node->user_destroy = spec->user_destroy;
    node->grace_ns = spec->grace_ns;
    node->failure = spec->failure;
    bool missing = spec->kind == NODE_ASYNC ? !spec->async || !spec->async->start : !spec->fn;
    if (missing && !node->failure)
        pawl_error_set(&node->failure, PAWL_E_INVALID, "%s '%s': its function is NULL; pass one", spec->type,
                       node->name);
    node->peak_ops = spec->kind == NODE_ASYNC;
    size_t bytes = spec->kind == NODE_ASYNC    ? sizeof(struct op_frame)
                   : spec->kind != NODE_INLINE ? sizeof(struct job)
                                               : 0;
    return finish(node, bytes, false);
}

/* ---- reading ---- */

const char *pawl_primitive_name(const pawl_primitive *node) {
    return node ? node->name : "";
}

const char *pawl_primitive_type(const pawl_primitive *node) {
    return node ? node->type : "";
}

size_t pawl_primitive_child_count(const pawl_primitive *node) {
    return node ? node->child_count : 0;
}

pawl_primitive *pawl_primitive_child(const pawl_primitive *node, size_t index) {
    return node && index < node->child_count ? node->children[index] : NULL;
}

/* First node that failed itself; path gets its names from the root. */
static const pawl_primitive *find_failed(const pawl_primitive *node, char *path, size_t used) {
    while (node) {
        int wrote = snprintf(path + used, PATH_BYTES - used, "%s%s", used ? "/" : "", node->name);
        used += wrote > 0 && (size_t)wrote < PATH_BYTES - used ? (size_t)wrote : 0;
        if (node->failure || !node->broken || node->immortal)
            return node;
        const pawl_primitive *next = NULL;
        for (size_t i = 0; i < node->child_count && !next; i++)
            if (node->children[i]->broken)
                next = node->children[i];
        node = next;
    }
    return NULL;
}

pawl_error *pawl_primitive_error(const pawl_primitive *node) {
    pawl_error *error = NULL;
    if (!node) {
        pawl_error_set(&error, PAWL_E_INVALID, "the pipeline is NULL; pass a primitive");
        return error;
    }
    if (!node->broken)
        return NULL;
    char path[PATH_BYTES];
    const pawl_primitive *failed = find_failed(node, path, 0);
    if (!failed || !failed->failure) {
        pawl_error_set(&error, PAWL_E_NOMEM, "out of memory while the pipeline was made; free some and make it again");
        return error;
    }
    pawl_error_info info = {.size = sizeof info,
                            .status = pawl_error_status(failed->failure),
                            .cause = pawl_error_ref((pawl_error *)pawl_error_cause(failed->failure))};
    return pawl_error_make(&info, path, pawl_error_message(failed->failure));
}

/* ---- describing ---- */

struct text {
    char *bytes;
    size_t length, capacity;
    bool failed;
};

static void append_line(struct text *text, size_t depth, const pawl_primitive *node) {
    size_t need = depth * 2 + strlen(node->name) + strlen(node->type) + 5;
    if (text->length + need > text->capacity) {
        size_t capacity = (text->capacity + need) * 2;
        char *bytes = realloc(text->bytes, capacity);
        if (!bytes) {
            text->failed = true;
            return;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    int wrote = snprintf(text->bytes + text->length, text->capacity - text->length, "%*s%s (%s)\n", (int)depth * 2, "",
                         node->name, node->type);
    text->length += wrote > 0 ? (size_t)wrote : 0;
}

static void describe(struct text *text, size_t depth, const pawl_primitive *node) {
    append_line(text, depth, node);
    for (size_t i = 0; depth < DESCRIBE_DEPTH && i < node->child_count && !text->failed; i++)
        if (node->children[i])
            describe(text, depth + 1, node->children[i]);
}

char *pawl_primitive_describe(const pawl_primitive *node) {
    struct text text = {0};
    if (node)
        describe(&text, 0, node);
    if (!text.failed && text.bytes)
        return text.bytes;
    free(text.bytes);
    return text.failed ? NULL : calloc(1, 1);
}
