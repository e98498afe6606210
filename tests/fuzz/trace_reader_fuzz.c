/* Any bytes are read within the limits, and the page made of them holds its data as JSON that cannot end its element.
 * The first byte sets the limits. */
#include "fuzz.h"
#include "trace_reader_internal.h"
#include <pawl/observability/trace_page.h>
#include <pawl/value.h>

#define MOST_SPANS 16

/* Walks a value to its end. */
static void walk(struct pawl_otlp_any any) {
    for (const cJSON *item = pawl_otlp_first(any.items); item; item = item->next) {
        const char *key;
        struct pawl_otlp_any inner = pawl_otlp_any(item);
        if (any.type == PAWL_OTLP_MAP && !pawl_otlp_attribute(item, &key, &inner))
            continue;
        walk(inner);
    }
}

static bool take_span(void *user, const struct pawl_trace_span *span) {
    uint64_t *spans = user;
    static const uint8_t none[16];
    require(memcmp(span->trace_id, none, 16) != 0 && memcmp(span->span_id, none, 8) != 0);
    require(span->start_ns > 0 && span->line > 0 && span->group > 0 && span->kind <= 5 && span->status.code <= 2);
    require(strlen(span->name) + strlen(span->scope_name) + strlen(span->status.message) < SIZE_MAX);
    walk((struct pawl_otlp_any){.type = PAWL_OTLP_MAP, .items = span->attributes});
    return ++*spans < MOST_SPANS * 2;
}

static void read(const char *text, size_t size, uint8_t choice) {
    uint64_t spans = 0;
    struct pawl_trace_limits limits = {.max_spans = MOST_SPANS,
                                       .max_bytes = choice & 1 ? 512 : 0,
                                       .max_line_bytes = choice & 2 ? 256 : 0,
                                       .max_depth = choice & 4 ? 12 : 0};
    struct pawl_trace_sink sink = {.user = &spans, .span = take_span};
    struct pawl_trace_reading reading;
    require(pawl_trace_read(text, size, &limits, &sink, &reading, NULL) == PAWL_OK);
    require(reading.spans == spans && spans <= MOST_SPANS && reading.bad_lines + reading.other_lines <= reading.lines);
}

struct page {
    char *text;
    size_t length;
};

static bool keep(void *user, const char *bytes, size_t length) {
    struct page *page = user;
    char *more = realloc(page->text, page->length + length + 1);
    require(more != NULL);
    memcpy(more + page->length, bytes, length);
    page->text = more;
    page->length += length;
    more[page->length] = '\0';
    return true;
}

static void check_data(const struct page *page) {
    static const char mark[] = "id=\"data\">";
    const char *begin = strstr(page->text, mark) + sizeof mark - 1, *end = strchr(begin, '<');
    const pawl_parse_limits deepest = {.size = sizeof deepest, .max_depth = 1000};
    pawl_value *value = NULL;
    require(strncmp(end, "</script>\n<script>'use strict'", 30) == 0 && strlen(page->text) == page->length);
    require(!memchr(begin, '>', (size_t)(end - begin)) && !memchr(begin, '&', (size_t)(end - begin)));
    require(pawl_value_parse(begin, (size_t)(end - begin), &deepest, &value, NULL) == PAWL_OK);
    pawl_value_unref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    struct page page = {.text = NULL};
    pawl_trace_page_options options = {.size = sizeof options, .without_content = data[0] & 8};
    read(text, size - 1, data[0]);
    pawl_status status = pawl_trace_page_write(text, size - 1, &options, keep, &page, NULL, NULL);
    require((status == PAWL_OK) == (page.text != NULL) && (status == PAWL_OK || status == PAWL_E_NOT_FOUND));
    if (page.text)
        check_data(&page);
    free(page.text);
    return 0;
}
