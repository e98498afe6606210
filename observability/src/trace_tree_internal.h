/* One trace, kept to be written as a tree. */
#ifndef PAWL_TRACE_TREE_INTERNAL_H
#define PAWL_TRACE_TREE_INTERNAL_H

#include <pawl/observability/trace_tree.h>

#define NAME_BYTES 64
#define NOTE_BYTES 96

/* Texts are clean: UTF-8 without anything that could move the reader's cursor. */
struct tree_record {
    uint8_t span_id[8], parent_id[8];
    uint64_t start_ns, end_ns;
    pawl_status status;
    char name[NAME_BYTES], type[24], note[NOTE_BYTES];
};

/* Writes parent before child, children by their start; a record whose parent is not there stands at the top. Sorts the
 * records. New text, to be freed; NULL without memory. */
char *pawl_trace_tree_text(struct tree_record *records, size_t count, size_t dropped,
                           const pawl_trace_tree_options *options, size_t *ret_length);

#endif
