/* The page: the template's head, the data, the template's tail. Nothing is written before the first span, so that a
 * file without any gives an error and no page. */
#include "options_internal.h"
#include "trace_page_internal.h"
#include "utf8_internal.h"

#include <stdlib.h>
#include <string.h>

#define MOST_FAULTS 50 /* told on the page one by one */
#define REASON_BYTES 160

_Static_assert(sizeof(pawl_trace_page_options) == sizeof(size_t) + sizeof(char *) + 2 * sizeof(uint64_t),
               "padding in a public struct");
_Static_assert(sizeof(pawl_trace_page_summary) == sizeof(size_t) + 6 * sizeof(uint64_t), "padding in a public struct");

struct fault {
    uint64_t line;
    char what[REASON_BYTES];
};

struct page {
    pawl_trace_page_options options;
    struct pawl_page_out out;
    uint64_t group; /* of the last span */
    size_t fault_count;
    struct fault faults[MOST_FAULTS];
};

/* ---- data ---- */

static void begin_group(struct page *page, const struct pawl_trace_span *span) {
    struct pawl_page_out *out = &page->out;
    pawl_page_raw(out, page->group ? "\n]},\n" : "");
    pawl_page_raw(out, "{\"resource\":");
    pawl_page_attributes(out, span->resource_attributes, page->options.without_content != 0);
    pawl_page_raw(out, ",\"scope\":{\"name\":");
    pawl_page_string(out, span->scope_name);
    pawl_page_raw(out, ",\"version\":");
    pawl_page_string(out, span->scope_version);
    pawl_page_raw(out, ",\"attributes\":");
    pawl_page_attributes(out, span->scope_attributes, page->options.without_content != 0);
    pawl_page_raw(out, "},\"spans\":[\n");
    page->group = span->group;
}

static void begin_page(struct page *page) {
    pawl_page_put(&page->out, pawl_trace_page_head, pawl_trace_page_head_bytes);
    pawl_page_raw(&page->out, "{\"version\":1,\"title\":");
    pawl_page_string(&page->out, page->options.title ? page->options.title : "trace");
    pawl_page_raw(&page->out, ",\"groups\":[\n");
}

static bool take_span(void *user, const struct pawl_trace_span *span) {
    struct page *page = user;
    if (page->group == 0)
        begin_page(page);
    if (span->group != page->group)
        begin_group(page, span);
    else
        pawl_page_raw(&page->out, ",\n");
    pawl_page_span(&page->out, span, page->options.without_content != 0);
    return !page->out.failed;
}

static void take_fault(void *user, uint64_t line, const char *what) {
    struct page *page = user;
    if (page->fault_count == MOST_FAULTS)
        return;
    struct fault *fault = &page->faults[page->fault_count++];
    fault->line = line;
    pawl_utf8_lossy_into(what, strlen(what), fault->what, sizeof fault->what);
}

static void put_count(struct page *page, const char *name, uint64_t count) {
    pawl_page_raw(&page->out, name);
    pawl_page_number(&page->out, count);
}

static void end_page(struct page *page, const struct pawl_trace_reading *reading) {
    struct pawl_page_out *out = &page->out;
    put_count(page, "\n]}],\n\"notes\":{\"badLines\":", reading->bad_lines);
    put_count(page, ",\"badSpans\":", reading->bad_spans);
    put_count(page, ",\"leftOut\":", reading->over_limit);
    put_count(page, ",\"otherLines\":", reading->other_lines);
    put_count(page, ",\"unread\":", reading->unread);
    pawl_page_raw(out, reading->cut_off ? ",\"cutOff\":true,\"faults\":[" : ",\"cutOff\":false,\"faults\":[");
    for (size_t i = 0; i < page->fault_count; i++) {
        put_count(page, i ? ",[" : "[", page->faults[i].line);
        pawl_page_raw(out, ",");
        pawl_page_string(out, page->faults[i].what);
        pawl_page_raw(out, "]");
    }
    pawl_page_raw(out, "]}}");
    pawl_page_put(out, pawl_trace_page_tail, pawl_trace_page_tail_bytes);
    pawl_page_flush(out);
}

/* ---- the call ---- */

static pawl_status no_spans(const struct page *page, const struct pawl_trace_reading *reading, pawl_error **err) {
    const struct fault *first = page->faults;
    if (page->fault_count > 0)
        return pawl_error_set(err, PAWL_E_NOT_FOUND, "no span in it; line %llu: %s", (unsigned long long)first->line,
                              first->what);
    if (reading->other_lines > 0)
        return pawl_error_set(err, PAWL_E_NOT_FOUND,
                              "no span in it: its lines hold no resourceSpans; metrics and logs are not shown");
    if (reading->cut_off)
        return pawl_error_set(err, PAWL_E_NOT_FOUND,
                              "no span in it: its only line is no JSON, or not yet written to its end; one line of "
                              "OTLP/JSON holds one export request");
    return pawl_error_set(err, PAWL_E_NOT_FOUND, "no span in it: nothing was traced, or not yet exported");
}

static pawl_status check(const char *text, size_t length, const pawl_trace_page_options *options, pawl_error **err) {
    const char *title = options->title ? options->title : "";
    if (!text && length > 0)
        return pawl_error_set(err, PAWL_E_INVALID, "trace page: the text is NULL");
    if (pawl_utf8_valid(title, strlen(title)) != strlen(title))
        return pawl_error_set(err, PAWL_E_INVALID, "trace page: the title is no UTF-8");
    return PAWL_OK;
}

static void summarise(pawl_trace_page_summary *summary, const struct page *page,
                      const struct pawl_trace_reading *reading) {
    pawl_trace_page_summary known = {.spans = reading->spans,
                                     .left_out = reading->over_limit,
                                     .bad_lines = reading->bad_lines,
                                     .bad_spans = reading->bad_spans,
                                     .first_bad = page->fault_count ? page->faults[0].line : 0,
                                     .is_cut_off = reading->cut_off};
    if (!summary)
        return;
    known.size = summary->size < sizeof known ? summary->size : sizeof known;
    memcpy(summary, &known, known.size);
}

static pawl_status make_page(struct page *page, const char *text, size_t length, pawl_trace_page_summary *summary,
                             pawl_error **err) {
    const struct pawl_trace_limits limits = {.max_spans = page->options.max_spans};
    const struct pawl_trace_sink sink = {.user = page, .span = take_span, .fault = take_fault};
    struct pawl_trace_reading reading;
    pawl_status status = pawl_trace_read(text, length, &limits, &sink, &reading, err);
    summarise(summary, page, &reading);
    if (status != PAWL_OK)
        return status;
    if (page->group == 0)
        return no_spans(page, &reading, err);
    end_page(page, &reading);
    if (page->out.failed)
        return pawl_error_set(err, PAWL_E_FAILED, "trace page: its writer gave up");
    return PAWL_OK;
}

pawl_status pawl_trace_page_write(const char *text, size_t length, const pawl_trace_page_options *options,
                                  pawl_trace_page_sink write, void *user, pawl_trace_page_summary *ret_summary,
                                  pawl_error **err) {
    if (!write)
        return pawl_error_set(err, PAWL_E_INVALID, "trace page: write is required; pass a function that takes bytes");
    if (ret_summary && ret_summary->size < sizeof(size_t))
        return pawl_error_set(err, PAWL_E_INVALID, "trace page: the summary's size is not set");
    struct page *page = calloc(1, sizeof *page);
    if (!page)
        return pawl_error_set(err, PAWL_E_NOMEM, "trace page: out of memory");
    pawl_status status = pawl_options_copy(&page->options, sizeof page->options, options, "trace page", err);
    if (status == PAWL_OK)
        status = check(text, length, &page->options, err);
    if (status == PAWL_OK) {
        if (page->options.max_spans == 0)
            page->options.max_spans = 100000;
        page->out.write = write;
        page->out.user = user;
        status = make_page(page, text, length, ret_summary, err);
    }
    free(page);
    return status;
}

bool pawl_is_trace_page(const char *bytes, size_t length) {
    static const char mark[] = "<!doctype html>\n<!-- pawl trace page";
    return length >= sizeof mark - 1 && memcmp(bytes, mark, sizeof mark - 1) == 0;
}
