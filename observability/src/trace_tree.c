/* The trace tree: spans are kept until the last open one of their trace has ended, then written (trace_tree_text.c). */
#include "clean_text_internal.h"
#include "options_internal.h"
#include "redact_internal.h"
#include "trace_tree_internal.h"
#include "utf8_internal.h"
#include "w3c_internal.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace {
    uint8_t id[16];
    size_t open, count, foreign, capacity, dropped;
    struct tree_record *records;
    struct trace *next;
};

struct tree {
    pawl_trace_tree_options options;
    pthread_mutex_t lock;
    struct trace *traces; /* those with open spans: few */
};

/* ---- collecting ---- */

static struct trace *find_trace(struct tree *tree, const uint8_t id[16]) {
    for (struct trace *t = tree->traces; t; t = t->next)
        if (memcmp(t->id, id, 16) == 0)
            return t;
    return NULL;
}

static void on_start(void *self, const pawl_span *span) {
    struct tree *tree = self;
    if (tree->options.sampled_only && !(span->trace_flags & PAWL_W3C_FLAG_SAMPLED))
        return; /* its end finds no trace */
    pthread_mutex_lock(&tree->lock);
    struct trace *trace = find_trace(tree, span->trace_id);
    if (!trace && (trace = calloc(1, sizeof *trace))) {
        memcpy(trace->id, span->trace_id, 16);
        trace->next = tree->traces;
        tree->traces = trace;
    }
    if (trace)
        trace->open++;
    pthread_mutex_unlock(&tree->lock);
}

static void copy_clean(char *to, size_t size, const char *from) {
    (void)pawl_utf8_lossy_into(from, strlen(from), to, size);
    pawl_clean_text(to, "");
}

static void add_note(struct tree_record *record, const char *format, const char *word, long long number) {
    size_t used = strlen(record->note);
    char text[NOTE_BYTES];
    snprintf(text, sizeof text, format, word, number);
    copy_clean(record->note + used, sizeof record->note - used, text);
}

/* Of the attributes only what a person asks first: which try, which branch, where from, how it went inside. */
static void take_notes(struct tree_record *record, const pawl_span *span) {
    for (uint32_t i = 0; i < span->attribute_count; i++) {
        const pawl_attribute *a = &span->attributes[i];
        if (strncmp(a->key, "pawl.", 5) != 0)
            continue;
        const char *word = a->key + 5;
        if (a->type == PAWL_ATTRIBUTE_INT && (strcmp(word, "attempt") == 0 || strcmp(word, "branch") == 0 ||
                                              strcmp(word, "round") == 0 || strcmp(word, "candidate") == 0))
            add_note(record, "  %s %lld", word, (long long)a->value.integer);
        else if (a->type == PAWL_ATTRIBUTE_STRING && strcmp(word, "cache") == 0)
            add_note(record, "  cache %s", a->value.string, 0);
        else if (a->type == PAWL_ATTRIBUTE_STRING && strcmp(word, "code.outcome") == 0)
            add_note(record, "  -> %s", a->value.string, 0);
        else if (a->type == PAWL_ATTRIBUTE_STRING && strcmp(word, "span.source") == 0)
            add_note(record, "  in the %s", a->value.string, 0);
    }
}

/* When the trace is full: what stands above kept spans is kept too, so that the tree holds together. */
static bool is_parent(const struct trace *trace, const pawl_span *span) {
    for (size_t i = 0; i < trace->count; i++)
        if (memcmp(trace->records[i].parent_id, span->span_id, 8) == 0)
            return true;
    return false;
}

static bool is_foreign(const pawl_span *span) {
    for (uint32_t i = 0; i < span->attribute_count; i++)
        if (strcmp(span->attributes[i].key, "pawl.span.source") == 0)
            return true;
    return false;
}

/* A sandboxed program may fill half: what it writes pushes out nothing, and keeps nothing. */
static bool has_room(const struct tree *tree, struct trace *trace, const pawl_span *span) {
    bool is_full = trace->count >= tree->options.max_spans;
    if (!is_foreign(span))
        return !is_full || is_parent(trace, span);
    return !is_full && trace->foreign++ < tree->options.max_spans / 2;
}

static struct tree_record *new_record(struct tree *tree, struct trace *trace, const pawl_span *span) {
    if (!has_room(tree, trace, span)) {
        trace->dropped++;
        return NULL;
    }
    if (trace->count == trace->capacity) {
        size_t capacity = trace->capacity ? trace->capacity * 2 : 16;
        struct tree_record *more = realloc(trace->records, capacity * sizeof *more);
        if (!more) {
            trace->dropped++;
            return NULL;
        }
        trace->records = more;
        trace->capacity = capacity;
    }
    return memset(&trace->records[trace->count++], 0, sizeof(struct tree_record));
}

/* Names may have secrets in them, as all that people make of data. */
static void copy_name(struct tree_record *record, const pawl_span *span) {
    const struct pawl_redaction redaction = pawl_redaction_of(pawl_context_runtime(span->ctx), true);
    char name[1024];
    pawl_redact_into(&redaction, span->name, strlen(span->name), name, sizeof name);
    copy_clean(record->name, sizeof record->name, name);
}

static void keep(struct tree *tree, struct trace *trace, const pawl_span *span) {
    if (span->status == PAWL_OK && span->end_ns - span->start_ns < tree->options.min_duration_ns)
        return;
    struct tree_record *record = new_record(tree, trace, span);
    if (!record)
        return;
    memcpy(record->span_id, span->span_id, 8);
    memcpy(record->parent_id, span->parent_span_id, 8);
    record->start_ns = span->start_ns;
    record->end_ns = span->end_ns;
    record->status = (pawl_status)span->status;
    copy_name(record, span);
    copy_clean(record->type, sizeof record->type, span->type);
    take_notes(record, span);
}

/* ---- the end of a trace ---- */

static void end_trace(struct tree *tree, struct trace *trace) {
    for (struct trace **at = &tree->traces; *at; at = &(*at)->next)
        if (*at == trace) {
            *at = trace->next;
            break;
        }
    size_t length;
    char *text = pawl_trace_tree_text(trace->records, trace->count, trace->dropped, &tree->options, &length);
    if (text && length)
        tree->options.write(tree->options.user, text, length);
    free(text);
    free(trace->records);
    free(trace);
}

static void on_end(void *self, const pawl_span *span) {
    struct tree *tree = self;
    pthread_mutex_lock(&tree->lock);
    struct trace *trace = find_trace(tree, span->trace_id);
    if (trace) {
        keep(tree, trace, span);
        if (--trace->open == 0)
            end_trace(tree, trace);
    }
    pthread_mutex_unlock(&tree->lock);
}

static void destroy(void *self) {
    struct tree *tree = self;
    while (tree->traces)
        end_trace(tree, tree->traces);
    pthread_mutex_destroy(&tree->lock);
    free(tree);
}

static const pawl_observer_vtable tree_vtable = {
    .size = sizeof tree_vtable, .span_start = on_start, .span_end = on_end, .destroy = destroy};

pawl_status pawl_trace_tree_attach(pawl_runtime *runtime, const pawl_trace_tree_options *options, pawl_error **err) {
    struct tree *tree = calloc(1, sizeof *tree);
    if (!tree)
        return pawl_error_set(err, PAWL_E_NOMEM, "trace tree: out of memory");
    pthread_mutex_init(&tree->lock, NULL);
    pawl_status status = pawl_options_copy(&tree->options, sizeof tree->options, options, "trace tree", err);
    if (status == PAWL_OK && !tree->options.write)
        status =
            pawl_error_set(err, PAWL_E_INVALID, "trace tree: write is required; pass a function that takes the text");
    if (status == PAWL_OK && tree->options.max_spans > 100000)
        status = pawl_error_set(err, PAWL_E_INVALID, "trace tree: max_spans is over 100000");
    if (status == PAWL_OK && (tree->options.max_siblings == 1 || tree->options.max_siblings == PAWL_ZERO))
        status = pawl_error_set(err, PAWL_E_INVALID, "trace tree: max_siblings is %d; 2 is the least, 0 shows all",
                                tree->options.max_siblings == 1);
    tree->options.max_spans = pawl_option(tree->options.max_spans, 1000);
    tree->options.max_siblings = pawl_option(tree->options.max_siblings, UINT64_MAX);
    tree->options.min_duration_ns = pawl_option(tree->options.min_duration_ns, 0);
    if (status == PAWL_OK)
        status = pawl_runtime_add_observer(runtime, &tree_vtable, tree, err);
    if (status != PAWL_OK) {
        pthread_mutex_destroy(&tree->lock);
        free(tree);
    }
    return status;
}
