/* A file that grows by whole lines up to a bound, and is then moved aside. Not thread-safe. */
#ifndef PAWL_LINE_FILE_INTERNAL_H
#define PAWL_LINE_FILE_INTERNAL_H

#include <pawl/error.h>

struct pawl_line_file {
    char *path;
    int fd;             /* -1: not open */
    bool is_regular;    /* else it is never rotated */
    bool is_stuck;      /* who moves files did not come to an end */
    uint64_t max_bytes; /* of one file */
    uint64_t max_files; /* kept; 0: never rotated, full at max_bytes */
    uint64_t rotated;
};

/* Opens, and makes if need be. */
pawl_status pawl_line_file_open(struct pawl_line_file *file, const char *path, uint64_t max_bytes, uint64_t max_files,
                                pawl_error **err);
/* PAWL_E_INVALID when it is no regular file. */
pawl_status pawl_line_file_empty(struct pawl_line_file *file, pawl_error **err);
/* Also of one that could not be opened. */
void pawl_line_file_close(struct pawl_line_file *file);
/* Writes one line or nothing. PAWL_E_LIMIT: it does not fit. PAWL_E_UNAVAILABLE: it cannot be written. */
pawl_status pawl_line_file_write(struct pawl_line_file *file, const void *line, size_t bytes, pawl_error **err);
/* Bytes in the file now; 0 when it cannot be told. */
uint64_t pawl_line_file_size(const struct pawl_line_file *file);

#endif
