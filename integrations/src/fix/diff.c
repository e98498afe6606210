/* A unified diff of lines: what is common at both ends is set aside, the rest is compared by longest common
 * subsequence, or, when that table would be too large, taken as replaced. */
#include <pawl/integrations/fix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3u
#define MOST_CELLS ((size_t)4 << 20)

struct line {
    const char *at;
    size_t length; /* with its line end, if it has one */
};

struct text_lines {
    struct line *lines;
    size_t count;
};

/* One line of the edit script: ' ', '-' or '+'. */
struct edit {
    char kind;
    struct line line;
};

struct diff {
    struct text_lines from, to;
    struct edit *edits;
    size_t count;
};

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (const char *at = text; *at; count++) {
        const char *end = strchr(at, '\n');
        at = end ? end + 1 : at + strlen(at);
    }
    return count;
}

static bool split(const char *text, struct text_lines *lines) {
    lines->count = count_lines(text);
    lines->lines = calloc(lines->count + 1, sizeof *lines->lines);
    if (!lines->lines)
        return false;
    for (size_t i = 0; i < lines->count; i++) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end + 1 - text) : strlen(text);
        lines->lines[i] = (struct line){.at = text, .length = length};
        text += length;
    }
    return true;
}

static bool equal(const struct line *a, const struct line *b) {
    return a->length == b->length && memcmp(a->at, b->at, a->length) == 0;
}

static void add_edit(struct diff *diff, char kind, const struct line *line) {
    diff->edits[diff->count++] = (struct edit){.kind = kind, .line = *line};
}

static void replace(struct diff *diff, const struct line *from, size_t m, const struct line *to, size_t n) {
    for (size_t i = 0; i < m; i++)
        add_edit(diff, '-', &from[i]);
    for (size_t j = 0; j < n; j++)
        add_edit(diff, '+', &to[j]);
}

/* table[i][j]: length of the longest common subsequence of from[i..] and to[j..]. */
static void fill_table(uint32_t *table, const struct line *from, size_t m, const struct line *to, size_t n) {
    for (size_t i = m; i-- > 0;)
        for (size_t j = n; j-- > 0;) {
            uint32_t down = table[(i + 1) * (n + 1) + j], right = table[i * (n + 1) + j + 1];
            table[i * (n + 1) + j] = equal(&from[i], &to[j]) ? table[(i + 1) * (n + 1) + j + 1] + 1
                                     : down > right          ? down
                                                             : right;
        }
}

static void walk_table(struct diff *diff, const uint32_t *table, const struct line *from, size_t m,
                       const struct line *to, size_t n) {
    size_t i = 0, j = 0;
    while (i < m && j < n) {
        if (equal(&from[i], &to[j])) {
            add_edit(diff, ' ', &from[i]);
            i++, j++;
        } else if (table[(i + 1) * (n + 1) + j] >= table[i * (n + 1) + j + 1]) {
            add_edit(diff, '-', &from[i++]);
        } else {
            add_edit(diff, '+', &to[j++]);
        }
    }
    replace(diff, from + i, m - i, to + j, n - j);
}

static bool compare(struct diff *diff, const struct line *from, size_t m, const struct line *to, size_t n) {
    if (m == 0 || n == 0 || m + 1 > MOST_CELLS / (n + 1)) {
        replace(diff, from, m, to, n);
        return true;
    }
    uint32_t *table = calloc((m + 1) * (n + 1), sizeof *table);
    if (!table)
        return false;
    fill_table(table, from, m, to, n);
    walk_table(diff, table, from, m, to, n);
    free(table);
    return true;
}

static bool make_edits(struct diff *diff) {
    const struct line *from = diff->from.lines, *to = diff->to.lines;
    size_t m = diff->from.count, n = diff->to.count, head = 0, tail = 0;
    diff->edits = calloc(m + n + 1, sizeof *diff->edits);
    if (!diff->edits)
        return false;
    while (head < m && head < n && equal(&from[head], &to[head]))
        add_edit(diff, ' ', &from[head++]);
    while (tail < m - head && tail < n - head && equal(&from[m - 1 - tail], &to[n - 1 - tail]))
        tail++;
    if (!compare(diff, from + head, m - head - tail, to + head, n - head - tail))
        return false;
    for (size_t i = m - tail; i < m; i++)
        add_edit(diff, ' ', &from[i]);
    return true;
}

/* ---- printing ---- */

static void print_line(FILE *out, const struct edit *edit) {
    bool ends = edit->line.at[edit->line.length - 1] == '\n';
    fputc(edit->kind, out);
    fwrite(edit->line.at, 1, edit->line.length, out);
    if (!ends)
        fputs("\n\\ No newline at end of file\n", out);
}

/* "12,3", "12" for one line, "11,0" for none after line 11. */
static void print_range(FILE *out, char sign, size_t start, size_t count) {
    if (count == 1)
        fprintf(out, "%c%zu", sign, start + 1);
    else
        fprintf(out, "%c%zu,%zu", sign, count ? start + 1 : start, count);
}

static size_t count_kind(const struct diff *diff, size_t from, size_t to, char without) {
    size_t count = 0;
    for (size_t i = from; i < to; i++)
        count += diff->edits[i].kind != without;
    return count;
}

static void print_hunk(FILE *out, const struct diff *diff, size_t from, size_t to) {
    fputs("@@ ", out);
    print_range(out, '-', count_kind(diff, 0, from, '+'), count_kind(diff, from, to, '+'));
    fputc(' ', out);
    print_range(out, '+', count_kind(diff, 0, from, '-'), count_kind(diff, from, to, '-'));
    fputs(" @@\n", out);
    for (size_t i = from; i < to; i++)
        print_line(out, &diff->edits[i]);
}

static size_t next_change(const struct diff *diff, size_t at) {
    while (at < diff->count && diff->edits[at].kind == ' ')
        at++;
    return at;
}

/* Where the hunk that begins with the change at `at` ends: after its last change, before more than twice the context.
 */
static size_t hunk_end(const struct diff *diff, size_t at) {
    for (;;) {
        while (at < diff->count && diff->edits[at].kind != ' ')
            at++;
        size_t next = next_change(diff, at);
        if (next == diff->count || next - at > 2 * CONTEXT)
            return at;
        at = next;
    }
}

static void print_hunks(FILE *out, const struct diff *diff) {
    for (size_t at = next_change(diff, 0); at < diff->count;) {
        size_t end = hunk_end(diff, at);
        size_t from = at > CONTEXT ? at - CONTEXT : 0;
        size_t to = diff->count - end > CONTEXT ? end + CONTEXT : diff->count;
        print_hunk(out, diff, from, to);
        at = next_change(diff, end);
    }
}

static char *print(const struct diff *diff, const char *from_name, const char *to_name) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    if (next_change(diff, 0) < diff->count) {
        fprintf(out, "--- %s\n+++ %s\n", from_name, to_name);
        print_hunks(out, diff);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

char *pawl_unified_diff(const char *from, const char *to, const char *from_name, const char *to_name) {
    struct diff diff = {0};
    char *text = NULL;
    from = from ? from : "";
    to = to ? to : "";
    if (split(from, &diff.from) && split(to, &diff.to) && make_edits(&diff))
        text = print(&diff, from_name ? from_name : "", to_name ? to_name : "");
    free(diff.from.lines);
    free(diff.to.lines);
    free(diff.edits);
    return text;
}
