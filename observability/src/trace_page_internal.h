/* The page's data: JSON that may stand inside an HTML script element. */
#ifndef PAWL_TRACE_PAGE_INTERNAL_H
#define PAWL_TRACE_PAGE_INTERNAL_H

#include "trace_reader_internal.h"
#include <pawl/observability/trace_page.h>

/* The template, split where the data goes; made of src/page/ at build time. */
extern const unsigned char pawl_trace_page_head[], pawl_trace_page_tail[];
extern const size_t pawl_trace_page_head_bytes, pawl_trace_page_tail_bytes;

/* Small pieces are gathered, so that the caller's write gets few and large ones. */
struct pawl_page_out {
    pawl_trace_page_sink write;
    void *user;
    size_t used;
    bool failed; /* write said false: nothing further is handed to it */
    char bytes[16384];
};

void pawl_page_put(struct pawl_page_out *out, const void *bytes, size_t length);
void pawl_page_flush(struct pawl_page_out *out);
/* Text as it is, for names of members and punctuation. */
void pawl_page_raw(struct pawl_page_out *out, const char *json);
/* A JSON string, with <, >, & and the two separators JavaScript once knew as line ends escaped: nothing in it can end
 * a script element, begin a comment or be an entity. text is UTF-8. */
void pawl_page_string(struct pawl_page_out *out, const char *text);
void pawl_page_number(struct pawl_page_out *out, uint64_t number);
/* [["key",value], ...] of KeyValues; skips those that pawl_page_is_content() when asked. Values: strings, booleans,
 * null and numbers stand for themselves, lists are arrays, and what JSON lacks is an object of one member: {"i":"64-bit
 * integer"}, {"d":"NaN"}, {"b":"base64"}, {"m":[["key",value], ...]}. */
void pawl_page_attributes(struct pawl_page_out *out, const cJSON *attributes, bool without_content);
/* Whether an attribute holds a program, its output or its message. */
bool pawl_page_is_content(const char *key);
/* One span as an object. */
void pawl_page_span(struct pawl_page_out *out, const struct pawl_trace_span *span, bool without_content);

#endif
