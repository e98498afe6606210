/* The trace tree: spans are kept until the last open one of their trace has ended, then written parent before child, by
 * start. */
#include "options_internal.h"
#include <pawl/observability/trace_tree.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 64
#define NOTE_BYTES 96
#define DEEPEST 32

struct record {
    uint8_t span_id[8], parent_id[8];
    uint64_t start_ns, end_ns;
    pawl_status status;
    char name[NAME_BYTES], type[24], note[NOTE_BYTES];
    bool printed;
};

struct trace {
    uint8_t id[16];
    size_t open, count, capacity, dropped;
    struct record *records;
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

/* Control bytes could move the reader's cursor: they become '?'. */
static void copy_clean(char *to, size_t size, const char *from) {
    size_t i = 0;
    for (; from[i] && i + 1 < size; i++)
        to[i] = (unsigned char)from[i] < 0x20 || from[i] == 0x7F ? '?' : from[i];
    while (i > 0 && from[i] && ((unsigned char)from[i] & 0xC0) == 0x80)
        i--; /* never half a UTF-8 character */
    to[i] = '\0';
}

static void add_note(struct record *record, const char *format, const char *word, long long number) {
    size_t used = strlen(record->note);
    char text[NOTE_BYTES];
    snprintf(text, sizeof text, format, word, number);
    copy_clean(record->note + used, sizeof record->note - used, text);
}

/* Of the attributes only what a person asks first: which try, which branch, where from, how it went inside. */
static void take_notes(struct record *record, const pawl_span *span) {
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
    }
}

/* When the trace is full: what stands above kept spans is kept too, so that the tree holds together. */
static bool is_parent(const struct trace *trace, const pawl_span *span) {
    for (size_t i = 0; i < trace->count; i++)
        if (memcmp(trace->records[i].parent_id, span->span_id, 8) == 0)
            return true;
    return false;
}

static struct record *new_record(struct tree *tree, struct trace *trace, const pawl_span *span) {
    if (trace->count >= tree->options.max_spans && !is_parent(trace, span)) {
        trace->dropped++;
        return NULL;
    }
    if (trace->count == trace->capacity) {
        size_t capacity = trace->capacity ? trace->capacity * 2 : 16;
        struct record *more = realloc(trace->records, capacity * sizeof *more);
        if (!more) {
            trace->dropped++;
            return NULL;
        }
        trace->records = more;
        trace->capacity = capacity;
    }
    return memset(&trace->records[trace->count++], 0, sizeof(struct record));
}

static void keep(struct tree *tree, struct trace *trace, const pawl_span *span) {
    if (span->status == PAWL_OK && span->end_ns - span->start_ns < tree->options.min_duration_ns)
        return;
    struct record *record = new_record(tree, trace, span);
    if (!record)
        return;
    memcpy(record->span_id, span->span_id, 8);
    memcpy(record->parent_id, span->parent_span_id, 8);
    record->start_ns = span->start_ns;
    record->end_ns = span->end_ns;
    record->status = (pawl_status)span->status;
    copy_clean(record->name, sizeof record->name, span->name);
    copy_clean(record->type, sizeof record->type, span->type);
    take_notes(record, span);
}

/* ---- writing ---- */

struct text {
    char *bytes;
    size_t length, capacity;
};

static void append(struct text *text, const char *more) {
    size_t length = strlen(more);
    if (text->length + length + 1 > text->capacity) {
        size_t capacity = (text->capacity + length + 1) * 2;
        char *bytes = realloc(text->bytes, capacity);
        if (!bytes)
            return; /* a line less is better than no tree */
        text->bytes = bytes;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, more, length + 1);
    text->length += length;
}

static void write_line(struct text *text, const struct record *r, size_t depth, bool colour) {
    char line[512];
    double ms = (double)(r->end_ns - r->start_ns) / 1e6;
    const char *paint = !colour ? "" : r->status == PAWL_OK ? "\033[32m" : "\033[31m";
    int width = 40 - (int)(depth * 2);
    snprintf(line, sizeof line, "%*s%-*s %s%s%s  %.*f ms%s%s%s%s\n", (int)depth * 2, "", width > 0 ? width : 0, r->name,
             paint, pawl_status_word(r->status), colour ? "\033[0m" : "", ms < 10 ? 2 : 0, ms, r->note,
             *r->type ? "  (" : "", r->type, *r->type ? ")" : "");
    append(text, line);
}

static int by_start(const void *a, const void *b) {
    const struct record *left = a, *right = b;
    return (left->start_ns > right->start_ns) - (left->start_ns < right->start_ns);
}

static void write_children(struct text *text, struct trace *trace, const struct record *parent, size_t depth,
                           const pawl_trace_tree_options *options);

static void write_record(struct text *text, struct trace *trace, struct record *r, size_t depth,
                         const pawl_trace_tree_options *options) {
    r->printed = true;
    write_line(text, r, depth, options->colour != 0);
    if (depth < DEEPEST)
        write_children(text, trace, r, depth + 1, options);
}

static void write_gap(struct text *text, size_t hidden, size_t failed, size_t depth) {
    char line[128];
    snprintf(line, sizeof line, "%*s... %zu more, %zu of them failed or cancelled\n", (int)depth * 2, "", hidden,
             failed);
    append(text, line);
}

static size_t count_children(const struct trace *trace, const struct record *parent) {
    size_t count = 0;
    for (size_t i = 0; i < trace->count; i++)
        count += memcmp(trace->records[i].parent_id, parent->span_id, 8) == 0;
    return count;
}

static void write_children(struct text *text, struct trace *trace, const struct record *parent, size_t depth,
                           const pawl_trace_tree_options *options) {
    size_t count = count_children(trace, parent), most = options->max_siblings, place = 0, failed = 0;
    size_t head = count > most ? most / 2 : count, tail = count > most ? count - most / 2 : count;
    for (size_t i = 0; i < trace->count && count > 0; i++) {
        struct record *r = &trace->records[i];
        if (memcmp(r->parent_id, parent->span_id, 8) != 0 || r->printed)
            continue;
        bool hidden = place >= head && place < tail;
        failed += hidden && r->status != PAWL_OK;
        if (++place == tail && tail > head)
            write_gap(text, tail - head, failed, depth);
        if (!hidden)
            write_record(text, trace, r, depth, options);
    }
}

static bool has_parent_here(const struct trace *trace, const struct record *record) {
    for (size_t i = 0; i < trace->count; i++)
        if (memcmp(trace->records[i].span_id, record->parent_id, 8) == 0)
            return true;
    return false;
}

static void write_trace(struct tree *tree, struct trace *trace) {
    struct text text = {0};
    char line[96];
    qsort(trace->records, trace->count, sizeof *trace->records, by_start);
    for (size_t i = 0; i < trace->count; i++)
        if (!trace->records[i].printed && !has_parent_here(trace, &trace->records[i]))
            write_record(&text, trace, &trace->records[i], 0, &tree->options);
    if (trace->dropped) {
        snprintf(line, sizeof line, "(%zu further spans are not shown)\n", trace->dropped);
        append(&text, line);
    }
    if (text.length)
        tree->options.write(tree->options.user, text.bytes, text.length);
    free(text.bytes);
}

static void end_trace(struct tree *tree, struct trace *trace) {
    for (struct trace **at = &tree->traces; *at; at = &(*at)->next)
        if (*at == trace) {
            *at = trace->next;
            break;
        }
    write_trace(tree, trace);
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
