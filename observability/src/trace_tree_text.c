/* The trace tree's text. Records are linked as a tree first, so that long traces take no longer than sorting them. */
#include "trace_tree_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 32 /* what hangs deeper stands there */
#define NONE SIZE_MAX

/* By the record's place in time. */
struct link {
    size_t parent, first, last, next; /* children, and the next sibling */
    size_t children, written;         /* of them, or told as hidden */
};

struct forest {
    const struct tree_record *records;
    const pawl_trace_tree_options *options;
    struct link *links; /* count of them, and one for the top */
    size_t count;
    char *text;
    size_t length, capacity;
};

/* ---- linking ---- */

static int by_start(const void *a, const void *b) {
    const struct tree_record *left = a, *right = b;
    return (left->start_ns > right->start_ns) - (left->start_ns < right->start_ns);
}

static int by_id(const void *a, const void *b) {
    const struct tree_record *const *left = a, *const *right = b;
    return memcmp((*left)->span_id, (*right)->span_id, 8);
}

static int id_to_record(const void *id, const void *b) {
    const struct tree_record *const *record = b;
    return memcmp(id, (*record)->span_id, 8);
}

static void hang(struct forest *f, size_t parent, size_t child) {
    struct link *above = &f->links[parent];
    f->links[child].parent = parent;
    if (above->first == NONE)
        above->first = child;
    else
        f->links[above->last].next = child;
    above->last = child;
    above->children++;
}

static bool link_records(struct forest *f) {
    const struct tree_record **ids = malloc((f->count + 1) * sizeof *ids);
    f->links = malloc((f->count + 1) * sizeof *f->links);
    if (!ids || !f->links) {
        free(ids);
        return false;
    }
    for (size_t i = 0; i <= f->count; i++)
        f->links[i] = (struct link){.first = NONE, .last = NONE, .next = NONE};
    for (size_t i = 0; i < f->count; i++)
        ids[i] = &f->records[i];
    qsort(ids, f->count, sizeof *ids, by_id);
    for (size_t i = 0; i < f->count; i++) {
        const struct tree_record **parent = bsearch(f->records[i].parent_id, ids, f->count, sizeof *ids, id_to_record);
        size_t at = parent ? (size_t)(*parent - f->records) : f->count;
        hang(f, at == i ? f->count : at, i);
    }
    free(ids);
    return true;
}

/* ---- writing ---- */

static void append(struct forest *f, const char *more) {
    size_t length = strlen(more);
    if (f->length + length + 1 > f->capacity) {
        size_t capacity = (f->capacity + length + 1) * 2;
        char *text = realloc(f->text, capacity);
        if (!text)
            return; /* a line less is better than no tree */
        f->text = text;
        f->capacity = capacity;
    }
    memcpy(f->text + f->length, more, length + 1);
    f->length += length;
}

/* Bytes that follow the first one of their character, and so take no room on a line. */
static int continued(const char *text) {
    int bytes = 0;
    for (; *text; text++)
        bytes += (*text & 0xC0) == 0x80;
    return bytes;
}

static void write_line(struct forest *f, const struct tree_record *r, size_t depth) {
    char line[512];
    bool colour = f->options->colour != 0;
    double ms = (double)(r->end_ns - r->start_ns) / 1e6;
    const char *paint = !colour ? "" : r->status == PAWL_OK ? "\033[32m" : "\033[31m";
    int width = 40 - (int)(depth * 2) + continued(r->name);
    snprintf(line, sizeof line, "%*s%-*s %s%s%s  %.*f ms%s%s%s%s\n", (int)depth * 2, "", width > 0 ? width : 0, r->name,
             paint, pawl_status_word(r->status), colour ? "\033[0m" : "", ms < 10 ? 2 : 0, ms, r->note,
             *r->type ? "  (" : "", r->type, *r->type ? ")" : "");
    append(f, line);
}

static void write_gap(struct forest *f, size_t hidden, size_t failed, size_t depth) {
    char line[128];
    snprintf(line, sizeof line, "%*s... %zu more, %zu of them failed or cancelled\n", (int)depth * 2, "", hidden,
             failed);
    append(f, line);
}

/* Of the children in the middle only their number; what hangs beneath them is not counted. Returns the one behind. */
static size_t skip_middle(struct forest *f, size_t child, size_t hidden, size_t depth) {
    size_t failed = 0;
    for (size_t i = 0; i < hidden; i++, child = f->links[child].next)
        failed += f->records[child].status != PAWL_OK;
    write_gap(f, hidden, failed, depth);
    return child;
}

/* Writes one child, or the gap and then the first child behind it. Returns which it was. */
static size_t write_child(struct forest *f, size_t child, size_t depth) {
    struct link *above = &f->links[f->links[child].parent];
    bool is_top = above == &f->links[f->count];
    size_t most = is_top ? SIZE_MAX : (size_t)f->options->max_siblings;
    size_t shown_depth = depth < DEEPEST ? depth : DEEPEST;
    if (above->children > most && above->written++ == most / 2)
        child = skip_middle(f, child, above->children - most / 2 * 2, shown_depth);
    write_line(f, &f->records[child], shown_depth);
    return child;
}

/* The next one when the children of `at` are done; NONE at the end. */
static size_t step_on(const struct forest *f, size_t at, size_t *depth) {
    while (at != f->count && f->links[at].next == NONE) {
        at = f->links[at].parent;
        --*depth;
    }
    return at == f->count ? NONE : f->links[at].next;
}

/* The next one, children first. */
static size_t step(const struct forest *f, size_t at, size_t *depth) {
    if (f->links[at].first == NONE)
        return step_on(f, at, depth);
    ++*depth;
    return f->links[at].first;
}

/* Without recursion, since a program in a sandbox may have made spans as deep as it likes. */
static void write_forest(struct forest *f) {
    size_t depth = 0, at = f->links[f->count].first;
    while (at != NONE) {
        at = write_child(f, at, depth);
        at = step(f, at, &depth);
    }
}

/* Those that name each other as parent hang nowhere. */
static size_t count_loose(const struct forest *f) {
    size_t reached = 0, depth = 0;
    for (size_t at = f->links[f->count].first; at != NONE; at = step(f, at, &depth))
        reached++;
    return f->count - reached;
}

char *pawl_trace_tree_text(struct tree_record *records, size_t count, size_t dropped,
                           const pawl_trace_tree_options *options, size_t *ret_length) {
    struct forest f = {.records = records, .options = options, .count = count};
    char line[96];
    if (count)
        qsort(records, count, sizeof *records, by_start);
    if (link_records(&f)) {
        write_forest(&f);
        dropped += count_loose(&f);
    }
    free(f.links);
    if (dropped) {
        snprintf(line, sizeof line, "(%zu further spans are not shown)\n", dropped);
        append(&f, line);
    }
    *ret_length = f.length;
    return f.text;
}
