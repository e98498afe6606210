/* Metrics made of bytes: whatever they are called and say, both formats keep their strict rules. */
#include "prometheus_internal.h"
#include "utf8_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS 6
#define POINTS 4
#define ATTRIBUTES 4
#define BOUNDS 5
#define TEXTS 256
#define LINES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_(bool right, const char *what, const char *line) {
    if (right)
        return;
    (void)fprintf(stderr, "broken rule: %s\n%s\n", what, line);
    abort();
}
#define require(right, line) require_(right, #right, line)

/* ---- metrics of bytes ---- */

struct made {
    pawl_metric_data metrics[METRICS];
    pawl_point_data points[METRICS][POINTS];
    pawl_attribute attributes[METRICS][POINTS][ATTRIBUTES];
    pawl_exemplar_data exemplars[METRICS][POINTS];
    uint64_t counts[METRICS][POINTS][BOUNDS + 1];
    double bounds[METRICS][BOUNDS];
    char *texts[TEXTS];
    size_t text_count;
};

struct bytes {
    const uint8_t *at;
    size_t left;
};

static uint8_t take(struct bytes *bytes) {
    if (bytes->left == 0)
        return 0;
    bytes->left--;
    return *bytes->at++;
}

/* Up to a NUL; as memory of its own, so that reading beyond it is found. */
static const char *take_text(struct bytes *bytes, struct made *made) {
    size_t length = 0;
    while (length < bytes->left && bytes->at[length] != '\0')
        length++;
    char *text = malloc(length + 1);
    require(text != NULL, "memory");
    memcpy(text, bytes->at, length);
    text[length] = '\0';
    bytes->at += length;
    bytes->left -= length;
    (void)take(bytes);
    made->texts[made->text_count++] = text;
    return text;
}

static double take_number(struct bytes *bytes) {
    static const double special[] = {0, -0.0, NAN, INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308, -1, 0.1, 1e15};
    uint8_t first = take(bytes);
    if (first < sizeof special / sizeof *special)
        return special[first];
    if (first < 0xF0)
        return (first - 0x80) / 8.0;
    uint64_t bits = 0;
    double number;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | take(bytes);
    memcpy(&number, &bits, sizeof number);
    return number;
}

static pawl_attribute take_attribute(struct bytes *bytes, struct made *made) {
    uint8_t type = take(bytes) % 4;
    const char *key = take_text(bytes, made);
    switch (type) {
    case PAWL_ATTRIBUTE_STRING:
        return pawl_attribute_string(key, take_text(bytes, made));
    case PAWL_ATTRIBUTE_INT:
        return pawl_attribute_int(key, (int8_t)take(bytes));
    case PAWL_ATTRIBUTE_DOUBLE:
        return pawl_attribute_double(key, take_number(bytes));
    default:
        return pawl_attribute_bool(key, take(bytes) & 1);
    }
}

static void take_point(struct bytes *bytes, struct made *made, size_t m, size_t p) {
    pawl_point_data *point = &made->points[m][p];
    pawl_exemplar_data *exemplar = &made->exemplars[m][p];
    point->attributes = made->attributes[m][p];
    point->attribute_count = take(bytes) % (ATTRIBUTES + 1);
    for (size_t i = 0; i < point->attribute_count; i++)
        made->attributes[m][p][i] = take_attribute(bytes, made);
    point->value = point->sum = take_number(bytes);
    point->time_unix_ns = take(bytes);
    for (size_t i = 0; i <= BOUNDS; i++)
        made->counts[m][p][i] = take(bytes);
    point->count = take(bytes);
    point->zero_count = take(bytes);
    point->scale = (int8_t)take(bytes);
    point->positive = (pawl_exponential_buckets){made->counts[m][p], BOUNDS, (int8_t)take(bytes)};
    point->negative = (pawl_exponential_buckets){made->counts[m][p], take(bytes) % 3, (int8_t)take(bytes)};
    if (take(bytes) & 1)
        point->bucket_counts = made->counts[m][p];
    exemplar->value = take_number(bytes);
    exemplar->time_unix_ns = take(bytes) * UINT64_C(1000000000000000);
    exemplar->trace_id[3] = take(bytes);
    point->exemplars = exemplar;
    point->exemplar_count = take(bytes) & 1;
}

static void take_metric(struct bytes *bytes, struct made *made, size_t m) {
    pawl_metric_data *metric = &made->metrics[m];
    metric->kind = take(bytes) % 6;
    metric->is_delta = take(bytes) == 1;
    metric->name = take_text(bytes, made);
    metric->unit = take_text(bytes, made);
    metric->description = take_text(bytes, made);
    metric->bounds = made->bounds[m];
    metric->bound_count = take(bytes) % (BOUNDS + 1);
    for (size_t i = 0; i < metric->bound_count; i++)
        made->bounds[m][i] = take_number(bytes);
    metric->points = made->points[m];
    metric->point_count = take(bytes) % (POINTS + 1);
    for (size_t i = 0; i < metric->point_count; i++)
        take_point(bytes, made, m, i);
}

/* ---- the rules ---- */

/* What a line is about, and what came before it. */
struct reading {
    bool is_open;
    char family[PAWL_PROM_NAME + 8], type[16];
    char *series[LINES]; /* of all samples, to find one twice */
    size_t series_count;
    double bound, in_bucket; /* of the histogram's last bucket */
    char labels[4096];       /* of it, without le */
};

static size_t name_length(const char *at) {
    size_t length = 0;
    for (; (at[length] >= 'a' && at[length] <= 'z') || (at[length] >= 'A' && at[length] <= 'Z') || at[length] == '_' ||
           (length > 0 && at[length] >= '0' && at[length] <= '9');
         length++)
        ;
    return length;
}

/* @return Behind the quote that ends it; at is behind the one that begins it. */
static const char *read_quoted(const char *at, const char *line) {
    while (*at != '"') {
        require(*at != '\0', line);
        if (*at++ == '\\') {
            require(*at == '\\' || *at == '"' || *at == 'n', line);
            at++;
        }
    }
    return at + 1;
}

/* Names ascend when sorted, but for le, which is last. @return Behind the closing brace. */
static const char *read_labels(const char *at, const char *line, bool is_sorted, const char **ret_le) {
    const char *last = "";
    size_t last_length = 0;
    *ret_le = NULL;
    do {
        at++;
        size_t length = name_length(at);
        require(length > 0 && at[length] == '=' && at[length + 1] == '"', line);
        require(*ret_le == NULL, line);
        if (length == 2 && memcmp(at, "le", 2) == 0) {
            *ret_le = at;
        } else if (is_sorted) {
            size_t common = length < last_length ? length : last_length;
            int order = memcmp(last, at, common);
            require(order < 0 || (order == 0 && last_length < length), line);
        }
        last = at, last_length = length;
        const char *value = at + length + 2;
        at = read_quoted(value, line);
        require(at > value + 1, line); /* an empty label is none */
    } while (*at == ',');
    require(*at == '}', line);
    return at + 1;
}

static double read_number(const char *at, const char **ret_end, const char *line) {
    char *end;
    double number = strtod(at, &end);
    require(end > at && (*end == '\0' || *end == ' '), line);
    *ret_end = end;
    return number;
}

static void read_exemplar(const struct reading *r, const char *at, const char *suffix, const char *line) {
    const char *le, *begin = at;
    require(r->is_open && strncmp(at, " # {", 4) == 0, line);
    require(strcmp(suffix, "_total") == 0 || strcmp(suffix, "_bucket") == 0, line);
    at = read_labels(at + 3, line, false, &le);
    require(at - begin < 128 && !le && *at == ' ', line);
    (void)read_number(at + 1, &at, line);
    if (*at == ' ')
        (void)read_number(at + 1, &at, line);
    require(*at == '\0', line);
}

static void read_bucket(struct reading *r, const char *labels, size_t length, const char *le, double value,
                        const char *line) {
    double bound = strtod(le + 4, NULL);
    bool is_same = strlen(r->labels) == length && memcmp(r->labels, labels, length) == 0;
    if (is_same && r->bound < INFINITY) {
        require(bound > r->bound, line);
        require(value >= r->in_bucket, line);
    } else {
        require(r->bound == INFINITY, line); /* the one before was complete */
    }
    require(length < sizeof r->labels, line);
    memcpy(r->labels, labels, length);
    r->labels[length] = '\0';
    r->bound = bound;
    r->in_bucket = value;
}

static void read_sample(struct reading *r, char *line) {
    size_t length = name_length(line), family = strlen(r->family);
    const char *at = line + length, *le = NULL;
    require(length >= family && memcmp(line, r->family, family) == 0, line);
    char suffix[16] = "";
    require(length - family < sizeof suffix, line);
    memcpy(suffix, line + family, length - family);
    const char *labels = at;
    if (*at == '{')
        at = read_labels(at, line, true, &le);
    const char *end = at;
    require(*at == ' ', line);
    double value = read_number(at + 1, &at, line);
    bool is_histogram = strcmp(r->type, "histogram") == 0;
    bool is_count = strcmp(r->type, "counter") == 0;
    require((strcmp(suffix, "_bucket") == 0) == (le != NULL), line);
    if (le) {
        require(is_histogram, line);
        read_bucket(r, labels, (size_t)(le - labels), le, value, line);
    } else if (is_histogram) {
        require(strcmp(suffix, "_sum") == 0 || strcmp(suffix, "_count") == 0, line);
        require(r->bound == INFINITY && (*suffix != '_' || suffix[1] == 's' || value == r->in_bucket), line);
        require(!r->is_open || value >= 0, line);
    } else {
        require(strcmp(suffix, is_count && r->is_open ? "_total" : "") == 0, line);
        require(!is_count || value >= 0, line);
    }
    if (*at)
        read_exemplar(r, at, suffix, line);
    require(r->series_count < LINES, line);
    line[end - line] = '\0';
    r->series[r->series_count++] = line;
}

static void read_metadata(struct reading *r, const char *line) {
    const char *name = line + 7, *rest = strchr(name, ' ');
    require(rest && name_length(name) == (size_t)(rest - name) && rest[1], line);
    if (strncmp(line, "# TYPE ", 7) == 0) {
        char family[sizeof r->family];
        size_t length = (size_t)(rest - name);
        (void)snprintf(family, sizeof family, "%.*s", (int)length, name);
        (void)snprintf(r->type, sizeof r->type, "%s", rest + 1);
        bool is_total = !r->is_open && strcmp(r->type, "counter") == 0;
        require(!is_total || (length > 6 && strcmp(family + length - 6, "_total") == 0), line);
        require(r->bound == INFINITY, line);
        require(is_total || strcmp(r->family, family) != 0, line);
        memcpy(r->family, family, sizeof family);
        r->labels[0] = '\0';
    } else if (strncmp(line, "# UNIT ", 7) == 0) {
        size_t family = strlen(r->family), unit = strlen(rest + 1);
        require(r->is_open && family > unit && strcmp(r->family + family - unit, rest + 1) == 0, line);
    } else {
        require(strncmp(line, "# HELP ", 7) == 0, line);
    }
    require(strncmp(name, r->family, strlen(r->family)) == 0, line);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_text(char *text, bool is_open) {
    struct reading r = {.is_open = is_open, .bound = INFINITY};
    bool has_end = false;
    for (char *line = text, *next; *line; line = next) {
        next = strchr(line, '\n');
        require(next && next > line && !has_end, line); /* no blank line, nothing behind the end */
        *next++ = '\0';
        has_end = is_open && strcmp(line, "# EOF") == 0;
        if (has_end)
            continue;
        if (*line == '#')
            read_metadata(&r, line);
        else
            read_sample(&r, line);
    }
    require(has_end == is_open && r.bound == INFINITY, text);
    qsort(r.series, r.series_count, sizeof *r.series, by_text);
    for (size_t i = 1; i < r.series_count; i++)
        require(strcmp(r.series[i - 1], r.series[i]) != 0, r.series[i]);
}

static pawl_status check(void *user, const char *text, size_t length, pawl_error **err) {
    (void)err;
    char *copy = malloc(length + 1);
    require(copy != NULL, "memory");
    memcpy(copy, text, length);
    copy[length] = '\0';
    require(strlen(copy) == length && pawl_utf8_valid(copy, length) == length, copy);
    require(strchr(copy, '\r') == NULL, copy);
    check_text(copy, *(const pawl_metrics_format *)user == PAWL_OPENMETRICS);
    free(copy);
    return PAWL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct made made;
    struct bytes bytes = {data, size};
    size_t count = take(&bytes) % (METRICS + 1);
    memset(&made, 0, sizeof made);
    for (size_t i = 0; i < count; i++)
        take_metric(&bytes, &made, i);
    for (int format = PAWL_PROMETHEUS_TEXT; format <= PAWL_OPENMETRICS; format++) {
        pawl_metrics_format as = (pawl_metrics_format)format;
        require(pawl_prom_write(NULL, made.metrics, count, as, check, &as, NULL) == PAWL_OK, "status");
    }
    while (made.text_count > 0)
        free(made.texts[--made.text_count]);
    return 0;
}
