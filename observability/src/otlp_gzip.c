/* gzip (RFC 1952) by zlib. */
#include "otlp_exporter_internal.h"
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib.h: 16 more write a gzip header and trailer */

/* The pieces of a deflate() that has room for everything. */
static bool deflate_all(z_stream *stream, const void *bytes, size_t count, void *to, size_t room) {
    stream->next_in = (Bytef *)bytes; /* zlib's type lacks the const; it reads only */
    stream->avail_in = (uInt)count;
    stream->next_out = to;
    stream->avail_out = (uInt)room;
    return deflate(stream, Z_FINISH) == Z_STREAM_END;
}

void *pawl_otlp_gzip(const void *bytes, size_t count, size_t *ret_count) {
    z_stream stream = {.zalloc = NULL};
    if (count > UINT32_MAX / 2 ||
        deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    size_t room = deflateBound(&stream, count);
    void *made = malloc(room);
    bool done = made && deflate_all(&stream, bytes, count, made, room);
    *ret_count = stream.total_out;
    deflateEnd(&stream);
    if (done)
        return made;
    free(made);
    return NULL;
}
